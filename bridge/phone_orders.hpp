// Agent state by the phone: the dialplan of a feature code sends a UserEvent, etc/asterisk/
// extensions_ctibridge.conf. Who asked for what, and at which phone; whether it is done is the agents'.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "ami/message.hpp"
#include "bridge/agent_words.hpp"
#include "crm/types.hpp"

namespace bridge {

struct PhoneOrder {
    AgentRequest::Kind kind = AgentRequest::Kind::login;
    std::string who;      // own extension or JID of an operator; empty: who has this phone
    std::string reason;   // of a pause
    std::string channel;  // the phone's, "PJSIP/203-00000001"
    std::string uniqueid;
};

// None: another event. The error: it is for us and makes no sense.
std::optional<std::expected<PhoneOrder, std::string>> phone_order(const ami::Message& message);

// `extension`: of the phone. `at_home`: everybody at this pbx with their own extensions; `placed`: where they
// are now. The error is a sentence for a person.
std::expected<AgentRequest, std::string> request_of(const PhoneOrder& order, std::string_view extension,
                                                    std::span<const crm::Operator> at_home,
                                                    std::span<const crm::Operator> placed,
                                                    std::span<const crm::Seat> seats);

}  // namespace bridge
