#include "ami/action.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <strings.h>

#include "ami/text.hpp"

namespace ami {

namespace {

// Asterisk refuses a line of 1023 bytes and an action of more than 128 lines (measured on 22).
constexpr std::size_t line_limit = 1023;
constexpr std::size_t lines_limit = 120;

using Fault = std::string;  // empty: nothing is wrong

bool equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

Fault check_name(std::string_view name) {
    if (name.empty()) return "has no name";
    if (!std::ranges::all_of(name, is_name_character)) {
        return "has a name with a character other than letters, digits, - and _";
    }
    return {};
}

Fault check_characters(std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto byte = static_cast<unsigned char>(value[i]);
        const bool c1 = byte == 0xC2 && i + 1 < value.size() &&
                        static_cast<unsigned char>(value[i + 1]) >= 0x80 &&
                        static_cast<unsigned char>(value[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7F || c1) {
            return fmt::format("holds a control character at byte {} (\\x{:02x})", i,
                               c1 ? static_cast<unsigned char>(value[i + 1]) : byte);
        }
    }
    return {};
}

// Asterisk splits `Variable` at each comma that is not inside parentheses, and takes quotes and backslashes
// away.
Fault check_variable(std::string_view variable) {
    const std::size_t equals = variable.find('=');
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : variable.substr(equals + 1);
    int depth = 0;
    for (const char c : name) {
        if (c == '(') ++depth;
        if (c == ')' && depth > 0) --depth;
        if (c == ',' && depth == 0)
            return "has a comma in the variable's name, where Asterisk would split it";
        if (c == '"' || c == '\\') return "has a quote or backslash in the variable's name";
    }
    if (depth != 0) return "has an open parenthesis in the variable's name";
    if (value.contains(',')) return "has a comma in the variable's value, where Asterisk would split it";
    if (value.contains('"') || value.contains('\\')) {
        return "has a quote or backslash in the variable's value, which Asterisk would take away";
    }
    return {};
}

Fault check_header(std::string_view name, std::string_view value) {
    if (Fault fault = check_name(name); !fault.empty()) return fault;
    if (equal(name, "Action") || equal(name, "ActionID")) return "is set by the encoder alone";
    if (Fault fault = check_characters(value); !fault.empty()) return fault;
    if (name.size() + 2 + value.size() >= line_limit) {
        return fmt::format("is too long: {} bytes, {} are allowed in a line", name.size() + 2 + value.size(),
                           line_limit - 1);
    }
    return equal(name, "Variable") ? check_variable(value) : Fault{};
}

// What single actions must not say. `Channel` is the header's value, empty when absent.
struct ActionRule {
    std::string_view action;
    Fault (*check)(std::string_view channel);
};

constexpr std::array<ActionRule, 2> action_rules{{
    {"Setvar",
     [](std::string_view channel) -> Fault {
         return channel.empty() ? "is missing: Setvar without a channel sets a global variable" : "";
     }},
    {"Hangup",
     [](std::string_view channel) -> Fault {
         if (channel.empty()) return "is missing";
         return channel.starts_with('/') ? "is a pattern: it would hang up every channel that matches" : "";
     }},
}};

}  // namespace

std::expected<std::string, ActionError> encode(const Action& action, std::string_view action_id) {
    const auto refuse = [](std::string_view field, std::string_view fault) {
        std::string shown = printable(field, 80);
        std::string text = fmt::format("{} {}", shown.empty() ? "a header" : shown, fault);
        return std::unexpected(ActionError{std::move(shown), std::move(text)});
    };
    if (Fault fault = check_name(action.name); !fault.empty()) return refuse("Action", fault);
    if (Fault fault = check_characters(action_id); !fault.empty()) return refuse("ActionID", fault);
    for (const std::string_view first_line : {std::string_view(action.name), action_id}) {
        if (first_line.size() + std::string_view("ActionID: ").size() >= line_limit) {
            return refuse(first_line.data() == action_id.data() ? "ActionID" : "Action", "is too long");
        }
    }
    if (action.headers.size() + 2 > lines_limit) {
        return refuse("Action",
                      fmt::format("has {} lines, {} are allowed", action.headers.size() + 2, lines_limit));
    }

    std::string_view channel;
    std::size_t bytes = action.name.size() + action_id.size() + 32;
    for (const auto& [name, value] : action.headers) {
        if (Fault fault = check_header(name, value); !fault.empty()) return refuse(name, fault);
        if (channel.empty() && equal(name, "Channel")) channel = value;
        bytes += name.size() + value.size() + 4;
    }
    for (const ActionRule& rule : action_rules) {
        if (!equal(rule.action, action.name)) continue;
        if (Fault fault = rule.check(channel); !fault.empty()) return refuse("Channel", fault);
    }

    std::string out;
    out.reserve(bytes);
    const auto line = [&out](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    line("Action", action.name);
    if (!action_id.empty()) line("ActionID", action_id);
    for (const auto& [name, value] : action.headers) line(name, value);
    out += "\r\n";
    return out;
}

}  // namespace ami
