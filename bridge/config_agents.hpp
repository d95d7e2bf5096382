// The section `agents` of the configuration. Only for config.cpp: shows yaml-cpp.
#pragma once

#include "bridge/agents_config.hpp"
#include "bridge/config_reader.hpp"

namespace bridge {

void read_agents(ConfigReader& reader, const YAML::Node& node, AgentsConfig& into);

}  // namespace bridge
