#include "crm/text.hpp"

#include <cstdint>

namespace crm {
namespace {

struct Character {
    char32_t code;
    std::size_t size;  // bytes taken
    bool good;
};

unsigned char byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

// One character at the front of `text`, which is not empty. A bad sequence takes one byte. (RFC 3629)
Character decode(std::string_view text) {
    const auto lead = byte_at(text, 0);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {0, 1, false};
    char32_t code = lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = byte_at(text, i);
        if ((next & 0xc0) != 0x80) return {0, 1, false};
        code = (code << 6) | (next & 0x3fU);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (overlong || surrogate || code > 0x10ffff) return {0, 1, false};
    return {code, size, true};
}

bool unwanted(char32_t code) {
    return (code < 0x20 && code != '\t' && code != '\n') || code == 0x7f || code == 0xfffe || code == 0xffff;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t max_characters) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string out;
    std::size_t count = 0;
    while (!text.empty() && count < max_characters) {
        const auto character = decode(text);
        if (!character.good) {
            out += replacement;
            ++count;
        } else if (!unwanted(character.code)) {
            out += text.substr(0, character.size);
            ++count;
        }
        text.remove_prefix(character.size);
    }
    return out;
}

}  // namespace crm
