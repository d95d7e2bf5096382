// A notice as it is kept in the outbox until its `ended` was delivered (crm::Owed::stanza), and back.
#pragma once

#include <string>
#include <string_view>

#include "bridge/notice.hpp"
#include "crm/types.hpp"

namespace bridge {

// One element `<ring .../>`, well-formed whatever the notice holds.
std::string remembered(const Notice& notice);
// The notice an `ended` is made of; what cannot be read stays at its default, the key is taken from the
// arguments.
Notice recalled(std::string_view jid, std::string_view pbx, std::string_view leg, std::string_view id,
                std::string_view text);

}  // namespace bridge
