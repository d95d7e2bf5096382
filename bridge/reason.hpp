// Why something was decided: an enum and its data. Kept in a bounded ring for `explain`, printed by `replay
// --explain`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace bridge {

enum class Why : std::uint8_t {
    ring_recognised,
    ring_not_operator_leg,
    ring_local_channel,
    ring_never_rang,
    operator_found,
    operator_unknown_extension,
    operator_inactive,
    ended_with_cause,
    answered_elsewhere,
    answered_not_by_person,
    shared_extension,
    merged,
    call_started,
    call_answered,
    call_ended,
    call_without_operator,
    withheld,
    service_found,
    originate_refused,
    originate_failed,
    voicemail_took_originate,
    late_event_ignored,
    lost_in_gap,
    match_chosen,
    no_match,
    notice_sent,
    notice_withdrawn,
    link_down,
    refused_request,
};

struct Reason {
    std::chrono::milliseconds at{0};
    Why why = Why::ring_recognised;
    std::string call, leg, jid;  // what it is about; empty where it does not apply
    std::string data;            // the fact that decided it: event, header, value
};

std::string_view to_string(Why why);         // the enum's name
std::string sentence(const Reason& reason);  // that a help desk can read aloud

}  // namespace bridge
