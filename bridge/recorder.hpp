// `ctibridge record`: the bytes of an AMI session as they come, with their times, for support and for
// `replay`.
#pragma once

#include <filesystem>

#include "bridge/config.hpp"
#include "bridge/log.hpp"

namespace bridge {

// Writes FILE (what Asterisk sends; our own login is never in it) and FILE with `.times` (offset, TAB,
// milliseconds since the connection was opened), both 0600, until SIGINT or SIGTERM, or until the connection
// ends. Returns the exit code.
int record_session(const PbxConfig& pbx, const std::filesystem::path& file, Logger& log);

}  // namespace bridge
