// What each change of the call model means for operators and for the log: one table row, one function per
// kind.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {
constexpr Millis voicemail_grace{
    100};  // span: the events of the phone and the OriginateResponse come in no fixed order
}

struct Desk::Impl::Row {
    Change::Kind kind;
    Handler handler;
};

const Desk::Impl::Row Desk::Impl::table[] = {
    {Change::Kind::leg_new, &Impl::on_leg_new},
    {Change::Kind::leg_state, &Impl::on_leg_state},
    {Change::Kind::leg_dialed, &Impl::on_leg_dialed},
    {Change::Kind::leg_ended, &Impl::on_leg_ended},
    {Change::Kind::caller_known, &Impl::on_caller_known},
    {Change::Kind::held, &Impl::on_held},
    {Change::Kind::unheld, &Impl::on_unheld},
    {Change::Kind::dial_answered, &Impl::on_dial_answered},
    {Change::Kind::in_bridge, &Impl::on_in_bridge},
    {Change::Kind::merged, &Impl::on_merged},
    {Change::Kind::evidence, &Impl::on_evidence},
    {Change::Kind::originate_done, &Impl::on_originate_done},
    {Change::Kind::originate_without_channel, &Impl::on_originate_without_channel},
    {Change::Kind::list_complete, &Impl::on_list_complete},
    {Change::Kind::late_event, &Impl::on_late_event},
};

void Desk::Impl::process(std::vector<Change>& changes) {
    touched.clear();
    for (const Change& change : changes) {
        // a merge within this message may have moved the leg
        Call* call = change.leg != nullptr ? change.leg->call : change.call;
        if (change.kind == Change::Kind::merged) call = model.find_call(change.text);
        // a channel out of a list waits until the list is complete: its caller may be further down
        if (change.leg != nullptr && change.leg->listed && !change.leg->seen_complete &&
            (change.kind == Change::Kind::leg_new || change.kind == Change::Kind::leg_state)) {
            listed.push_back(change.leg->uniqueid);
            continue;
        }
        Talk* talk = call != nullptr ? &talk_of(*call) : nullptr;
        for (const Row& row : table) {
            if (row.kind != change.kind) continue;
            (this->*row.handler)(change, talk);
            break;
        }
        if (call != nullptr && (touched.empty() || touched.back() != call->linkedid))
            touched.push_back(call->linkedid);
    }
    for (std::size_t i = 0; i < touched.size(); ++i) {
        const std::string id = touched[i];
        const auto talk = talks.find(id);
        Call* call = model.find_call(id);
        if (talk != talks.end() && call != nullptr && call->linkedid == id) settle(talk->second, *call);
    }
}

Talk& Desk::Impl::talk_of(Call& call) {
    const auto [found, fresh] = talks.try_emplace(call.linkedid);
    Talk& talk = found->second;
    if (!fresh) return talk;
    crm::CallRow& row = talk.row;
    row.id = config.pbx + ":" + call.linkedid;
    row.pbx = config.pbx;
    row.linkedid = call.linkedid;
    row.started = call.started;
    talk.click_to_dial = talk.own = call.linkedid.starts_with("ctd-");
    classify(talk, call);
    learn_number(talk, call);
    learn_caller(talk, call);
    reason(Why::call_started, &talk, call.origin != nullptr ? call.origin->uniqueid : std::string(), {},
           fmt::format("first channel {}",
                       call.origin != nullptr ? call.origin->channel : std::string("unknown")));
    write(talk);
    return talk;
}

// Who made it: an operator, or somebody outside. The first channel tells, once it is known.
void Desk::Impl::classify(Talk& talk, const Call& call) {
    if (call.origin == nullptr || talk.classified) return;
    talk.classified = true;
    const Leg& origin = *call.origin;
    if (!talk.dialing) {
        talk.own_extension = origin.local ? local_exten(origin) : extensions.of_channel(origin.channel);
        if (origin.local && !extensions.is_phone(talk.own_extension)) talk.own_extension.clear();
    }
    talk.own = talk.click_to_dial || !talk.own_extension.empty();
    if (!talk.own || talk.dialing) return;
    talk.row.caller_number = talk.own_extension;
    for (const std::size_t index : active_at(talk.own_extension)) {
        talk.row.caller_name = people[index].name;
        talk.row.crm_owner = people[index].crm_user;
        break;
    }
}

// The number a call goes to, as far as it is known.
void Desk::Impl::learn_number(Talk& talk, const Call& call) {
    classify(talk, call);
    crm::CallRow& row = talk.row;
    const Leg* origin = call.origin;
    if (!talk.own) {
        row.direction = crm::Direction::inbound;
        if (row.dialed_number.empty() && origin != nullptr && !origin->listed &&
            looks_dialed(origin->first_exten))
            row.dialed_number = origin->first_exten;
        if (row.dialed_number.empty() || (origin != nullptr && origin->listed && !call.did.empty()))
            row.dialed_number = call.did;
        if (row.dialed_number.empty() && origin != nullptr && looks_dialed(origin->first_exten))
            row.dialed_number = origin->first_exten;
        return;
    }
    if (talk.dialing) {
        row.dialed_number = talk.dialing->number;
    } else if (looks_dialed(call.asked_exten)) {
        row.dialed_number = call.asked_exten;
    } else if (row.dialed_number.empty() && origin != nullptr) {
        if (!origin->local && looks_dialed(origin->first_exten))
            row.dialed_number = origin->first_exten;
        else if (looks_dialed(origin->connected_number) && origin->connected_number != talk.own_extension &&
                 origin->state != ChannelState::up)
            row.dialed_number = origin->connected_number;
    }
    const bool internal =
        row.dialed_number.empty() ? !talk.click_to_dial : extensions.is_internal(row.dialed_number);
    row.direction = internal && !talk.outside ? crm::Direction::internal : crm::Direction::outbound;
}

// Who calls, and whether it may be known.
void Desk::Impl::learn_caller(Talk& talk, const Call& call) {
    if (talk.own || call.origin == nullptr) return;
    const Leg& origin = *call.origin;
    crm::CallRow& row = talk.row;
    static constexpr std::string_view nobody[] = {"anonymous", "unknown", "unavailable", "restricted",
                                                  "withheld",  "private", "blocked"};
    std::string lower = origin.first_number;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool named_so = std::find(std::begin(nobody), std::end(nobody), lower) != std::end(nobody);
    const bool withheld = call.withheld || named_so || lower.empty();
    if (withheld && !talk.withheld && (call.withheld || named_so))
        reason(Why::withheld, &talk, origin.uniqueid, {},
               call.withheld ? "the presentation is prohibited" : "the number is '" + lower + "'");
    talk.withheld = withheld;
    if (call.withheld) {
        row.caller_number = "anonymous";
        row.caller_name.clear();
    } else {
        row.caller_number = origin.first_number;
        row.caller_name = origin.name == origin.number
                              ? std::string()
                              : origin.name;  // FreePBX names a nameless caller by number
    }
    if (!withheld && !talk.looked_up) {
        talk.looked_up = true;
        out.lookups.push_back(row.caller_number);
    }
}

void Desk::Impl::on_leg_new(const Change& change, Talk* talk) {
    Leg& leg = *change.leg;
    if (talk->dialing) talk->give_up.reset();
    learn_number(*talk, *leg.call);
    learn_caller(*talk, *leg.call);
    watch(*talk, leg);
}

void Desk::Impl::on_leg_state(const Change& change, Talk* talk) {
    watch(*talk, *change.leg);
    follow(*talk, *change.leg);
}

void Desk::Impl::on_leg_dialed(const Change& change, Talk* talk) {
    Leg& leg = *change.leg;
    // a call to a short number that leaves through a trunk was no internal one
    const std::string_view device = extensions.candidate(leg.channel);
    const bool phone_of_ours = looks_dialed(device) && extensions.is_internal(device);
    if (talk->own && !leg.local && leg.dialer != nullptr && !phone_of_ours &&
        !extensions.is_phone(talk->row.dialed_number) && !behind_originate(leg).value_or(true)) {
        talk->outside = true;
        learn_number(*talk, *leg.call);
    }
    watch(*talk, leg);
    follow(*talk, leg);
}

void Desk::Impl::on_caller_known(const Change& change, Talk* talk) {
    const Leg& leg = *change.leg;
    if (&leg == leg.call->origin) {
        learn_number(*talk, *leg.call);
        learn_caller(*talk, *leg.call);
    }
    if (rings_of(*talk, leg) > 0) party_changed(*talk);
}

void Desk::Impl::on_leg_ended(const Change& change, Talk* talk) {
    if (rings_of(*talk, *change.leg) == 0)
        watch(*talk, *change.leg);  // it ended before anything else: still a row of the log
}

void Desk::Impl::on_held(const Change& change, Talk* talk) {
    for (Ring& ring : talk->rings) {
        if (ring.state != RingState::answered && ring.state != RingState::held) continue;
        for (const RingLeg& one : ring.legs) {
            if (one.leg != change.leg) continue;
            ring.unheld.reset();
            if (ring.state == RingState::answered) announce(*talk, ring, RingState::held, now);
        }
    }
}

void Desk::Impl::on_unheld(const Change& change, Talk* talk) {
    for (Ring& ring : talk->rings) {
        if (ring.state != RingState::held || ring.unheld) continue;
        for (const RingLeg& one : ring.legs)
            if (one.leg == change.leg)
                ring.unheld = now;  // shown unless a transfer or hangup follows at once
    }
}

void Desk::Impl::on_dial_answered(const Change& change, Talk* talk) {
    const Leg& source = *change.leg;
    const Leg& dest = *change.other;
    const Leg* origin = source.call->origin;
    if (origin == nullptr) return;
    if (talk->own) {
        if (&source == origin) own_answered(*talk, "DialEnd ANSWER of the far end");
    } else if (&source == origin || &source == origin->sibling) {
        talk->last_answer = now;
        if (talk->row.answered) return;
        // the phone that picked up is a call of its own until the merge
        std::string jid;
        const std::string extension = extensions.of_channel(dest.channel);
        const std::vector<std::size_t> there = active_at(extension);
        if (there.size() == 1) jid = people[there.front()].jid;
        if (jid.empty()) reason(Why::answered_not_by_person, talk, dest.uniqueid, {}, dest.channel);
        answered(*talk, jid, "DialEnd ANSWER");
    }
}

void Desk::Impl::on_in_bridge(const Change& change, Talk* talk) {
    Leg& leg = *change.leg;
    for (const Ring& ring : talk->rings) {
        if (!ring.own || ring.state != RingState::dialing) continue;
        for (const RingLeg& one : ring.legs) {
            if (one.leg != &leg || !model.bridged_with_other(leg)) continue;
            own_answered(*talk, "in a bridge with another channel");
            party_changed(*talk);
            return;
        }
    }
    party_changed(*talk);
}

void Desk::Impl::on_merged(const Change& change, Talk* talk) {
    const auto found = talks.find(change.text);
    if (found == talks.end() || talk == nullptr || &found->second == talk) return;
    Talk young = std::move(found->second);
    talks.erase(found);
    waiting.erase(change.text);
    reason(Why::merged, talk, {}, {}, fmt::format("{} became part of {}", young.row.id, talk->row.id));

    young.row.merged_into = talk->row.id;
    young.row.ended = now;
    if (young.row.answered) {
        young.row.disposition = crm::Disposition::answered;
        young.row.talk = now - *young.row.answered;
    }
    write(young);

    if (!talk->row.answered && young.row.answered) {
        std::string jid = young.row.answered_by;
        for (const Ring& ring : young.rings)
            if (ring.own && ring.state != RingState::ended) jid = ring.jid;
        answered(*talk, jid, "the call that was merged into it is answered");
    }
    if (young.last_answer)
        talk->last_answer = std::max(talk->last_answer.value_or(Millis{0}), *young.last_answer);
    if (talk->row.queue.empty()) talk->row.queue = young.row.queue;
    if (talk->row.request.empty()) talk->row.request = young.row.request;
    talk->ends.lost |= young.ends.lost;
    talk->ends.busy |= young.ends.busy;
    talk->ends.failed |= young.ends.failed;
    talk->ends.other |= young.ends.other;
    talk->touched = talk->touched || young.touched;
    if (talk->first_rung_user.empty()) talk->first_rung_user = young.first_rung_user;

    const std::string replaced = young.row.id;
    for (auto ring = young.rings.begin(); ring != young.rings.end();) {
        const auto next = std::next(ring);
        talk->rings.splice(talk->rings.end(), young.rings, ring);
        Ring& moved = talk->rings.back();
        for (RingLeg& one : moved.legs) {
            one.row.call = talk->row.id;
            write(*talk, one);
        }
        if (moved.announced && moved.live()) announce(*talk, moved, moved.state, now, replaced);
        ring = next;
    }
}

void Desk::Impl::on_evidence(const Change&, Talk*) {}  // settle() looks at the call anyway

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

void Desk::Impl::on_list_complete(const Change&, Talk*) {
    if (syncing) return;  // the sync shows the queues too; its end says when
    const std::vector<std::string> ready = std::exchange(listed, {});
    for (const std::string& uniqueid : ready) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr || leg->seen_complete) continue;
        leg->seen_complete = true;
        Talk& talk = talk_of(*leg->call);
        talk.row.started = leg->call->started;
        learn_number(talk, *leg->call);
        learn_caller(talk, *leg->call);
        touched.push_back(leg->call->linkedid);
    }
    for (const std::string& uniqueid : ready) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr) continue;
        Talk& talk = talk_of(*leg->call);
        watch(talk, *leg);
        follow(talk, *leg);
    }
}

void Desk::Impl::on_late_event(const Change& change, Talk*) {
    reason(Why::late_event_ignored, nullptr, change.exten, {},
           change.text + " after the Hangup of its channel");
}

}  // namespace bridge
