// The words of agent state: states, reasons, requests and their refusals, and the picture an operator is
// shown. Plain data (docs/design.md, sections 2, 5 and 10).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/notice.hpp"

namespace bridge {

enum class AgentState : std::uint8_t { logged_out, ready, not_ready, ringing, talking, held, wrap_up };
inline constexpr std::array agent_states{AgentState::logged_out, AgentState::ready,   AgentState::not_ready,
                                         AgentState::ringing,    AgentState::talking, AgentState::held,
                                         AgentState::wrap_up};
std::string_view to_string(AgentState state);  // "not-ready"

// What lies under a call and a wrap-up: in no queue, called by at least one, or paused in all.
enum class AgentBase : std::uint8_t { out, ready, not_ready };
std::string_view to_string(AgentBase base);  // as the state of that name

struct AgentReason {
    std::string code{}, label{};
    int number = 0;  // for other programs
    bool operator==(const AgentReason&) const = default;
};

// Reasons of our own; an operator cannot give them.
enum class SystemReason : std::uint8_t {
    client_gone,    // the last client went offline
    client_silent,  // the last client answers no ping
    bridge_stopped,
    static_member,  // signed out, but a member of queues.conf cannot be taken out: paused there
    away,           // presence, where the rule is on
    seat_taken,     // somebody else sat down there
    wrap_up,        // never of a state: only the pause in Asterisk
};
AgentReason system_reason(SystemReason reason);  // codes and numbers from 901 on

enum class AgentRefusal : std::uint8_t {
    bad_request,
    conflict,
    forbidden,
    item_not_found,
    not_acceptable,
    not_allowed,
    service_unavailable,
    timeout,
    undefined,
};
std::string_view to_string(AgentRefusal refusal);  // the XMPP condition it becomes
// What a refusal of Asterisk means.
AgentRefusal refusal_of(std::string_view asterisk_message);

struct AgentRequest {
    enum class Kind : std::uint8_t { login, ready, not_ready, logged_out, extend, seat };
    std::uint64_t token = 0;  // names the answer
    std::string jid{};        // whose state
    std::string by{};         // bare JID of who asks
    bool administrator = false;
    Kind kind = Kind::ready;
    std::string reason{};  // code; with not_ready
    std::string seat{};    // to sit down first, with any kind
    Millis extend{0};      // span
};
std::string_view to_string(AgentRequest::Kind kind);

struct AgentFault {
    std::string rule{};  // <denied rule='…'/>
    AgentRefusal refusal = AgentRefusal::undefined;
    std::string text{};  // a person can read it; Asterisk's words where they are Asterisk's
};
struct AgentAnswer {
    std::uint64_t token = 0;
    std::optional<AgentFault> fault{};  // none: in force, or promised for the end of the call (`pending`)
};

struct AgentPicture {
    struct Service {
        enum class State : std::uint8_t { out, in, failed };
        std::string name{};
        State state = State::out;
        int penalty = 0;
        std::string text{};  // why it failed; that another program changed it
        bool operator==(const Service&) const = default;
    };
    std::string jid{}, pbx{}, extension{}, seat{};
    AgentState state = AgentState::logged_out;
    Millis since{0}, until{0};  // until: end of the wrap-up, else 0
    std::string reason{};       // of not-ready, or of a pending one
    int number = 0;             // of the reason
    std::string pending{};      // the state asked for that is not in force yet
    std::string by{};           // empty: the operator; a JID; `pbx`: another program or the phone; `system`
    std::string actions{};      // what may be asked now
    std::vector<Service> services{};
    bool operator==(const AgentPicture&) const = default;
};
std::string_view to_string(AgentPicture::Service::State state);

// One row of cti_agent_event: a state began.
struct AgentEvent {
    std::string jid{}, pbx{}, extension{}, seat{}, state{}, reason{}, by{};
    Millis at{0};
};

// What became of a ping: an answer (also "unknown request"), the server says that nobody is there, or
// nothing.
enum class PingResult : std::uint8_t { here, gone, silent };

}  // namespace bridge
