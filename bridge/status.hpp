// `ctibridge status`: what the running daemon is doing, at a glance and as JSON.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bridge/dial_switch.hpp"
#include "bridge/explain.hpp"
#include "crm/call_log.hpp"
#include "crm/callers.hpp"

namespace bridge {

// The agents of one pbx.
struct AgentsView {
    std::string pbx;
    std::map<std::string, std::size_t> states;  // how many are in each; nobody: left out
    std::size_t failed = 0;                     // signed in, but not in every queue of theirs
    std::size_t in_flight = 0;                  // actions Asterisk has not answered yet
};
AgentsView agents_view(std::string_view pbx, const std::vector<AgentPicture>& pictures,
                       std::size_t in_flight);

struct StatusView {
    std::string version;
    int pid = 0;
    Millis now{0}, started{0};
    std::vector<LinkView> links;
    std::vector<std::pair<std::string, std::size_t>> calls;  // going on, by pbx
    std::vector<AgentsView> agents;
    std::size_t operators = 0, active = 0, without_pbx = 0, consoles = 0;
    crm::OutboxStatus outbox;
    std::size_t rings_told = 0;  // whose end is owed
    crm::CallersStatus index;
    std::size_t answers_kept = 0;  // of callers looked up
    std::size_t reasons = 0, reasons_most = 0, reason_bytes = 0, reason_bytes_most = 0;
    Millis reasons_since{0};
    std::map<std::string, DialSwitch::Off, std::less<>> dialing_off;  // by pbx; the empty name is all
};

bool all_up(const StatusView& status);  // every link; nothing set aside or refused is no matter of links
std::string status_text(const StatusView& status);
std::string status_json(const StatusView& status);

std::string dialing_lines(const StatusView& status);  // whether anything is dialled
std::string span_text(Millis span);                   // "3 h 12 min", "45 s"

}  // namespace bridge
