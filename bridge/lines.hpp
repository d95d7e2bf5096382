// The state of every phone line of one pbx, as the exchange tells it: DeviceStateChange events, and the list
// of the synchronisation. Sans-I/O.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "ami/message.hpp"
#include "bridge/notice.hpp"

namespace bridge {

enum class LineState : std::uint8_t { unknown, unavailable, idle, held, ringing, busy };  // by rising weight
std::string_view to_string(LineState state);                                              // unknown: empty

class Lines {
 public:
    static constexpr std::size_t most_devices = 100'000;

    struct Line {
        LineState state = LineState::unknown;
        Millis since{0};  // 0: not known
    };

    void apply(const ami::Message& message, Millis now);
    void link_lost() { lines_.clear(); }  // nothing is known until the next list
    // Of somebody's phones: the weightiest state.
    [[nodiscard]] Line of(std::span<const std::string> devices) const;
    // Whether the exchange has told of one of them.
    [[nodiscard]] bool has(std::span<const std::string> devices) const;

 private:
    std::map<std::string, Line, std::less<>> lines_;  // by device, "PJSIP/201"
};

}  // namespace bridge
