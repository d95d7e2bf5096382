// Calls: their answer, their end, their row in the log.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {

constexpr Millis originate_grace{
    300};  // span: between the Hangup of a phone and the OriginateResponse about it

constexpr Millis cut_most{500};  // span: the events of one end lie that close together

constexpr std::size_t prune_from = 200;  // legs of one call

Millis grace_of(const Ring& ring) {
    return ring.own ? originate_grace : evidence_grace;
}

}  // namespace

void Desk::Impl::settle(Talk& talk, Call& call) {
    for (Ring& ring : talk.rings) {
        for (RingLeg& one : ring.legs) {
            if (one.decided || !one.leg->ended) continue;
            const bool late = talk.no_more_evidence || now >= *one.leg->ended + grace_of(ring);
            const Circumstances known{talk.last_answer, late, talk.blind_until, talk.unseen};
            const auto verdict = ring.own ? own_leg_ended(*one.leg, one.row.answered.has_value(), known)
                                          : called_leg_ended(*one.leg, known);
            if (verdict) end_leg(talk, ring, one, verdict->cause, verdict->why, *one.leg->ended);
        }
        if (ring.unheld && ring.state == RingState::held && now >= *ring.unheld + evidence_grace) {
            const Millis at = *ring.unheld;
            ring.unheld.reset();
            const bool leaving = std::any_of(ring.legs.begin(), ring.legs.end(), [](const RingLeg& one) {
                return one.leg->transferred || one.leg->hangup_requested || one.leg->ended;
            });
            if (!leaving) announce(talk, ring, RingState::answered, at);
        }
    }
    if (talk.voicemail_check) check_voicemail(talk, call);
    if (over(talk, call)) {
        close(talk, call);
        return;
    }
    tell_waiting(talk, call);
    if (deadline(talk) != Millis::max())
        waiting.insert(call.linkedid);
    else
        waiting.erase(call.linkedid);
    prune(talk, call);
}

Millis Desk::Impl::deadline(const Talk& talk) const {
    Millis next = Millis::max();
    if (talk.give_up) next = std::min(next, *talk.give_up);
    if (talk.voicemail_check) next = std::min(next, *talk.voicemail_check);
    for (const Ring& ring : talk.rings) {
        if (ring.unheld) next = std::min(next, *ring.unheld + evidence_grace);
        for (const RingLeg& one : ring.legs)
            if (!one.decided && one.leg->ended) next = std::min(next, *one.leg->ended + grace_of(ring));
    }
    return next;
}

bool Desk::Impl::over(const Talk& talk, const Call& call) const {
    if (call.legs.empty()) return talk.give_up && now >= *talk.give_up;
    for (const Ring& ring : talk.rings)
        for (const RingLeg& one : ring.legs)
            if (!one.decided) return false;
    if (!talk.own && call.origin != nullptr) {
        // what lives on behind a caller who is gone (a mobile that was asked to confirm) is no business of
        // anybody
        return call.origin->ended && std::none_of(call.legs.begin(), call.legs.end(), [&](const Leg* leg) {
                   return leg->alive() && !leg->local && !extensions.of_channel(leg->channel).empty();
               });
    }
    return std::all_of(call.legs.begin(), call.legs.end(), [](const Leg* leg) { return !leg->alive(); });
}

void Desk::Impl::answered(Talk& talk, const std::string& jid, std::string_view why, Millis at) {
    if (talk.row.answered || talk.voicemail) return;
    at = std::max(at, talk.row.started);
    talk.row.answered = at;
    talk.row.wait = at - talk.row.started;
    talk.row.answered_by = jid;
    if (const auto person = by_jid.find(jid); person != by_jid.end() && !talk.own)
        talk.row.crm_owner = people[person->second].crm_user;
    reason(Why::call_answered, &talk, {}, jid, std::string(why));
    write(talk);
}

// The phone that is up may be seen a moment after the answer of the Local channel before it.
void Desk::Impl::name_answerer(Talk& talk, const std::string& jid) {
    crm::CallRow& row = talk.row;
    if (!row.answered || !row.answered_by.empty() || now - *row.answered > evidence_grace) return;
    row.answered_by = jid;
    if (const auto person = by_jid.find(jid); person != by_jid.end() && !talk.own)
        row.crm_owner = people[person->second].crm_user;
    write(talk);
}

void Desk::Impl::note_end(Talk& talk, Cause cause) {
    switch (cause) {
        case Cause::lost:
            talk.ends.lost = true;
            break;
        case Cause::busy:
        case Cause::rejected:
            talk.ends.busy = true;
            break;
        case Cause::failed:
            talk.ends.failed = true;
            break;
        case Cause::transferred:
            break;
        default:
            talk.ends.other = true;
    }
}

crm::Disposition Desk::Impl::disposition(const Talk& talk, const Call& call) const {
    using crm::Disposition;
    if (talk.voicemail) return Disposition::failed;
    if (talk.row.answered) return Disposition::answered;
    const auto& ends = talk.ends;
    if (talk.refused) return Disposition::failed;
    if (talk.own) {
        if (ends.lost || talk.lost) return Disposition::lost;
        if (talk.rings.empty() && !ends.busy && !ends.other) {
            const int why = call.originate_failure.value_or(0);
            return why == 3 ? Disposition::no_answer : why == 5 ? Disposition::busy : Disposition::failed;
        }
        return ends.busy ? Disposition::busy : ends.failed ? Disposition::failed : Disposition::no_answer;
    }
    const Leg* caller = call.origin;
    if (caller != nullptr && caller->hangup_requested && call.left_queue_unserved) {
        const Millis apart = std::chrono::abs(*caller->hangup_requested - *call.left_queue_unserved);
        if (apart <= evidence_grace) return Disposition::abandoned;
    }
    if (call.in_queue && caller != nullptr && caller->hangup_requested) return Disposition::abandoned;
    // ... or something answered unseen, and led the caller on
    if (talk.lost || (talk.unseen && caller != nullptr && (caller->up_listed || caller->bridged)))
        return Disposition::lost;
    // the gap cut the events of its end
    if (talk.blind_until && caller != nullptr && caller->ended &&
        *caller->ended <= *talk.blind_until + cut_most)
        return Disposition::lost;
    if (ends.other) return Disposition::no_answer;
    const bool unknown = talk.unseen && !ends.busy && !ends.failed;
    if (ends.lost || unknown) return Disposition::lost;
    const bool told_busy = talk.rings.empty() && caller != nullptr && caller->cause == 17;  // do not disturb
    return told_busy || (ends.busy && !ends.failed) ? Disposition::busy : Disposition::no_answer;
}

// When it was certain that a call is over whose end nobody saw.
std::optional<Millis> Desk::Impl::seen_gone(const Talk& talk, const Call& call, Millis ended) {
    if (!talk.own && call.origin != nullptr) return call.origin->ended_by;
    std::optional<Millis> gone;
    for (const Leg* leg : call.legs)
        if (leg->ended_by && leg->ended && *leg->ended >= ended) gone = std::max(gone, leg->ended_by);
    return gone;
}

void Desk::Impl::close(Talk& talk, Call& call) {
    crm::CallRow& row = talk.row;
    Millis last = call.legs.empty() ? now : call.last_phone_end.value_or(call.last_end.value_or(now));
    if (talk.lost && call.last_end) last = std::max(last, *call.last_end);
    row.ended = !talk.own && call.origin != nullptr && call.origin->ended ? *call.origin->ended : last;
    row.ended = std::max({*row.ended, row.started, row.answered.value_or(row.started)});
    row.ended_by = seen_gone(talk, call, *row.ended);
    if (row.disposition == crm::Disposition::none) row.disposition = disposition(talk, call);
    if (!row.answered) row.wait = std::max(Millis{0}, call.last_ring_end.value_or(*row.ended) - row.started);
    row.talk = row.answered && !talk.voicemail ? std::max(Millis{0}, *row.ended - *row.answered) : Millis{0};

    if (talk.dialing && talk.rings.empty() && !talk.refused) end_dial(talk);
    if (!talk.touched) reason(Why::call_without_operator, &talk, {}, {}, Data{});
    reason(Why::call_ended, &talk, {}, {},
           Data{{Fact::disposition, std::string(word(row.disposition))},
                {Fact::seconds,
                 fmt::format("{:.1f}", static_cast<double>((*row.ended - row.started).count()) / 1000)}});
    write(talk);

    waiting.erase(call.linkedid);
    const std::string id = call.linkedid;
    model.forget(call);
    talks.erase(id);
}

void Desk::Impl::write(Talk& talk) {
    crm::CallRow& row = talk.row;
    if (const Call* call = model.find_call(row.linkedid); call != nullptr && call->linkedid == row.linkedid)
        learn_service(talk, *call);  // a call that was merged keeps what it had
    row.to_crm = row.direction != crm::Direction::internal && (talk.touched || !row.service.empty());
    if (row.crm_owner.empty()) row.crm_owner = talk.first_rung_user;
    out.calls.push_back(row);
}

void Desk::Impl::prune(Talk& talk, Call& call) {
    if (call.legs.size() < prune_from) return;
    std::erase_if(talk.rings, [](const Ring& ring) {
        return !ring.live() && std::all_of(ring.legs.begin(), ring.legs.end(),
                                           [](const RingLeg& one) { return one.decided; });
    });
    std::unordered_set<const Leg*> kept;
    for (const Ring& ring : talk.rings)
        for (const RingLeg& one : ring.legs) kept.insert(one.leg);
    model.prune(call, kept);
}

}  // namespace bridge
