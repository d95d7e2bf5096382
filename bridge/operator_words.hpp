// What an operator writes to pbx@COMPONENT, and the sentences that answer it and the ad-hoc commands.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bridge/agent_words.hpp"

namespace bridge {

struct ChatOrder {
    enum class Kind : std::uint8_t { unknown, help, state, ready, not_ready, login, logout, dial };
    Kind kind = Kind::unknown;
    std::string rest{};  // the reason, seat or number behind the word
};

// The first word of a line in any case; blanks around and between do not matter.
ChatOrder chat_order(std::string_view line);
std::string chat_help(std::span<const AgentReason> reasons);

// How it stands, in words: "ready", "not ready (Lunch break)", "talking; then not ready (Lunch break)".
std::string agent_words(const AgentPicture& picture, std::span<const AgentReason> reasons);
// The same, and every service that another program changed or that refused.
std::string agent_sentence(const AgentPicture& picture, std::span<const AgentReason> reasons);
// A reason as it was written, by its code or its label; what is none stays as it is.
std::string reason_code(std::string_view text, std::span<const AgentReason> reasons);

}  // namespace bridge
