// `ctibridge replay --serve`: a recorded trace on a TCP port of 127.0.0.1, as if it were a pbx.
#pragma once

#include <filesystem>
#include <optional>

#include "bridge/played_pbx.hpp"

namespace bridge {

struct ServeOptions {
    std::filesystem::path trace;
    std::optional<std::filesystem::path> times;
    unsigned short port = 0;  // 0: a free one
    PlayOptions play;
};

// Until the recording is over (or SIGINT, SIGTERM). What happens is written to stdout, a JSON object a line,
// first {"listening": PORT}. Returns the exit code.
int serve(const ServeOptions& options);

}  // namespace bridge
