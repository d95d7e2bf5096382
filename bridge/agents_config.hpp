// How the agents of a pbx are led: the section `agents` of the configuration, and what its pbx says of
// queues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bridge/agent_words.hpp"

namespace bridge {

// What becomes of those who are signed in when the daemon stops.
enum class AtStop : std::uint8_t { not_ready, keep };

struct AgentsConfig {
    std::string pbx = "hq";
    std::vector<std::string> channels{"PJSIP/{extension}", "SIP/{extension}"};
    std::string member = "{channel}", state_interface = "{channel}";  // templates of QueueAdd
    std::vector<AgentReason> reasons{};  // an operator may give; empty: any text of at most 40 characters
    Millis grace{10000};                 // span: from the last client's end to not-ready
    Millis logout{600000};               // span: from then to logged-out
    Millis ping{10000};               // span: how often a client of somebody signed in is asked, and may take
    unsigned pings = 2;               // unanswered ones that make a client silent
    Millis proof{2000};               // span: from Asterisk's "Success" to its event; then the queue is asked
    Millis longest_wrap_up{1800000};  // span: extended that far at most
    unsigned window = 32;             // actions in flight: a session of Asterisk is one thread
    AtStop at_stop = AtStop::not_ready;
    bool away = false;  // presence away, dnd, xa of all clients is not-ready
};

}  // namespace bridge
