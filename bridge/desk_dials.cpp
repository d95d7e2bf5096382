// Click-to-dial: before its first channel, without any, and its answer by a voicemail.
#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {
constexpr Millis dial_most{120000};  // span: a dial that never made a channel nor an answer is over
constexpr Millis voicemail_grace{
    100};  // span: the events of the phone and the OriginateResponse come in no fixed order
}  // namespace

Outcome Desk::Impl::dial(const Dialing& dialing, Millis at) {
    now = at;
    out = {};
    Call& call = model.make_call(dialing.channel_id, at);
    Talk& talk = talks[call.linkedid];
    talk.own = talk.click_to_dial = talk.touched = true;
    talk.own_extension = dialing.extension;
    talk.dialing = dialing;
    talk.give_up = at + dial_most;
    crm::CallRow& row = talk.row;
    row.id = config.pbx + ":" + dialing.channel_id;
    row.pbx = config.pbx;
    row.linkedid = dialing.channel_id;
    row.caller_number = dialing.extension;
    row.request = dialing.request;
    row.module = dialing.module;
    row.record = dialing.record;
    row.label = dialing.label;
    row.service = dialing.service;
    row.started = at;
    if (const crm::Operator* person = by_jid.contains(dialing.jid) ? &people[by_jid[dialing.jid]] : nullptr) {
        row.caller_name = person->name;
        row.crm_owner = person->crm_user;
    }
    learn_number(talk, call);
    waiting.insert(call.linkedid);
    reason(Why::dial_asked, &talk, dialing.channel_id, dialing.jid,
           Data{{Fact::number, dialing.number}, {Fact::extension, dialing.extension}});
    write(talk);
    return std::move(out);
}

Outcome Desk::Impl::dial_failed(std::string_view channel_id, std::string_view text, Millis at) {
    now = at;
    out = {};
    Call* call = model.find_call(channel_id);
    const auto found = call == nullptr ? talks.end() : talks.find(call->linkedid);
    if (found == talks.end() || !call->legs.empty()) return std::move(out);  // it lives: events tell its end
    Talk& talk = found->second;
    reason(Why::originate_refused, &talk, channel_id, talk.dialing ? talk.dialing->jid : std::string(),
           std::string(text));
    talk.refused = true;
    close(talk, *call);
    return std::move(out);
}

// The operator was told about it, and there never was a channel.
void Desk::Impl::end_dial(const Talk& talk) {
    const crm::CallRow& row = talk.row;
    Notice notice;
    notice.to = talk.dialing->jid;
    notice.pbx = config.pbx;
    notice.leg = talk.dialing->channel_id;
    notice.id = row.id;
    notice.state = RingState::ended;
    notice.direction = row.direction;
    notice.cause = row.disposition == crm::Disposition::no_answer ? Cause::no_answer
                   : row.disposition == crm::Disposition::busy    ? Cause::busy
                   : row.disposition == crm::Disposition::lost    ? Cause::lost
                                                                  : Cause::failed;
    notice.extension = talk.own_extension;
    notice.at = now;
    notice.started = row.started;
    notice.party_number = notice.dialed = row.dialed_number;
    notice.service = row.service;
    notice.request = row.request;
    notice.seq = ++seq[notice.to];
    out.notices.push_back(std::move(notice));
}

void Desk::Impl::on_originate_done(const Change& change, Talk* talk) {
    learn_number(*talk, *change.call);
    if (!change.call->originate_failure) party_changed(*talk);
    if (change.call->originate_failure) {
        reason(Why::originate_failed, talk, change.text, {},
               fmt::format("OriginateResponse reason {}", *change.call->originate_failure));
        if (change.call->legs.empty()) talk->give_up = now;
    } else if (talk->click_to_dial && change.call->origin != nullptr && change.call->origin->local) {
        talk->voicemail_check = now + voicemail_grace;
    }
}

void Desk::Impl::on_originate_without_channel(const Change& change, Talk*) {
    if (!change.text.starts_with("ctd-")) return;  // nobody's business here
    Call& call = model.make_call(change.text, now);
    call.asked_exten = change.exten;
    Talk& talk = talk_of(call);
    talk.own = talk.click_to_dial = true;
    talk.own_extension = extensions.candidate(change.device);
    talk.row.caller_number = talk.own_extension;
    learn_number(talk, call);
    reason(Why::originate_failed, &talk, change.text, {}, fmt::format("no channel for {}", change.device));
    talk.give_up = now;
    touched.push_back(call.linkedid);
}

// A click-to-dial by a Local channel may have been answered by the operator's voicemail: nobody would be
// there.
void Desk::Impl::check_voicemail(Talk& talk, Call& call) {
    bool ringing = false;
    for (const Leg* leg : call.legs) {
        if (leg->local || !behind_originate(*leg).value_or(true)) continue;
        if (leg->up) {
            talk.voicemail_check.reset();
            return;
        }
        ringing = ringing || leg->alive();
    }
    if (ringing && now < *talk.voicemail_check) return;
    talk.voicemail_check.reset();
    talk.voicemail = true;
    reason(Why::voicemail_took_originate, &talk, call.linkedid,
           talk.dialing ? talk.dialing->jid : std::string(),
           "OriginateResponse Success, and no phone of the operator is up");
    if (call.origin != nullptr && call.origin->alive()) out.hangups.push_back(call.origin->uniqueid);
}

}  // namespace bridge
