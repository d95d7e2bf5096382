#include "bridge/printable.hpp"

#include <fmt/core.h>

namespace bridge {

namespace {

// Length of the valid UTF-8 sequence at the front, 0 when there is none (RFC 3629: no overlong forms, no
// surrogates).
std::size_t sequence_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned first = byte(0);
    if (first < 0x80) return 1;
    std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
        (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))
        return 0;
    return length;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    while (!text.empty()) {
        if (out.size() >= most) return out + "...";
        auto length = sequence_length(text);
        auto first = static_cast<unsigned char>(text.front());
        // C1 controls and the line separators would break a line as well.
        bool control = first < 0x20 || first == 0x7F ||
                       (length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) ||
                       text.starts_with("\u2028") || text.starts_with("\u2029");
        if (length == 0 || control) {
            out += fmt::format("\\x{:02X}", first);
            text.remove_prefix(1);
            continue;
        }
        out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace bridge
