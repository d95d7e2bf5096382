// What a reload can apply and what needs a restart.
#pragma once

#include <string>
#include <vector>

#include "bridge/config.hpp"

namespace bridge {

// The keys of the file that differ and cannot be changed while the daemon runs, e.g. "pbx", "xmpp".
std::vector<std::string> needs_restart(const Config& running, const Config& next);

}  // namespace bridge
