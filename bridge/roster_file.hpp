// All that an administrator keeps (operators, services, seats) as one YAML file: read and checked, written.
// Also the people and services of `replay --people`.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "crm/types.hpp"

namespace bridge {

// What an entry is checked against.
struct RosterSite {
    std::vector<std::string> pbx;      // names of the configuration; empty: any
    std::vector<std::string> schemes;  // pop.schemes
};

// All faults at once, each "FILE:LINE: key services[0].queue: what is wrong; what to do". {operators: […],
// services: […], seats: […]}, each optional. Sorted.
std::expected<crm::Roster, std::vector<std::string>> load_roster(const std::filesystem::path& file,
                                                                 const RosterSite& site);

// Whether the file is of this form: a map, not the plain list of people that `replay` also reads.
bool is_roster(const std::filesystem::path& file);

// The same form; what is not said has its default. Reading it gives the same roster.
std::string roster_yaml(crm::Roster roster);

}  // namespace bridge
