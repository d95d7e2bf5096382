#include "bridge/agent_words.hpp"

#include <utility>

namespace bridge {

std::string_view to_string(AgentState state) {
    static constexpr std::array<std::string_view, 7> words{"logged-out", "ready", "not-ready", "ringing",
                                                           "talking",    "held",  "wrap-up"};
    return words.at(std::to_underlying(state));
}

std::string_view to_string(AgentBase base) {
    static constexpr std::array<std::string_view, 3> words{"logged-out", "ready", "not-ready"};
    return words.at(std::to_underlying(base));
}

AgentReason system_reason(SystemReason reason) {
    static const std::array<AgentReason, 7> reasons{{
        {"client-gone", "The operator's messenger went offline", 901},
        {"client-silent", "The operator's messenger does not answer", 902},
        {"bridge-stopped", "The bridge was stopped", 903},
        {"static-member", "Signed out, but a fixed member of a queue", 904},
        {"away", "The operator's presence says so", 905},
        {"seat-taken", "Somebody else sat down there", 906},
        {"wrap-up", "Work after a call", 907},
    }};
    return reasons.at(std::to_underlying(reason));
}

std::string_view to_string(AgentRefusal refusal) {
    static constexpr std::array<std::string_view, 9> words{
        "bad-request",        "conflict",    "forbidden",           "item-not-found",
        "not-acceptable",     "not-allowed", "service-unavailable", "remote-server-timeout",
        "undefined-condition"};
    return words.at(std::to_underlying(refusal));
}

AgentRefusal refusal_of(std::string_view asterisk_message) {
    struct Row {
        std::string_view part;
        AgentRefusal refusal;
    };
    // Texts of 16 to 22; they have no codes.
    static constexpr Row rows[] = {
        {"No such queue", AgentRefusal::item_not_found},
        {"Member not dynamic", AgentRefusal::not_allowed},
        {"Permission denied", AgentRefusal::forbidden},
        {"Interface not found", AgentRefusal::item_not_found},
        {"Not there", AgentRefusal::item_not_found},
        {"Already there", AgentRefusal::conflict},
        {"Asterisk is shutting down", AgentRefusal::service_unavailable},
    };
    for (const auto& row : rows)
        if (asterisk_message.contains(row.part)) return row.refusal;
    return AgentRefusal::undefined;
}

std::string_view to_string(AgentRequest::Kind kind) {
    static constexpr std::array<std::string_view, 6> words{"login",      "ready",  "not-ready",
                                                           "logged-out", "extend", "seat"};
    return words.at(std::to_underlying(kind));
}

std::string_view to_string(AgentPicture::Service::State state) {
    static constexpr std::array<std::string_view, 3> words{"out", "in", "failed"};
    return words.at(std::to_underlying(state));
}

}  // namespace bridge
