#include "bridge/systemd.hpp"

#include <cstdint>

#include <fmt/core.h>
#include <systemd/sd-daemon.h>
#include <time.h>

namespace bridge::systemd {

void ready() {
    ::sd_notify(0, "READY=1");
}
void stopping() {
    ::sd_notify(0, "STOPPING=1");
}
void reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    auto microseconds =
        static_cast<std::uint64_t>(now.tv_sec) * 1000000U + static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
    ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}
void status(const std::string& line) {
    ::sd_notify(0, fmt::format("STATUS={}", line).c_str());
}
void alive() {
    ::sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::milliseconds> watchdog() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    // Twice as often as asked, so that one late tick is no alarm.
    return std::chrono::milliseconds(microseconds / 2000);
}

}  // namespace bridge::systemd
