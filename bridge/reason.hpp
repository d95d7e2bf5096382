// Why something was decided: an enum and its data. Kept in a bounded ring for `explain` (reason_log.hpp),
// printed by `replay --explain`. One table (reason.cpp) has a sentence for each, which a help desk can read
// aloud, and what to do about it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace bridge {

enum class Why : std::uint8_t {
    // the call
    call_started,
    dial_asked,
    caller_known,
    withheld,
    dialed_known,
    call_answered,
    answered_not_by_person,
    shared_extension,
    merged,
    voicemail_took_originate,
    originate_refused,
    originate_failed,
    lost_in_gap,
    late_event_ignored,
    service_found,
    call_without_operator,
    call_ended,
    // whose phone
    operator_found,
    operator_unknown_extension,
    own_call_of_nobody,
    operator_inactive,
    operator_without_jid,
    operator_elsewhere,
    operator_without_pbx,
    channel_of_no_phone,
    channel_of_no_extension,
    ring_local_channel,
    far_end_rang,
    // the ring
    ring_recognised,
    own_call_began,
    ring_never_rang,
    ended_with_cause,
    answered_elsewhere,
    notice_made,
    // who calls
    match_chosen,
    match_ambiguous,
    match_guess,
    match_hidden,
    no_match,
    index_not_loaded,
    party_internal,
    party_withheld,
    party_no_number,
    asked_database_down,
    asked_too_late,
    asked_too_busy,
    asked_failed,
    // what was sent
    pop_to_console,
    pop_to_spark,
    pop_to_everybody,
    pop_to_doubtful,
    pop_by_mode,
    update_sent,
    pop_withdrawn,
    not_sent,
    not_told_xmpp_down,
    end_owed,
    end_of_unseen,
    pop_confirmed,
    pop_unconfirmed,
    end_confirmed,
    // requests and links
    refused_request,
    link_up,
    link_down,
    // agents
    agent_asked,
    agent_refused,
    agent_changed,
    agent_by_others,
    agent_put_right,
    agent_taken_out,
    // what operators do with their calls
    action_done,
    action_refused,
    // the HTTP port
    caller_asked,
    // the name on the phones
    caller_named,
    caller_not_named,
};
constexpr std::size_t why_count = static_cast<std::size_t>(Why::caller_not_named) + 1;

// Names of the data.
enum class Fact : std::uint8_t {
    text,  // what decided, in words: the event, the header, an error of somebody else
    channel,
    device,     // the channel without its serial number
    extension,  // of the phone
    pattern,    // of `channels`
    pbx,
    other,  // another operator
    name,
    number,  // the other side's
    dialed,
    cause,
    disposition,
    state,
    queue,
    seconds,
    after_ms,  // since the event it belongs to
    from,      // ids of a merge
    into,
    label,
    organization,
    module,
    record,
    quality,
    owner,
    count,
    to,    // address of a stanza
    mode,  // pop.mode
    rule,
    link,
};
constexpr std::size_t fact_count = static_cast<std::size_t>(Fact::link) + 1;

struct Datum {
    Fact fact;
    std::string value;  // foreign text as it came
    bool operator==(const Datum&) const = default;
};
using Data = std::vector<Datum>;

struct Reason {
    std::chrono::milliseconds at{0};
    Why why = Why::call_started;
    std::string call, leg, jid;  // what it is about; empty where it does not apply
    Data data;

    [[nodiscard]] std::string_view value(Fact fact) const;  // empty when absent
};

enum class Weight : std::uint8_t {
    detail,   // for `--all`
    story,    // what happened
    blocker,  // why somebody was not told
};

std::string_view to_string(Why why);
std::string_view to_string(Fact fact);
Weight weight(Why why);
std::string sentence(const Reason& reason);  // one line, control characters shown as \xHH
std::string advice(const Reason& reason);    // what to do; empty where nothing is wrong

// "PJSIP/201-0000002a" -> "PJSIP/201"
std::string_view device_of(std::string_view channel);

// For tests: the sentence and advice as they stand in the table, {names} and [optional parts].
std::string_view sentence_pattern(Why why);
std::string_view advice_pattern(Why why);

}  // namespace bridge
