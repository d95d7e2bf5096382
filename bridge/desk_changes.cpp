// What each change of the call model means for operators and for the log: one table row, one function per
// kind. Those of dials, merges and lists are in desk_dials.cpp, desk_merge.cpp, desk_sync.cpp.
#include <algorithm>

#include "bridge/desk_impl.hpp"

namespace bridge {

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
    {Change::Kind::booted, &Impl::on_booted},
    {Change::Kind::late_event, &Impl::on_late_event},
};

void Desk::Impl::process(std::vector<Change>& changes) {
    touched.clear();
    for (const Change& change : changes) {
        // a merge within this message may have moved the leg
        Call* call = change.leg != nullptr ? change.leg->call : change.call;
        if (change.kind == Change::Kind::merged) call = model.find_call(change.text);
        if (nobodys_business(change, call)) continue;
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

// What remains of a call that is over makes a call of its own only when an operator's phone takes part.
bool Desk::Impl::nobodys_business(const Change& change, Call* call) {
    if (call == nullptr || !call->remains || talks.contains(call->linkedid)) return false;
    call->remains = change.leg == nullptr || extensions.of_channel(change.leg->channel).empty();
    if (!call->remains) return false;
    if (std::none_of(call->legs.begin(), call->legs.end(), [](const Leg* leg) { return leg->alive(); }))
        model.forget(*call);
    return true;
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

void Desk::Impl::on_leg_ended(const Change& change, Talk* talk) {
    if (rings_of(*talk, *change.leg) == 0)
        watch(*talk, *change.leg);  // it ended before anything else: still a row of the log
}

void Desk::Impl::on_caller_known(const Change& change, Talk* talk) {
    const Leg& leg = *change.leg;
    if (&leg == leg.call->origin) {
        learn_number(*talk, *leg.call);
        learn_caller(*talk, *leg.call);
    }
    if (rings_of(*talk, leg) > 0) party_changed(*talk);
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

// Whether the caller is at this channel's end: it is his, or a Local channel he was connected to, whose
// dialplan goes on.
bool Desk::Impl::speaks_for(const Leg& leg, const Leg& caller) {
    const Leg* at = &leg;
    for (int steps = 0; steps < 32; ++steps) {
        if (at == &caller || at == caller.sibling) return true;
        const Leg* half = at->second_half ? at->sibling : nullptr;
        if (half == nullptr || !half->up || half->dialer == nullptr) return false;
        at = half->dialer;
    }
    return false;
}

// A Local channel answers for the one it reached; a queue or a mailbox behind it answers for nobody.
bool Desk::Impl::taken(const Leg& dest) const {
    const Leg* at = &dest;
    for (int steps = 0; steps < 32; ++steps) {
        if (!at->local || at->second_half || at->sibling == nullptr) return true;
        const Leg& half = *at->sibling;
        const auto& legs = half.call->legs;
        const auto up = std::find_if(legs.begin(), legs.end(), [&](const Leg* leg) {  // its answer was missed
            return leg->dialer == &half && leg->up && leg->alive();
        });
        at = half.reached != nullptr ? half.reached : up != legs.end() ? *up : nullptr;
        if (at == nullptr) return model.bridged_with_other(half);
    }
    return false;
}

void Desk::Impl::on_dial_answered(const Change& change, Talk* talk) {
    const Leg& source = *change.leg;
    const Leg& dest = *change.other;
    const Leg* origin = source.call->origin;
    if (origin == nullptr) return;
    if (talk->own) {
        if (&source == origin) own_answered(*talk, "DialEnd ANSWER of the far end");
    } else if (speaks_for(source, *origin) && (!change.text.empty() || taken(dest))) {
        talk->last_answer = now;
        if (talk->row.answered) return;
        // the phone that picked up is a call of its own until the merge
        std::string jid;
        const std::string extension = extensions.of_channel(dest.channel);
        const std::vector<std::size_t> there = active_at(extension);
        if (there.size() == 1) jid = people[there.front()].jid;
        if (jid.empty())
            reason(Why::answered_not_by_person, talk, dest.uniqueid, {}, phone_data(dest, extension));
        answered(*talk, jid, "DialEnd ANSWER");
    }
}

void Desk::Impl::on_in_bridge(const Change& change, Talk* talk) {
    const Leg& leg = *change.leg;
    meet(leg);
    for (const Ring& ring : talk->rings) {
        if (!ring.own || ring.state != RingState::dialing) continue;
        for (const RingLeg& one : ring.legs) {
            if (one.leg->bridge != leg.bridge || !model.bridged_with_other(*one.leg)) continue;
            own_answered(*talk, "in a bridge with another channel");
            party_changed(*talk);
            return;
        }
    }
    party_changed(*talk);
}

// A caller who meets an operator in a conference is answered, by nobody in particular.
void Desk::Impl::meet(const Leg& leg) {
    const std::vector<Leg*> there = model.conference_of(leg);
    const auto phone = std::find_if(there.begin(), there.end(), [&](const Leg* one) {
        return !people_at(extensions.of_channel(one->channel)).empty();
    });
    if (phone == there.end()) return;
    for (const Leg* one : there)
        if (const auto talk = talks.find(one->call->linkedid);
            talk != talks.end() && !talk->second.own && one == one->call->origin)
            answered(talk->second, {}, "in a conference with " + (*phone)->channel);
}

void Desk::Impl::on_evidence(const Change&, Talk*) {}  // settle() looks at the call anyway

void Desk::Impl::on_late_event(const Change& change, Talk*) {
    reason(Why::late_event_ignored, nullptr, change.exten, {},
           change.text + " after the Hangup of its channel");
}

}  // namespace bridge
