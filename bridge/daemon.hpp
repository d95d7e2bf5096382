// The daemon: every link, desk and table joined, on one thread. Exists once; run() returns after SIGTERM or
// SIGINT.
#pragma once

#include <memory>

#include "bridge/config.hpp"
#include "bridge/log.hpp"

namespace bridge {

class Daemon {
 public:
    // Throws std::runtime_error (with what to do) when it cannot begin, e.g. no writable state directory.
    Daemon(Config config, Logger& log);
    ~Daemon();
    int run();  // exit code

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace bridge
