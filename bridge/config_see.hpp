// The key `see` of the configuration.
#pragma once

#include "bridge/config_reader.hpp"
#include "bridge/sight_config.hpp"

namespace bridge {

void read_see(ConfigReader& reader, const YAML::Node& node, SightConfig& into);

}  // namespace bridge
