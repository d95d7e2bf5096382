// Agent state as stanzas (docs/design.md, section 5).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bridge/agent_words.hpp"
#include "crm/types.hpp"

namespace bridge {

// <agent/>: the whole picture of one operator; `seq` counts the elements told to the JID that gets it.
std::string agent_element(const AgentPicture& picture, std::string_view epoch, std::uint64_t seq);

// A headline with one element to one client.
std::string agent_message(std::string_view from, std::string_view to, std::string_view element);

// What of <me/> concerns queues: the services somebody works for or supervises, with their wrap-up codes, the
// reasons that may be given, and the seats one may sit down on (only those of `pbx`).
std::string services_of(std::string_view jid, std::span<const crm::Service> services);
std::string reasons_of(std::span<const AgentReason> reasons);
std::string seats_of(std::string_view pbx, std::span<const crm::Seat> seats);

}  // namespace bridge
