// Rings: which channel is whose, and what state it is in.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

void Desk::Impl::watch(Talk& talk, Leg& leg) {
    if (rings_of(talk, leg) > 0) return;
    std::string extension;
    const Role role = role_of(talk, leg, extension);
    if (role == Role::undecided) return;
    if (role == Role::none) return explain_nobody(talk, leg, role, extension);
    const std::vector<std::size_t> there = people_at(extension);
    // A phone that is only about to be called is not worth a word; several people are told of in one go.
    const bool called =
        role == Role::own || leg.state == ChannelState::ringing || leg.ended || there.size() > 1;
    const bool say = called && !leg.explained;
    leg.explained = leg.explained || called;
    if (there.empty() && say) explain_missing(talk, leg, extension);
    for (const std::size_t index : there) {
        const crm::Operator& person = people[index];
        // of those who share an extension only one dialled
        if (role == Role::own && talk.dialing && talk.dialing->jid != person.jid) continue;
        if (!person.active || person.jid.empty()) {
            if (say)
                reason(person.jid.empty() ? Why::operator_without_jid : Why::operator_inactive, &talk,
                       leg.uniqueid, person.jid, phone_data(leg, extension, {{Fact::name, person.name}}));
            continue;
        }
        talk.touched = true;
        if (role == Role::called && talk.first_rung_user.empty()) talk.first_rung_user = person.crm_user;
        // a second device that rings at the same time belongs to the same ring
        Ring* ring = nullptr;
        for (Ring& other : talk.rings)
            if (other.jid == person.jid && other.own == (role == Role::own) && other.rings() &&
                (other.state == RingState::ringing || other.state == RingState::dialing))
                ring = &other;
        if (ring == nullptr) {
            ring = &talk.rings.emplace_back();
            ring->jid = person.jid;
            ring->extension = extension;
            ring->own = role == Role::own;
            ring->state = ring->own ? RingState::dialing : RingState::ringing;
            ring->key = leg.uniqueid;
        }
        RingLeg& one = ring->legs.emplace_back();
        one.leg = &leg;
        one.row = {talk.row.id, leg.uniqueid, person.jid, extension, {}, {}, {}, {}};
        reason(
            Why::operator_found, &talk, leg.uniqueid, person.jid,
            phone_data(leg, extension, {{Fact::text, ring->own ? "a call of their own" : "it is called"}}));
    }
    follow(talk, leg);
}

Desk::Impl::Role Desk::Impl::role_of(Talk& talk, const Leg& leg, std::string& extension) {
    if (leg.local) return Role::none;
    extension = extensions.of_channel(leg.channel);
    if (extension.empty()) return Role::none;
    const Leg* origin = leg.call->origin;
    if (&leg == origin) return Role::own;
    if (origin == nullptr || !talk.own || !origin->local || extension != talk.own_extension)
        return Role::called;
    const std::optional<bool> own_side = behind_originate(leg);
    if (!own_side) return leg.state == ChannelState::up || leg.ended ? Role::own : Role::undecided;
    return *own_side ? Role::own : Role::called;
}

std::size_t Desk::Impl::rings_of(const Talk& talk, const Leg& leg) const {
    return static_cast<std::size_t>(
        std::count_if(talk.rings.begin(), talk.rings.end(), [&](const Ring& ring) {
            return std::any_of(ring.legs.begin(), ring.legs.end(),
                               [&](const RingLeg& one) { return one.leg == &leg; });
        }));
}

void Desk::Impl::follow(Talk& talk, Leg& leg) {
    far_end_rings(talk, leg);
    bool own_up = false;
    std::optional<std::string> answerer;  // empty: one of those who share the extension
    for (Ring& ring : talk.rings) {
        if (!ring.live()) continue;
        for (RingLeg& one : ring.legs) {
            if (one.leg != &leg || one.decided) continue;
            if (leg.ended)
                talked_unseen(talk, ring, one);
            else if (ring.own)
                own_up = follow_own(talk, ring, one) || own_up;
            else if (follow_called(talk, ring, one))
                answerer = ring.shared ? std::string() : ring.jid;
        }
    }
    if (own_up) own_answered(talk, "its channel is up");
    if (!answerer) return;
    talk.last_answer = now;
    if (talk.own)
        own_answered(talk, "the called phone is up");
    else
        answered(talk, *answerer, "the phone is up");
    if (!answerer->empty()) name_answerer(talk, *answerer);
}

// It was up in the lists and has ended before they were complete: the log has it, nobody is told any more.
void Desk::Impl::talked_unseen(Talk& talk, Ring& ring, RingLeg& one) {
    const Leg& leg = *one.leg;
    if (!leg.up_listed || one.row.answered || (ring.own && !leg.bridged)) return;
    one.row.answered = leg.up.value_or(leg.born);
    if (!one.row.offered) one.row.offered = std::min(leg.born, *one.row.answered);
    write(talk, one);
    if (talk.own == ring.own)
        answered(talk, ring.jid, "its channel was up when the lists were read", *one.row.answered);
}

bool Desk::Impl::follow_own(Talk& talk, Ring& ring, RingLeg& one) {
    const Leg& leg = *one.leg;
    // a phone that dials shows it at once; one that an Originate rings, when it is rung
    const bool began = &leg != leg.call->origin || leg.dialed || leg.state != ChannelState::down ||
                       looks_dialed(leg.first_exten);
    if (!began) return false;
    if (!one.row.offered) {
        one.row.offered = talk.row.started;
        write(talk, one);
    }
    if (!ring.announced) {
        reason(Why::own_call_began, &talk, leg.uniqueid, ring.jid, phone_data(leg, ring.extension));
        announce(talk, ring, RingState::dialing, now);
    }
    if (leg.state != ChannelState::up) return false;
    // an Originate's own phone is up before anybody else is called
    const bool placed = &leg == leg.call->origin && !leg.originated && !talk.click_to_dial;
    const bool far_there = leg.places_call || !leg.up_listed || !leg.bridge.empty();
    return (placed && far_there) || (leg.up_listed && model.bridged_with_other(leg));
}

bool Desk::Impl::follow_called(Talk& talk, Ring& ring, RingLeg& one) {
    const Leg& leg = *one.leg;
    if (leg.state == ChannelState::ringing && !one.row.offered) {
        one.row.offered = leg.rang.value_or(now);
        write(talk, one);
        if (!ring.announced) {
            reason(Why::ring_recognised, &talk, leg.uniqueid, ring.jid,
                   phone_data(leg, ring.extension, {{Fact::queue, leg.call->queue}}));
            announce(talk, ring, RingState::ringing, now);
        }
    }
    if (leg.state != ChannelState::up || one.row.answered) return false;
    one.row.answered = leg.up.value_or(now);
    if (!one.row.offered) one.row.offered = leg.listed ? leg.born : leg.rang.value_or(*one.row.answered);
    write(talk, one);
    if (ring.state != RingState::ringing) return false;
    ring.shared = rings_of(talk, leg) > 1;
    if (ring.shared)
        reason(Why::shared_extension, &talk, leg.uniqueid, ring.jid, phone_data(leg, ring.extension));
    announce(talk, ring, RingState::answered, now);
    return true;
}

void Desk::Impl::own_answered(Talk& talk, std::string_view why) {
    bool any = false;
    for (Ring& ring : talk.rings) {
        if (!ring.own || ring.state != RingState::dialing) continue;
        for (RingLeg& one : ring.legs) {
            if (one.decided || one.row.answered) continue;
            if (!one.row.offered) one.row.offered = talk.row.started;
            one.row.answered = now;
            write(talk, one);
        }
        learn_number(talk, *ring.legs.front().leg->call);
        announce(talk, ring, RingState::answered, now);
        any = true;
    }
    if (talk.own && !talk.voicemail) answered(talk, talk.row.answered_by, why);
    if (any && !talk.own && !talk.row.answered)
        for (const Ring& ring : talk.rings)
            if (ring.own && ring.state == RingState::answered) answered(talk, ring.jid, why);
}

void Desk::Impl::far_end_rings(Talk& talk, const Leg& leg) {
    if (!talk.own || leg.local || leg.state != ChannelState::ringing || leg.ended ||
        &leg == leg.call->origin || leg.dialer == nullptr)
        return;
    if (behind_originate(leg).value_or(true)) return;
    for (Ring& ring : talk.rings) {
        if (!ring.own || ring.state != RingState::dialing || ring.far_ringing || !ring.announced) continue;
        ring.far_ringing = true;
        announce(talk, ring, RingState::dialing, now);
    }
}

void Desk::Impl::end_leg(Talk& talk, Ring& ring, RingLeg& one, Cause cause, std::string_view why, Millis at) {
    at = std::max(at, one.row.answered.value_or(one.row.offered.value_or(at)));
    one.decided = true;
    one.row.ended = at;
    if (one.leg->ended_by) one.row.ended_by = std::max(at, *one.leg->ended_by);
    one.row.cause = to_string(cause);
    one.cause = cause;
    note_end(talk, cause);
    write(talk, one);
    reason(Why::ended_with_cause, &talk, one.leg->uniqueid, ring.jid,
           phone_data(*one.leg, ring.extension,
                      {{Fact::cause, std::string(to_string(cause))}, {Fact::text, std::string(why)}}));
    if (cause == Cause::answered_elsewhere)
        reason(Why::answered_elsewhere, &talk, one.leg->uniqueid, ring.jid,
               phone_data(*one.leg, ring.extension, {{Fact::text, std::string(why)}}));
    if (!std::all_of(ring.legs.begin(), ring.legs.end(), [](const RingLeg& leg) { return leg.decided; }))
        return;
    // the device that was answered says how the ring ended, not the one that only rang
    ring.cause = cause;
    for (const RingLeg& leg : ring.legs)
        if (leg.row.answered && !one.row.answered) ring.cause = leg.cause;
    ring.unheld.reset();
    if (ring.announced) {
        announce(talk, ring, RingState::ended, at);
    } else {
        ring.state = RingState::ended;
        reason(Why::ring_never_rang, &talk, ring.key, ring.jid,
               phone_data(*one.leg, ring.extension,
                          {{Fact::cause, std::string(to_string(cause))}, {Fact::text, std::string(why)}}));
    }
}

void Desk::Impl::write(const Talk& talk, RingLeg& one) {
    one.row.call = talk.row.id;
    out.legs.push_back(one.row);
}

}  // namespace bridge
