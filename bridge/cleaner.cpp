#include "bridge/cleaner.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace bridge {

namespace {

constexpr std::string_view redacted = "redacted";
constexpr std::array<std::string_view, 9> secret_words{
    "secret", "passw", "pwd", "md5cred", "md5_cred", "token", "credential", "apikey", "api_key"};
constexpr std::array<std::string_view, 3> secret_ends{"pass", "pin", "challenge"};
// Applications whose argument is what a caller must type.
constexpr std::array<std::string_view, 3> locks{"Authenticate", "VMAuthenticate", "DISA"};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

// `NAME=value`, also inside `Set(NAME=value)`: the part up to the equals sign.
std::size_t value_of_assignment(std::string_view text) {
    const std::size_t equals = text.find('=');
    return equals == std::string_view::npos || !names_a_secret(text.substr(0, equals))
               ? std::string_view::npos
               : equals + 1;
}

}  // namespace

bool names_a_secret(std::string_view name) {
    const std::string small = lower(name);
    return std::ranges::any_of(secret_words, [&](std::string_view word) { return small.contains(word); }) ||
           std::ranges::any_of(secret_ends, [&](std::string_view word) { return small.ends_with(word); });
}

std::string header_line(std::string_view name, std::string_view value) {
    return name.empty() ? fmt::format("{}\r\n", value) : fmt::format("{}: {}\r\n", name, value);
}

std::string without_secrets(const ami::Message& message) {
    if (message.kind() == ami::Message::Kind::response && message.find("Challenge")) return {};
    const bool secret_variable =
        message.find("Value") && names_a_secret(message.get("Variable"));  // VarSet, and Getvar's answer
    const bool lock = std::ranges::find(locks, message.get("Application")) != locks.end();
    std::string out;
    for (const ami::Header& header : message.headers()) {
        const bool assigns = header.name == "Variable" || header.name == "AppData" || header.name == "Data" ||
                             header.name == "ApplicationData" || header.name == "LastData";
        const std::size_t value = assigns ? value_of_assignment(header.value) : std::string_view::npos;
        if (value != std::string_view::npos) {
            out += header_line(header.name, fmt::format("{}{}", header.value.substr(0, value), redacted));
        } else if (names_a_secret(header.name) || (secret_variable && header.name == "Value") ||
                   (lock && assigns && header.name != "Variable")) {
            out += header_line(header.name, redacted);
        } else {
            out += header_line(header.name, header.value);
        }
    }
    return out + "\r\n";
}

std::string Cleaner::feed(std::string_view bytes) {
    if (skipping_) {
        tail_ += bytes;
        const std::size_t end = tail_.find("\r\n\r\n");
        if (end == std::string::npos) {
            tail_.erase(0, tail_.size() - std::min<std::size_t>(tail_.size(), 3));
            return {};
        }
        skipping_ = false;
        const std::string rest = tail_.substr(end + 4);
        tail_.clear();
        return feed(rest);
    }
    std::string out;
    const bool before = parser_.has_banner();
    std::string messages;
    (void)parser_.feed(bytes, [&](const ami::Message& message) { messages += without_secrets(message); });
    if (!before && parser_.has_banner()) out = "Asterisk Call Manager/" + parser_.version() + "\r\n";
    return out + messages;
}

}  // namespace bridge
