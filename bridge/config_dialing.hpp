// The section `dialing` of the configuration. Only for config.cpp: shows yaml-cpp.
#pragma once

#include <string>
#include <vector>

#include "bridge/config.hpp"
#include "bridge/config_reader.hpp"

namespace bridge {

void read_dialing(ConfigReader& reader, const YAML::Node& node, DialingConfig& into);

// Patterns of numbers, `+44*`, `2??`.
std::vector<std::string> read_patterns(ConfigReader& reader, const YAML::Node& node);

}  // namespace bridge
