#include "bridge/reason.hpp"

#include <array>

#include <fmt/format.h>

namespace bridge {

namespace {

struct Text {
    Why why;
    std::string_view name;
    std::string_view sentence;  // {call} {leg} {jid} {data}
};

constexpr std::array texts{
    Text{Why::ring_recognised, "ring_recognised", "{jid} is shown the call {call} on channel {leg}: {data}."},
    Text{Why::ring_not_operator_leg, "ring_not_operator_leg",
         "No pop for channel {leg}: {data} is not the phone of an operator."},
    Text{Why::ring_local_channel, "ring_local_channel",
         "No pop for channel {leg}: {data} is a Local channel inside the exchange."},
    Text{Why::ring_never_rang, "ring_never_rang", "No pop for {jid}: the phone never rang ({data})."},
    Text{Why::operator_found, "operator_found", "Channel {leg} belongs to {jid}: {data}."},
    Text{Why::operator_unknown_extension, "operator_unknown_extension",
         "No pop for channel {leg}: nobody is known at {data}."},
    Text{Why::operator_inactive, "operator_inactive",
         "No pop for channel {leg}: the operator at {data} is not active or has no JID."},
    Text{Why::ended_with_cause, "ended_with_cause", "Channel {leg} of {jid} ended: {data}."},
    Text{Why::answered_elsewhere, "answered_elsewhere",
         "The pop of {jid} is withdrawn, the call {call} was answered elsewhere: {data}."},
    Text{Why::answered_not_by_person, "answered_not_by_person",
         "The call {call} was answered by {data}, which is no operator's phone."},
    Text{Why::shared_extension, "shared_extension",
         "It is not known who of the operators answered: several share {data}."},
    Text{Why::merged, "merged", "Calls became one: {data}."},
    Text{Why::call_started, "call_started", "The call {call} began: {data}."},
    Text{Why::call_answered, "call_answered", "The call {call} was answered {jid}: {data}."},
    Text{Why::call_ended, "call_ended", "The call {call} ended: {data}."},
    Text{Why::call_without_operator, "call_without_operator",
         "The call {call} stays out of the CRM: {data}."},
    Text{Why::withheld, "withheld", "The caller of {call} is not looked up: {data}."},
    Text{Why::service_found, "service_found", "The call {call} belongs to the service {data}."},
    Text{Why::originate_refused, "originate_refused", "The click-to-dial of {jid} was refused: {data}."},
    Text{Why::originate_failed, "originate_failed", "The click-to-dial {leg} failed: {data}."},
    Text{Why::voicemail_took_originate, "voicemail_took_originate",
         "The click-to-dial {call} is hung up, a voicemail took it in the operator's place: {data}."},
    Text{Why::late_event_ignored, "late_event_ignored", "Ignored for channel {leg}: {data}."},
    Text{Why::lost_in_gap, "lost_in_gap", "Channel {leg} of {call} ended unseen: {data}."},
    Text{Why::match_chosen, "match_chosen", "The party of {call} is {data}."},
    Text{Why::no_match, "no_match", "Nobody is shown for the party of {call}: {data}."},
    Text{Why::notice_sent, "notice_sent", "{jid} is told about {call}: {data}."},
    Text{Why::notice_withdrawn, "notice_withdrawn", "{jid} is told about {call}: {data}."},
    Text{Why::link_down, "link_down", "The link to the exchange is down: {data}."},
    Text{Why::refused_request, "refused_request", "The request of {jid} was refused: {data}."},
};

const Text* text_of(Why why) {
    for (const Text& text : texts)
        if (text.why == why) return &text;
    return nullptr;
}

}  // namespace

std::string_view to_string(Why why) {
    const Text* text = text_of(why);
    return text != nullptr ? text->name : std::string_view("unknown");
}

std::string sentence(const Reason& reason) {
    const Text* text = text_of(reason.why);
    if (text == nullptr) return reason.data;
    return fmt::format(fmt::runtime(text->sentence), fmt::arg("call", reason.call),
                       fmt::arg("leg", reason.leg), fmt::arg("jid", reason.jid),
                       fmt::arg("data", reason.data));
}

}  // namespace bridge
