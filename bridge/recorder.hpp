// `ctibridge record`: what an AMI session receives and when, for support and for `replay`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "bridge/config.hpp"
#include "bridge/log.hpp"

namespace bridge {

struct RecordOptions {
    std::filesystem::path file;            // must not exist, nor the one with `.times`
    bool direct = false;                   // a session of our own; else the running daemon's, if there is one
    bool anonymise = false;                // names and numbers become pseudonyms (bridge/anonymiser.hpp)
    std::uint64_t most = 256ULL << 20U;    // bytes of the file, then it ends
    std::chrono::milliseconds longest{0};  // span, then it ends; 0: no limit
    std::function<bool(std::string_view)> internal;  // numbers that --anonymise keeps
};

// Writes FILE (what Asterisk sends, secrets taken out) and FILE with `.times` (offset, TAB, milliseconds),
// both created anew with 0600, until SIGINT or SIGTERM, until a limit, or until the connection ends. With
// `anonymise` nothing is on disk before the end. `control` is the running daemon's socket; empty: none.
// Returns the exit code.
int record_session(const PbxConfig& pbx, const std::string& control, const RecordOptions& options,
                   Logger& log);

// `replay --anonymise IN OUT`: the same of a recording; times beside it, if given. Returns the exit code.
int anonymise_file(const std::filesystem::path& in, const std::filesystem::path& times,
                   const std::filesystem::path& out, std::function<bool(std::string_view)> internal);

}  // namespace bridge
