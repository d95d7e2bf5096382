// The order of matches where a service asks for some modules first.
#pragma once

#include <span>
#include <string>

#include "crm/types.hpp"

namespace bridge {

// Within each quality the matches of `modules` come first, in their order; the rest keeps its own. A guess
// never overtakes what is known.
void prefer_modules(crm::Lookup& lookup, std::span<const std::string> modules);

}  // namespace bridge
