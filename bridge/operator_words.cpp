#include "bridge/operator_words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/pop_text.hpp"

namespace bridge {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t longest_rest = 200;

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    });
    return out;
}

struct Word {
    std::string_view word;
    ChatOrder::Kind kind;
};
constexpr Word words[] = {
    {"help", ChatOrder::Kind::help},           {"?", ChatOrder::Kind::help},
    {"state", ChatOrder::Kind::state},         {"status", ChatOrder::Kind::state},
    {"ready", ChatOrder::Kind::ready},         {"pause", ChatOrder::Kind::not_ready},
    {"not-ready", ChatOrder::Kind::not_ready}, {"login", ChatOrder::Kind::login},
    {"logout", ChatOrder::Kind::logout},       {"dial", ChatOrder::Kind::dial},
    {"call", ChatOrder::Kind::dial},
};

// Reasons of ours by their label, of others as they wrote them.
std::string reason_label(std::string_view code, std::span<const AgentReason> reasons) {
    const auto found = std::ranges::find(reasons, code, &AgentReason::code);
    if (found != reasons.end() && !found->label.empty()) return found->label;
    for (auto reason : {SystemReason::client_gone, SystemReason::client_silent, SystemReason::bridge_stopped,
                        SystemReason::static_member, SystemReason::away})
        if (auto own = system_reason(reason); own.code == code) return own.label;
    return readable(code, 60);
}

std::string with_reason(std::string_view state, std::string_view code, std::span<const AgentReason> reasons) {
    std::string text(state);
    std::ranges::replace(text, '-', ' ');
    if (state == "wrap-up") text = "working after a call";
    if (!code.empty()) text += fmt::format(" ({})", reason_label(code, reasons));
    return text;
}

}  // namespace

ChatOrder chat_order(std::string_view line) {
    line = trimmed(line);
    const auto end = std::min(line.find_first_of(blanks), line.size());
    const auto first = lower(line.substr(0, end));
    const auto found = std::ranges::find(words, first, &Word::word);
    if (found == std::end(words)) return {};
    return {found->kind, std::string(trimmed(line.substr(end)).substr(0, longest_rest))};
}

std::string chat_help(std::span<const AgentReason> reasons) {
    std::string codes;
    for (const auto& reason : reasons) codes += (codes.empty() ? "" : ", ") + reason.code;
    return fmt::format(
        "login [SEAT]: sign in to your queues\n"
        "ready: be called\n"
        "pause [REASON]: not be called{}\n"
        "logout: leave the queues\n"
        "state: how it stands\n"
        "dial NUMBER: call it; your phone rings first",
        codes.empty() ? "" : fmt::format("; reasons: {}", codes));
}

std::string agent_words(const AgentPicture& picture, std::span<const AgentReason> reasons) {
    const bool pending = !picture.pending.empty();
    auto text = with_reason(to_string(picture.state), pending ? std::string_view{} : picture.reason, reasons);
    if (pending) text += "; then " + with_reason(picture.pending, picture.reason, reasons);
    return text;
}

std::string agent_sentence(const AgentPicture& picture, std::span<const AgentReason> reasons) {
    auto text = agent_words(picture, reasons);
    if (picture.by == "pbx") text += ", by another program or the phone";
    if (!picture.seat.empty()) text += fmt::format(", on seat {}", readable(picture.seat, 40));
    text += '.';
    for (const auto& service : picture.services)
        if (!service.text.empty())
            text += fmt::format(" {}: {}.", readable(service.name, 60), readable(service.text, 120));
    return text;
}

std::string reason_code(std::string_view text, std::span<const AgentReason> reasons) {
    const auto wanted = lower(text);
    for (const auto& reason : reasons)
        if (lower(reason.code) == wanted || lower(reason.label) == wanted) return reason.code;
    return std::string(text);
}

}  // namespace bridge
