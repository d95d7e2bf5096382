// What systemd is told (sd_notify); without systemd nothing happens.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace bridge::systemd {

void ready();
void stopping();
void reloading();
void status(const std::string& line);
void alive();                                         // WATCHDOG=1
std::optional<std::chrono::milliseconds> watchdog();  // how often alive() is due; nullopt: nobody watches

}  // namespace bridge::systemd
