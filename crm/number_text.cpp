#include "crm/number_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace crm {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

// The next code point, or nothing for bytes that are not UTF-8 (overlong, surrogate, cut off).
std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at++);
    if (first < 0x80) return first;
    const int more = first >= 0xf0 && first < 0xf5   ? 3
                     : first >= 0xe0 && first < 0xf0 ? 2
                     : first >= 0xc2 && first < 0xe0 ? 1
                                                     : 0;
    if (more == 0) return std::nullopt;
    char32_t code = first & (0x3fU >> static_cast<unsigned>(more));
    for (int i = 0; i < more; ++i) {
        if (at >= text.size() || (byte(at) & 0xc0U) != 0x80) return std::nullopt;
        code = code << 6U | (byte(at++) & 0x3fU);
    }
    constexpr std::array<char32_t, 4> smallest{0, 0x80, 0x800, 0x10000};
    if (code < smallest[static_cast<std::size_t>(more)] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return std::nullopt;
    return code;
}

struct Range {
    char32_t first, last;
    char becomes;  // '0': counted on from there; '\0': left out
};
constexpr Range ranges[] = {
    {0x00a0, 0x00a0, ' '},  {0x00ad, 0x00ad, '\0'}, {0x061c, 0x061c, '\0'}, {0x0660, 0x0669, '0'},
    {0x06f0, 0x06f9, '0'},  {0x07c0, 0x07c9, '0'},  {0x0966, 0x096f, '0'},  {0x09e6, 0x09ef, '0'},
    {0x0e50, 0x0e59, '0'},  {0x2000, 0x200a, ' '},  {0x200b, 0x200f, '\0'}, {0x2010, 0x2015, '-'},
    {0x202a, 0x202e, '\0'}, {0x202f, 0x202f, ' '},  {0x205f, 0x205f, ' '},  {0x2060, 0x2069, '\0'},
    {0x2212, 0x2212, '-'},  {0x3000, 0x3000, ' '},  {0x30fc, 0x30fc, '-'},  {0xfeff, 0xfeff, '\0'},
    {0xff08, 0xff08, '('},  {0xff09, 0xff09, ')'},  {0xff0b, 0xff0b, '+'},  {0xff0d, 0xff0d, '-'},
    {0xff0e, 0xff0e, '.'},  {0xff0f, 0xff0f, '/'},  {0xff10, 0xff19, '0'},
};

// Words that stand between a number and an extension behind it.
constexpr std::string_view extension_words[] = {"x",      "ext",   "extn",  "extension", "kl",
                                                "klapka", "linka", "l",     "dw",        "durchwahl",
                                                "poste",  "int",   "anexo", "app"};

std::string with_cyrillic_word(std::string_view raw) {
    std::string text(raw);
    for (const std::string_view word : {"доб", "Доб", "ДОБ"})
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word))
            text.replace(at, word.size(), "ext");
    return text;
}

}  // namespace

FoldedText fold_number_text(std::string_view raw) {
    const auto text = with_cyrillic_word(raw);
    FoldedText out;
    for (std::size_t at = 0; at < text.size();) {
        const auto code = next_code_point(text, at);
        if (!code) return {{}, TextFault::utf8};
        if (*code < 0x20 || (*code >= 0x7f && *code < 0xa0)) {
            out.fault = TextFault::control;
            continue;
        }
        if (*code < 0x80) {
            out.text += static_cast<char>(*code);
            continue;
        }
        const auto* range =
            std::ranges::find_if(ranges, [&](const Range& r) { return *code >= r.first && *code <= r.last; });
        if (range == std::end(ranges))
            out.text += '\x01';
        else if (range->becomes == '0')
            out.text += static_cast<char>('0' + static_cast<int>(*code - range->first));
        else if (range->becomes != '\0')
            out.text += range->becomes;
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string only_digits(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), is_digit);
    return out;
}

std::string percent_decoded(std::string_view text) {
    const auto value = [](char c) {
        return is_digit(c)            ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size() && value(text[at + 1]) >= 0 && value(text[at + 2]) >= 0) {
            out += static_cast<char>(value(text[at + 1]) * 16 + value(text[at + 2]));
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

SplitNumber split_extension(std::string_view text) {
    constexpr std::size_t longest = 7;        // digits of an extension
    constexpr std::size_t shortest_head = 6;  // digits of a number that has one
    constexpr std::size_t shortest_before_slash = 9;
    text = trimmed(text);
    auto at = text.size();
    while (at > 0 && is_digit(text[at - 1])) --at;
    const auto extension = text.substr(at);
    if (extension.empty() || extension.size() > longest) return {text, {}};
    auto head = text.substr(0, at);
    while (!head.empty() && std::string_view(" .:=-").contains(head.back())) head.remove_suffix(1);
    bool marked = false;
    if (!head.empty() && (head.back() == '/' || head.back() == '#') && head.size() == at) {
        // "(020) 7946/0018" is one number, "222333444/15" is an extension of a whole one
        marked = head.back() == '#' ||
                 (extension.size() <= 5 && only_digits(head).size() >= shortest_before_slash);
        head.remove_suffix(1);
    } else {
        auto word = head.size();
        while (word > 0 && is_letter(head[word - 1])) --word;
        marked = std::ranges::find(extension_words, head.substr(word)) != std::end(extension_words);
        if (marked) head = head.substr(0, word);
    }
    while (!head.empty() && std::string_view(" .:;,-(").contains(head.back())) head.remove_suffix(1);
    if (!marked || only_digits(head).size() < shortest_head) return {text, {}};
    return {head, std::string(extension)};
}

}  // namespace crm
