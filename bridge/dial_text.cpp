#include "bridge/dial_text.hpp"

namespace bridge {

std::string filled(std::string_view text, std::string_view extension, std::string_view number,
                   std::string_view channel) {
    std::string out;
    while (!text.empty()) {
        auto take = [&](std::string_view name, std::string_view value) {
            if (!text.starts_with(name)) return false;
            out += value;
            text.remove_prefix(name.size());
            return true;
        };
        if (take("{extension}", extension) || take("{number}", number) || take("{channel}", channel))
            continue;
        out += text.front();
        text.remove_prefix(1);
    }
    return out;
}

bool usable_extension(std::string_view extension) {
    static constexpr std::string_view allowed =
        "0123456789*#+-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return !extension.empty() && extension.size() <= 40 &&
           extension.find_first_not_of(allowed) == std::string_view::npos;
}

std::string dialplan_text(std::string_view value, std::size_t longest) {
    static constexpr std::string_view syntax = "\"'\\,;|&^$(){}[]<>=%+";
    std::string out;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F || syntax.find(c) != std::string_view::npos ? ' ' : c;
    }
    if (out.size() > longest) {
        auto end = longest;
        while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
        out.resize(end);
    }
    return out;
}

}  // namespace bridge
