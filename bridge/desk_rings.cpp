// Rings: which channel is whose, what state it is in, what the operator is told.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

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

void Desk::Impl::watch(Talk& talk, Leg& leg) {
    if (rings_of(talk, leg) > 0) return;
    std::string extension;
    const Role role = role_of(talk, leg, extension);
    if (role == Role::undecided) return;
    if (role == Role::none) {
        if (leg.state == ChannelState::ringing)
            reason(leg.local ? Why::ring_local_channel : Why::ring_not_operator_leg, &talk, leg.uniqueid, {},
                   leg.channel);
        return;
    }
    const std::vector<std::size_t> there = people_at(extension);
    if (there.empty())
        reason(Why::operator_unknown_extension, &talk, leg.uniqueid, {}, "extension " + extension);
    for (const std::size_t index : there) {
        const crm::Operator& person = people[index];
        // of those who share an extension only one dialled
        if (role == Role::own && talk.dialing && talk.dialing->jid != person.jid) continue;
        if (!person.active || person.jid.empty()) {
            reason(Why::operator_inactive, &talk, leg.uniqueid, person.jid, "extension " + extension);
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
        reason(Why::operator_found, &talk, leg.uniqueid, person.jid,
               fmt::format("{} is extension {}, {}", leg.channel, extension,
                           ring->own ? "a call of their own" : "called"));
    }
    follow(talk, leg);
}

void Desk::Impl::follow(Talk& talk, Leg& leg) {
    far_end_rings(talk, leg);
    bool up_now = false;
    std::optional<std::string> answerer;  // empty: one of those who share the extension
    for (Ring& ring : talk.rings) {
        if (!ring.live()) continue;
        for (RingLeg& one : ring.legs) {
            if (one.leg != &leg || one.decided || leg.ended) continue;
            if (ring.own) {
                // a phone that dials shows it at once; one that an Originate rings, when it is rung
                const bool began = &leg != leg.call->origin || leg.dialed ||
                                   leg.state != ChannelState::down || looks_dialed(leg.first_exten);
                if (!began) continue;
                if (!one.row.offered) {
                    one.row.offered = talk.row.started;
                    write(talk, one);
                }
                if (!ring.announced) {
                    reason(Why::ring_recognised, &talk, leg.uniqueid, ring.jid, "own call");
                    announce(talk, ring, RingState::dialing, now);
                }
                const bool placed = &leg == leg.call->origin && !leg.originated && !talk.click_to_dial;
                const bool far_there = !leg.listed || !leg.bridge.empty();
                if (leg.state == ChannelState::up && placed && far_there) up_now = true;
                if (leg.listed && leg.state == ChannelState::up && model.bridged_with_other(leg))
                    up_now = true;
                continue;
            }
            if (leg.state == ChannelState::ringing && !one.row.offered) {
                one.row.offered = leg.rang.value_or(now);
                write(talk, one);
                if (!ring.announced) {
                    reason(Why::ring_recognised, &talk, leg.uniqueid, ring.jid, "Newstate Ringing");
                    announce(talk, ring, RingState::ringing, now);
                }
            }
            if (leg.state == ChannelState::up && !one.row.answered) {
                if (!one.row.offered) one.row.offered = leg.listed ? leg.born : now;
                one.row.answered = leg.up.value_or(now);
                write(talk, one);
                if (ring.state == RingState::ringing) {
                    ring.shared = rings_of(talk, leg) > 1;
                    if (ring.shared)
                        reason(Why::shared_extension, &talk, leg.uniqueid, ring.jid,
                               "extension " + ring.extension);
                    announce(talk, ring, RingState::answered, now);
                    answerer = ring.shared ? std::string() : ring.jid;
                }
            }
        }
    }
    if (up_now) own_answered(talk, "its channel is up");
    if (!answerer) return;
    talk.last_answer = now;
    if (!talk.own) answered(talk, *answerer, "the phone is up");
    if (!answerer->empty()) name_answerer(talk, *answerer);
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
    if (any && talk.own) answered(talk, talk.row.answered_by, why);
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

Desk::Impl::Party Desk::Impl::party_of(const Talk& talk, const Ring& ring) const {
    const Leg* leg = nullptr;
    for (const RingLeg& one : ring.legs)
        if (leg == nullptr || one.row.answered) leg = one.leg;
    const Leg* origin = leg->call->origin;
    const Party caller{talk.row.caller_number, talk.row.caller_name, !talk.own && talk.withheld};
    const auto connected = [&](const Party& otherwise) {
        if (leg->connected_number.empty() || leg->connected_number == ring.extension) return otherwise;
        if (leg->connected_number == talk.row.caller_number) return caller;
        std::string name = leg->connected_name == leg->connected_number ? std::string() : leg->connected_name;
        for (const std::size_t person : people_at(leg->connected_number))
            name = people[person].name.empty() ? name : people[person].name;
        return Party{leg->connected_number, std::move(name), false};
    };
    if (ring.own) {
        if (!talk.own) return caller;  // taken by pickup or from a parking lot
        if (!talk.row.dialed_number.empty()) {
            std::string name;
            for (const std::size_t person : people_at(talk.row.dialed_number)) name = people[person].name;
            return {talk.row.dialed_number, std::move(name), false};
        }
        return ring.state == RingState::dialing ? Party{} : connected({});
    }
    if (!talk.own && origin != nullptr && !leg->bridge.empty() && leg->bridge == origin->bridge)
        return caller;
    const Leg* root = root_of(*leg);
    if (root == nullptr || root == origin || (origin != nullptr && root == origin->sibling)) return caller;
    return connected(caller);  // asked by a colleague, or handed on
}

Notice Desk::Impl::snapshot(const Talk& talk, const Ring& ring, Millis at) const {
    Notice notice;
    notice.to = ring.jid;
    notice.pbx = config.pbx;
    notice.leg = ring.key;
    notice.id = talk.row.id;
    notice.state = ring.state;
    notice.direction = talk.row.direction;
    notice.cause = ring.cause;
    notice.extension = ring.extension;
    notice.at = at;
    notice.started = talk.row.started;
    Party party = party_of(talk, ring);
    notice.party_number = std::move(party.number);
    notice.party_name = std::move(party.name);
    notice.withheld = party.withheld;
    notice.dialed = talk.row.dialed_number;
    notice.queue = talk.row.queue;
    const Leg& leg = *ring.legs.front().leg;
    if (!notice.queue.empty() && leg.call->joined) {
        const Millis until = std::min(at, talk.row.answered.value_or(at));
        notice.waited =
            static_cast<int>(std::max<std::int64_t>(0, (until - *leg.call->joined).count() / 1000));
    }
    notice.service = talk.row.service;
    notice.request = talk.row.request;
    if (ring.far_ringing && ring.state == RingState::dialing) notice.far_end = "ringing";
    notice.shared = ring.shared;
    if (ring.live()) notice.actions = "hangup";
    return notice;
}

void Desk::Impl::announce(Talk& talk, Ring& ring, RingState state, Millis at, std::string_view replaces) {
    ring.state = state;
    ring.announced = true;
    if (talk.row.queue.empty()) talk.row.queue = ring.legs.front().leg->call->queue;
    Notice notice = snapshot(talk, ring, at);
    notice.replaces = replaces;
    notice.seq = ++seq[ring.jid];
    reason(state == RingState::ended ? Why::notice_withdrawn : Why::notice_sent, &talk, ring.key, ring.jid,
           std::string(to_string(state)));
    ring.last = notice;
    out.notices.push_back(std::move(notice));
}

void Desk::Impl::party_changed(Talk& talk) {
    for (Ring& ring : talk.rings) {
        if (!ring.announced || !ring.live()) continue;
        const Party party = party_of(talk, ring);
        if (party.number == ring.last.party_number || party.number.empty()) continue;
        announce(talk, ring, ring.state, now);
    }
}

void Desk::Impl::end_leg(Talk& talk, Ring& ring, RingLeg& one, Cause cause, std::string_view why, Millis at) {
    one.decided = true;
    one.row.ended = at;
    one.row.cause = to_string(cause);
    one.cause = cause;
    note_end(talk, cause);
    write(talk, one);
    reason(Why::ended_with_cause, &talk, one.leg->uniqueid, ring.jid,
           fmt::format("{}: {}", to_string(cause), why));
    if (cause == Cause::answered_elsewhere)
        reason(Why::answered_elsewhere, &talk, one.leg->uniqueid, ring.jid, std::string(why));
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
        reason(Why::ring_never_rang, &talk, ring.key, ring.jid, std::string(why));
    }
}

void Desk::Impl::write(const Talk& talk, RingLeg& one) {
    one.row.call = talk.row.id;
    out.legs.push_back(one.row);
}

}  // namespace bridge
