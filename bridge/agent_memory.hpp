// What outlives the daemon of an operator's agent state, as it is kept in the outbox (beside the owed
// notices, with an empty JID, as rows of calls are), and back.
#pragma once

#include <optional>
#include <string_view>

#include "bridge/agents.hpp"
#include "crm/types.hpp"

namespace bridge {

crm::Owed owed_agent(const AgentMemory& memory, std::string_view pbx);
// Signed out, nothing left behind: there is nothing to be kept.
bool is_blank(const AgentMemory& memory);
// Nothing when it is none.
std::optional<AgentMemory> recalled_agent(const crm::Owed& owed);

}  // namespace bridge
