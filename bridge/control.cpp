#include "bridge/control.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bridge/json.hpp"

namespace bridge {

namespace {

constexpr std::size_t most_members = 16;

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

std::unexpected<ControlFault> bad(std::string text) {
    return std::unexpected(ControlFault{"bad-request", std::move(text)});
}

}  // namespace

std::string_view ControlRequest::value(std::string_view key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::string_view() : std::string_view(found->second);
}

std::expected<ControlRequest, ControlFault> read_control_request(std::string_view line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) return bad(R"(a request is a JSON object on one line, like {"verb":"status"})");
    if (json.size() > most_members) return bad(fmt::format("more than {} members", most_members));
    ControlRequest request;
    for (const auto& [key, value] : json.items()) {
        if (!value.is_string() && !value.is_boolean() && !value.is_number_integer())
            return bad("every member is a text, a whole number, true or false");
        std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        if (has_control_character(text) || has_control_character(key))
            return bad("a text has a control character");
        if (key == "verb")
            request.verb = std::move(text);
        else
            request.values.emplace(key, std::move(text));
    }
    if (request.verb.empty()) return bad("the member \"verb\" is missing");
    return request;
}

bool ControlAnswer::item(std::string_view json) const {
    auto port = port_.lock();
    return port && port->put(fmt::format(R"({{"item":{}}})", json), false);
}

void ControlAnswer::done(std::string_view json) const {
    if (auto port = port_.lock()) port->put(fmt::format(R"({{"done":{}}})", json), true);
}

void ControlAnswer::error(std::string_view code, std::string_view text) const {
    if (auto port = port_.lock())
        port->put(JsonObject().begin("error").text("code", code).text("text", text).end().str(), true);
}

void ControlAnswer::when_gone(std::function<void()> gone) const {
    if (auto port = port_.lock()) port->when_gone(std::move(gone));
}

}  // namespace bridge
