// Rows of calls that go on, as they are kept in the outbox until they end (beside the owed notices, with an
// empty JID), and back: after a restart nobody else knows which calls have no end yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crm/types.hpp"

namespace bridge {

crm::Owed owed_row(const crm::CallRow& row);
crm::Owed owed_row(const crm::LegRow& row, std::string_view pbx);
bool is_row(const crm::Owed& owed);
// When the calls of a pbx were last seen to go on, kept beside their rows: an end that a restart did not see
// was not before.
crm::Owed owed_alive(std::string_view pbx, crm::Millis at);

// Nothing when it is no row of that kind.
std::optional<crm::CallRow> recalled_call(const crm::Owed& owed);
std::optional<crm::LegRow> recalled_leg(const crm::Owed& owed);
std::optional<crm::Millis> recalled_alive(const crm::Owed& owed);

}  // namespace bridge
