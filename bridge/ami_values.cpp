#include "bridge/ami_values.hpp"

#include <algorithm>
#include <charconv>

namespace bridge {

std::string_view value_or_nothing(std::string_view text) {
    return text == "<unknown>" || text == "(null)" ? std::string_view{} : text;
}

std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
            continue;
        }
        switch (const char next = text[++i]) {
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'a':
            case 'b':
            case 'f':
            case 'v':
                out.push_back(' ');
                break;
            case '"':
            case '\\':
            case '\'':
            case '?':
                out.push_back(next);
                break;
            default:
                out.push_back('\\');
                out.push_back(next);
        }
    }
    return out;
}

ChannelState channel_state(std::string_view description) {
    struct Name {
        std::string_view text;
        ChannelState state;
    };
    static constexpr Name names[] = {{"Down", ChannelState::down},
                                     {"Ring", ChannelState::ring},
                                     {"Ringing", ChannelState::ringing},
                                     {"Up", ChannelState::up}};
    for (const Name& name : names)
        if (name.text == description) return name.state;
    return ChannelState::other;
}

int number_of(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Millis age_of(const ami::Message& message) {
    if (const auto seconds = message.find("Seconds"))
        return std::chrono::seconds(std::max(0, number_of(*seconds)));
    std::string_view clock = message.get("Duration");
    long total = 0;
    while (!clock.empty()) {
        const std::size_t colon = std::min(clock.find(':'), clock.size());
        total = total * 60 + number_of(clock.substr(0, colon));
        clock.remove_prefix(std::min(colon + 1, clock.size()));
    }
    return std::chrono::seconds(std::clamp(total, 0L, 365L * 86400));
}

bool prohibits(std::string_view pres) {
    return (number_of(pres) & 0x60) == 0x20;
}

}  // namespace bridge
