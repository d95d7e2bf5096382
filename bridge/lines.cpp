#include "bridge/lines.hpp"

#include <algorithm>

namespace bridge {

namespace {

// Asterisk's words (main/devicestate.c).
constexpr std::pair<std::string_view, LineState> words[] = {
    {"NOT_INUSE", LineState::idle},          {"INUSE", LineState::busy},          {"BUSY", LineState::busy},
    {"RINGING", LineState::ringing},         {"RINGINUSE", LineState::busy},      {"ONHOLD", LineState::held},
    {"UNAVAILABLE", LineState::unavailable}, {"INVALID", LineState::unavailable},
};

}  // namespace

std::string_view to_string(LineState state) {
    static constexpr std::string_view names[] = {"", "unavailable", "idle", "held", "ringing", "busy"};
    return names[static_cast<std::size_t>(state)];
}

void Lines::apply(const ami::Message& message, Millis now) {
    if (!message.is_event("DeviceStateChange")) return;
    const auto device = message.get("Device");
    if (device.empty() || device.starts_with("Local/")) return;
    auto state = LineState::unknown;
    for (const auto& [word, meaning] : words)
        if (message.get("State") == word) state = meaning;
    const auto found = lines_.find(device);
    if (found == lines_.end()) {
        if (lines_.size() < most_devices) lines_.emplace(device, Line{state, Millis{0}});
    } else if (found->second.state != state) {
        found->second = {state, now};
    }
}

bool Lines::has(std::span<const std::string> devices) const {
    return std::ranges::any_of(devices, [this](const auto& device) { return lines_.contains(device); });
}

Lines::Line Lines::of(std::span<const std::string> devices) const {
    Line heaviest;
    for (const auto& device : devices)
        if (const auto found = lines_.find(device);
            found != lines_.end() && found->second.state > heaviest.state)
            heaviest = found->second;
    return heaviest;
}

}  // namespace bridge
