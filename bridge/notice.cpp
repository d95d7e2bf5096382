#include "bridge/notice.hpp"

#include <array>

namespace bridge {

std::string_view to_string(RingState state) {
    static constexpr std::array<std::string_view, 5> names{"dialing", "ringing", "answered", "held", "ended"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Cause cause) {
    static constexpr std::array<std::string_view, 10> names{
        "",       "hangup", "no-answer", "busy", "rejected", "cancelled", "answered-elsewhere", "transferred",
        "failed", "lost"};
    return names[static_cast<std::size_t>(cause)];
}

std::string_view word(crm::Direction direction) {
    static constexpr std::array<std::string_view, 3> names{"inbound", "outbound", "internal"};
    return names[static_cast<std::size_t>(direction)];
}

std::string_view word(crm::Disposition disposition) {
    static constexpr std::array<std::string_view, 7> names{"",          "answered", "no-answer", "busy",
                                                           "abandoned", "failed",   "lost"};
    return names[static_cast<std::size_t>(disposition)];
}

}  // namespace bridge
