#include "xmpp/xml.hpp"

#include <utility>

namespace xmpp {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the valid UTF-8 sequence at the front, 0 when there is none; `code` is its code point.
std::size_t decode(std::string_view s, char32_t& code) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return code = first, 1;
    const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    if (length == 0 || s.size() < length) return 0;
    code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    return overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : length;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
    while (!text.empty()) {
        char32_t code = 0;
        const auto length = decode(text, code);
        if (length == 0) {
            out += replacement;
            text.remove_prefix(1);
            continue;
        }
        switch (code) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '\'':
                out += "&apos;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\t':
            case '\n':
            case '\r':
                out += static_cast<char>(code);
                break;
            default:
                if (code >= 0x20 && code != 0x7F && code != 0xFFFE && code != 0xFFFF)
                    out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
}

void Xml::end_tag() {
    if (std::exchange(in_tag_, false)) out_ += '>';
}

Xml& Xml::open(std::string_view element) {
    end_tag();
    (out_ += '<') += element;
    (names_ += '/') += element;
    in_tag_ = true;
    return *this;
}

Xml& Xml::attr(std::string_view name, std::string_view value) {
    ((out_ += ' ') += name) += "='";
    append_escaped(out_, value);
    out_ += '\'';
    return *this;
}

Xml& Xml::text(std::string_view text) {
    end_tag();
    append_escaped(out_, text);
    return *this;
}

Xml& Xml::raw(std::string_view xml) {
    if (xml.empty()) return *this;
    end_tag();
    out_ += xml;
    return *this;
}

Xml& Xml::close() {
    const auto start = names_.rfind('/');
    if (std::exchange(in_tag_, false)) {
        out_ += "/>";
    } else {
        ((out_ += "</") += std::string_view(names_).substr(start + 1)) += '>';
    }
    names_.resize(start);
    return *this;
}

}  // namespace xmpp
