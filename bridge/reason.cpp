#include "bridge/reason.hpp"

#include <algorithm>
#include <array>

#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr std::size_t longest_value = 200;

// {name} is a fact, or the reason's call, leg or jid; a part in [ ] is left out when a name in it is empty.
struct Row {
    Why why;
    std::string_view name;
    Weight weight;
    std::string_view sentence;
    std::string_view advice;
};

constexpr auto detail = Weight::detail, story = Weight::story, blocker = Weight::blocker;

constexpr std::array<Row, why_count> rows{{
    // ---- the call
    {Why::call_started, "call_started", detail, "The call {call} began on channel {device}.", ""},
    {Why::dial_asked, "dial_asked", story, "{jid} asked to call {number} from phone {extension}.", ""},
    {Why::caller_known, "caller_known", story,
     "A call came from {number}[ ({name})][, the number dialled is {dialed}].", ""},
    {Why::withheld, "withheld", story,
     "A call came from somebody who does not show a number: {text}[; the number dialled is {dialed}]. "
     "Nobody is looked up.",
     ""},
    {Why::dialed_known, "dialed_known", story, "The number called[ from phone {extension}] is {dialed}.", ""},
    {Why::call_answered, "call_answered", story, "The call was answered[ by {jid}]: {text}.", ""},
    {Why::answered_not_by_person, "answered_not_by_person", story,
     "It was answered on {device}, which is no operator's phone.", ""},
    {Why::shared_extension, "shared_extension", story,
     "Who answered is not known: several operators share phone {extension}.",
     "Give each operator an extension of their own."},
    {Why::merged, "merged", story, "Two calls became one: {from} is part of {into} from here on.", ""},
    {Why::voicemail_took_originate, "voicemail_took_originate", story,
     "The requested call was hung up: a voicemail took it in the place of[ {jid},] the operator ({text}).",
     ""},
    {Why::originate_refused, "originate_refused", story,
     "The exchange refused the requested call[ of {jid}]: {text}.",
     "Look at `dial.context` of the pbx, and at the rights of the AMI user with `ctibridge check`."},
    {Why::originate_failed, "originate_failed", story, "The requested call failed: {text}.",
     "Is the phone registered? `ctibridge check` compares phones and channel patterns."},
    {Why::lost_in_gap, "lost_in_gap", story, "Channel {device} is gone, and its end was not seen: {text}.",
     ""},
    {Why::late_event_ignored, "late_event_ignored", detail, "An event was ignored: {text}.", ""},
    {Why::service_found, "service_found", story, "The call belongs to the service {text}.", ""},
    {Why::call_without_operator, "call_without_operator", story,
     "No operator's phone took part, so nobody was told.", ""},
    {Why::call_ended, "call_ended", story, "The call ended: {disposition}, after {seconds} s.", ""},
    // ---- whose phone
    {Why::operator_found, "operator_found", detail,
     "Channel {channel} is phone {extension} (pattern {pattern}) and belongs to {jid}: {text}.", ""},
    {Why::operator_unknown_extension, "operator_unknown_extension", blocker,
     "Phone {extension} ({device}) was called, and nobody is entered for extension {extension}.",
     "Enter an operator with extension {extension}: in the CRM's user (vTiger: CRM Phone Extension), or in "
     "the "
     "table cti_operator."},
    {Why::own_call_of_nobody, "own_call_of_nobody", blocker,
     "Phone {extension} ({device}) made a call, and nobody is entered for extension {extension}.",
     "Enter an operator with extension {extension}: in the CRM's user (vTiger: CRM Phone Extension), or in "
     "the "
     "table cti_operator."},
    {Why::operator_inactive, "operator_inactive", blocker,
     "Phone {extension} ({device}) was called; it belongs to {jid}, who is not active, so no pop.",
     "Set the user active in the CRM, or give extension {extension} to somebody else."},
    {Why::operator_without_jid, "operator_without_jid", blocker,
     "Phone {extension} ({device}) was called; it belongs to[ {name},] somebody without an XMPP address, so "
     "no pop.",
     "Enter the address in the table cti_operator, or see `crm.jid`."},
    {Why::operator_elsewhere, "operator_elsewhere", blocker,
     "Phone {extension} ({device}) was called; at this exchange nobody is entered for extension {extension}, "
     "and {other} "
     "has it at the exchange `{pbx}`.",
     "If {other} sits here, correct the exchange: the user's extension `PBX/{extension}`, or the table "
     "cti_operator."},
    {Why::operator_without_pbx, "operator_without_pbx", blocker,
     "Phone {extension} ({device}) was called; {other} has extension {extension}, but there are several "
     "exchanges and "
     "none is named for {other}.",
     "Write the exchange before the extension, like {pbx}/{extension}, or name it in the table "
     "cti_operator."},
    {Why::channel_of_no_phone, "channel_of_no_phone", blocker,
     "{device} rang, which is no phone here: no pattern of `channels` fits it.",
     "If it is an operator's phone, add its pattern to `channels` of the pbx, like "
     "\"DRIVER/{{extension}}\"."},
    {Why::channel_of_no_extension, "channel_of_no_extension", blocker,
     "{device} rang; it fits the pattern {pattern}, but {extension} is no operator's extension and not in "
     "`extensions`.",
     "If it is an operator's phone, enter {extension} as their extension."},
    {Why::ring_local_channel, "ring_local_channel", detail,
     "{channel} is a Local channel inside the exchange, nobody's phone.", ""},
    {Why::far_end_rang, "far_end_rang", detail, "The far end rang on {device}.", ""},
    // ---- the ring
    {Why::ring_recognised, "ring_recognised", story,
     "Phone {extension} ({device}) rang[ for the queue {queue}]; it belongs to {jid}.", ""},
    {Why::own_call_began, "own_call_began", story, "Phone {extension} ({device}) of {jid} makes a call.", ""},
    {Why::ring_never_rang, "ring_never_rang", blocker,
     "Phone {extension} of {jid} was called and never rang: {cause}, {text}.",
     "Is the phone registered, switched on, and free? Is it forwarded or set to do not disturb?"},
    {Why::ended_with_cause, "ended_with_cause", story, "Phone {extension} of {jid}: {cause} ({text}).", ""},
    {Why::answered_elsewhere, "answered_elsewhere", story,
     "Somebody else took the call, so the pop of {jid} is taken back.", ""},
    {Why::notice_made, "notice_made", detail, "{jid} is to be told: {state}[, {cause}].", ""},
    // ---- who calls
    {Why::match_chosen, "match_chosen", story,
     "{number} is {label}[ of {organization}] ({module} {record}, {quality}), {text}.", ""},
    {Why::match_ambiguous, "match_ambiguous", story,
     "{number} is in {count} records; all are shown and none is picked: {label} ({text}).",
     "If only one of them is right, correct the others in the CRM."},
    {Why::match_guess, "match_guess", story,
     "{number} only resembles a number of {label} ({module} {record}): it is shown as a guess, {text}.",
     "Enter {number} in the right record, in full with country and area code."},
    {Why::match_hidden, "match_hidden", story,
     "{number} is in the CRM, but {jid} may not see the record, which is {owner}'s: the pop only says that "
     "the "
     "caller is known ({text}).",
     "If {jid} should see it: the CRM's sharing rules decide (`visibility: crm`); `ctibridge lookup --as` "
     "tries "
     "it."},
    {Why::no_match, "no_match", story, "No record of the CRM has the number {number}, {text}.",
     "If the caller is in the CRM, look how the number is written there; `ctibridge lookup {number}` tries "
     "it."},
    {Why::index_not_loaded, "index_not_loaded", story,
     "{number} could not be looked up: the numbers of the CRM have not been read yet.",
     "`ctibridge status` shows the link to the CRM; `ctibridge check` says what is wrong with it."},
    {Why::party_internal, "party_internal", story,
     "The other side is extension {number}[, {name}]: colleagues are not looked up in the CRM.", ""},
    {Why::party_withheld, "party_withheld", story, "The other side shows no number, so nobody was looked up.",
     ""},
    {Why::party_no_number, "party_no_number", story, "\"{number}\" was not looked up: {text}.", ""},
    {Why::asked_database_down, "asked_database_down", story,
     "The CRM's database was down: our own index alone answered who calls.",
     "`ctibridge check` says what is wrong with the database."},
    {Why::asked_too_late, "asked_too_late", story,
     "The CRM's database did not answer within the budget of {after_ms} ms: our own index alone answered who "
     "calls.",
     "If it happens often: is the database loaded, is the index for `find_exact` there? See `ctibridge "
     "check`."},
    {Why::asked_too_busy, "asked_too_busy", story,
     "Too many questions waited for the CRM's database: our own index alone answered who calls.",
     "Look at the load of the database."},
    {Why::asked_failed, "asked_failed", story,
     "The CRM's database could not be asked: our own index alone answered who calls ({text}).",
     "`ctibridge check` says what is wrong with the database."},
    // ---- what was sent
    {Why::pop_to_console, "pop_to_console", story,
     "The pop ({state}) was sent to the console of {jid}, {to}[, {after_ms} ms after the event].", ""},
    {Why::pop_to_spark, "pop_to_spark", story,
     "The pop ({state}) was sent to the Spark of {jid}, {to}[, {after_ms} ms after the event].", ""},
    {Why::pop_to_everybody, "pop_to_everybody", story,
     "No console and no Spark of {jid} is known, so the pop ({state}) was sent to the address {to}[, "
     "{after_ms} ms "
     "after the event]: every client signed in there gets it, and nobody if none is.",
     "Let {jid} sign in; a console is known once it has asked this component."},
    {Why::pop_to_doubtful, "pop_to_doubtful", story,
     "The clients of {jid} were known from before the XMPP link was lost and had not answered yet, so the "
     "pop "
     "({state}) was sent to the address {to} too[, {after_ms} ms after the event].",
     ""},
    {Why::pop_by_mode, "pop_by_mode", story,
     "The pop ({state}) was sent to the address {to}, as `pop.mode: {mode}` asks[, {after_ms} ms after the "
     "event].",
     ""},
    {Why::update_sent, "update_sent", detail, "{jid} was told at {to}: {state}.", ""},
    {Why::pop_withdrawn, "pop_withdrawn", story, "The pop of {jid} was taken back at {to}: {cause}.", ""},
    {Why::not_sent, "not_sent", blocker, "{jid} was not told ({state}): {text}.",
     "`ctibridge status` shows the XMPP link; the log says why it is down or slow."},
    {Why::not_told_xmpp_down, "not_told_xmpp_down", blocker,
     "The XMPP server could not be reached, so {jid} was not told ({state}). It is told when the link is "
     "back and "
     "the call still goes on.",
     "`ctibridge status` shows since when; `ctibridge check` says what is wrong with the link."},
    {Why::end_owed, "end_owed", story,
     "The XMPP server could not be reached: that the call of {jid} ended will be told when it is back.", ""},
    {Why::end_of_unseen, "end_of_unseen", detail,
     "{jid} had been shown nothing of this ring, so its end is not told either.", ""},
    {Why::pop_confirmed, "pop_confirmed", story,
     "The XMPP server has confirmed that it got the pop of {jid}.", ""},
    {Why::pop_unconfirmed, "pop_unconfirmed", story,
     "The XMPP link was lost before the server confirmed the pop of {jid}: it may not have arrived.", ""},
    {Why::end_confirmed, "end_confirmed", detail,
     "The XMPP server has confirmed that it got the end of the ring of {jid}.", ""},
    // ---- requests and links
    {Why::refused_request, "refused_request", blocker,
     "The request of {jid} to call {number} was refused by the rule `{rule}`: {text}.",
     "See `dialing` in the configuration, and who {jid} is with `ctibridge explain {jid}`."},
    {Why::link_up, "link_up", story, "The link {link} came up.", ""},
    {Why::link_down, "link_down", story, "The link {link} went down[: {text}].", ""},
    // ---- agents
    {Why::agent_asked, "agent_asked", story, "{jid} is to be {text}.", ""},
    {Why::agent_refused, "agent_refused", blocker, "The agent state of {jid} was refused: {text}.",
     "`ctibridge check` compares the rights of the AMI user; queues are named as in queues.conf."},
    {Why::agent_changed, "agent_changed", story, "{jid} is {text}.", ""},
    {Why::agent_by_others, "agent_by_others", story, "Not by this bridge, for {jid}: {text}.", ""},
    {Why::agent_put_right, "agent_put_right", story, "After a gap, for {jid}: {text}.", ""},
    {Why::agent_taken_out, "agent_taken_out", story, "{jid} is kept from calls: {text}.", ""},
    // ---- what operators do with their calls
    {Why::action_done, "action_done", story, "{jid} did this with the call: {text}[ to {number}].", ""},
    {Why::action_refused, "action_refused", blocker,
     "What {jid} asked for was not done with the call, by the rule `{rule}`: {text}.",
     "Rule `right`: see the rights of the AMI user with `ctibridge check`; `timeout`: does the phone take "
     "commands by NOTIFY, and has the dialplan's Dial or Queue the option t or T?"},
    // ---- the HTTP port
    {Why::caller_asked, "caller_asked", story, "The dialplan asked who {number} is: {text}.", ""},
    // ---- the name on the phones
    {Why::caller_named, "caller_named", story,
     "The exchange was given the caller's name for the phones, {label}, and the record {record} for the CDR.",
     ""},
    {Why::caller_not_named, "caller_not_named", story, "The phones show no name of ours: {text}.",
     "`queue.names` of the pbx switches it on; a service that names its operators asks only these."},
}};

constexpr bool complete() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].why) != i || rows[i].sentence.empty()) return false;
    return true;
}
static_assert(complete(), "every Why has its row with a sentence, in the order of the enum");

constexpr std::array<std::string_view, fact_count> fact_names{
    "text",   "channel", "device", "extension",    "pattern", "pbx",    "other",   "name",
    "number", "dialed",  "cause",  "disposition",  "state",   "queue",  "seconds", "after_ms",
    "from",   "into",    "label",  "organization", "module",  "record", "quality", "owner",
    "count",  "to",      "mode",   "rule",         "link"};
static_assert(fact_names.back() == "link", "every Fact has a name, in the order of the enum");

const Row& row_of(Why why) {
    return rows[static_cast<std::size_t>(why)];
}

std::string_view named(const Reason& reason, std::string_view name) {
    if (name == "call") return reason.call;
    if (name == "leg") return reason.leg;
    if (name == "jid") return reason.jid;
    const auto found = std::find(fact_names.begin(), fact_names.end(), name);
    return found == fact_names.end() ? std::string_view()
                                     : reason.value(static_cast<Fact>(found - fact_names.begin()));
}

// One part without brackets. False: a name in it has no value.
bool fill(const Reason& reason, std::string_view pattern, std::string& out) {
    bool whole = true;
    while (!pattern.empty()) {
        const auto open = pattern.find('{');
        out += pattern.substr(0, open);
        if (open == std::string_view::npos) break;
        if (pattern.substr(open).starts_with("{{")) {  // {{extension}} stands for {extension}
            const auto close = std::min(pattern.find("}}", open), pattern.size() - 2);
            out += pattern.substr(open + 1, close - open);
            pattern.remove_prefix(close + 2);
            continue;
        }
        const auto close = std::min(pattern.find('}', open), pattern.size() - 1);
        const auto value = named(reason, pattern.substr(open + 1, close - open - 1));
        whole = whole && !value.empty();
        out += printable(value, longest_value);
        pattern.remove_prefix(close + 1);
    }
    return whole;
}

std::string filled(const Reason& reason, std::string_view pattern) {
    std::string out;
    while (!pattern.empty()) {
        const auto open = pattern.find('[');
        fill(reason, pattern.substr(0, open), out);
        if (open == std::string_view::npos) break;
        const auto close = std::min(pattern.find(']', open), pattern.size() - 1);
        std::string part;
        if (fill(reason, pattern.substr(open + 1, close - open - 1), part)) out += part;
        pattern.remove_prefix(close + 1);
    }
    return out;
}

}  // namespace

std::string_view Reason::value(Fact fact) const {
    const auto found =
        std::find_if(data.begin(), data.end(), [&](const Datum& one) { return one.fact == fact; });
    return found == data.end() ? std::string_view() : std::string_view(found->value);
}

std::string_view to_string(Why why) {
    return row_of(why).name;
}
std::string_view to_string(Fact fact) {
    return fact_names[static_cast<std::size_t>(fact)];
}
Weight weight(Why why) {
    return row_of(why).weight;
}
std::string sentence(const Reason& reason) {
    return filled(reason, row_of(reason.why).sentence);
}
std::string advice(const Reason& reason) {
    return filled(reason, row_of(reason.why).advice);
}
std::string_view sentence_pattern(Why why) {
    return row_of(why).sentence;
}
std::string_view advice_pattern(Why why) {
    return row_of(why).advice;
}

std::string_view device_of(std::string_view channel) {
    const auto hyphen = channel.rfind('-');
    const auto slash = channel.find('/');
    if (hyphen == std::string_view::npos || slash == std::string_view::npos || hyphen < slash) return channel;
    return channel.substr(0, hyphen);
}

}  // namespace bridge
