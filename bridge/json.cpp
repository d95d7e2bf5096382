#include "bridge/json.hpp"

#include <fmt/format.h>

namespace bridge {

namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none (Unicode 15, table
// 3-7).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto in = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (in(first, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
    if (in(first, 0xE0, 0xEF)) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
        return in(byte(1), low, high) && in(byte(2), 0x80, 0xBF) ? 3 : 0;
    }
    if (in(first, 0xF0, 0xF4)) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
        return in(byte(1), low, high) && in(byte(2), 0x80, 0xBF) && in(byte(3), 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::string json_text(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
            continue;
        }
        const unsigned char c = static_cast<unsigned char>(text.front());
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text.front();
        } else if (c < 0x20 || c == 0x7F) {
            out += fmt::format("\\u{:04x}", c);
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out += '"';
}

std::string json_list(const std::vector<std::string>& values) {
    return fmt::format("[{}]", fmt::join(values, ", "));
}

void JsonObject::key(std::string_view key) {
    if (out_.back() != '{') out_ += ", ";
    out_ += json_text(key);
    out_ += ": ";
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    key(name);
    out_ += json_text(value);
    return *this;
}

JsonObject& JsonObject::text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? null(name) : text(name, value);
}

JsonObject& JsonObject::number(std::string_view name, std::int64_t value) {
    key(name);
    out_ += std::to_string(value);
    return *this;
}

JsonObject& JsonObject::flag(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
    return *this;
}

JsonObject& JsonObject::null(std::string_view name) {
    key(name);
    out_ += "null";
    return *this;
}

JsonObject& JsonObject::begin(std::string_view name) {
    key(name);
    out_ += '{';
    ++open_;
    return *this;
}

JsonObject& JsonObject::end() {
    if (open_ > 1) {
        out_ += '}';
        --open_;
    }
    return *this;
}

std::string JsonObject::str() const {
    return out_ + std::string(open_, '}');
}

}  // namespace bridge
