// Notices: what an operator is told of a ring.
#include <algorithm>

#include "bridge/desk_impl.hpp"

namespace bridge {

void Desk::Impl::announce(Talk& talk, Ring& ring, RingState state, Millis at, std::string_view replaces) {
    const bool waited = ring.state == RingState::ringing || ring.state == RingState::dialing;
    ring.state = state;
    if (state == RingState::answered && !ring.answered) ring.answered = std::max(at, talk.row.started);
    ring.announced = true;
    learn_service(talk, *ring.legs.front().leg->call);
    Notice notice = snapshot(talk, ring, at);
    notice.replaces = replaces;
    notice.just_answered = waited && state == RingState::answered;
    notice.seq = ++seq[ring.jid];
    reason(Why::notice_made, &talk, ring.key, ring.jid,
           Data{{Fact::state, std::string(to_string(state))},
                {Fact::cause, std::string(to_string(ring.cause))}});
    ring.last = notice;
    out.notices.push_back(std::move(notice));
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
    notice.at = std::max(at, talk.row.started);
    notice.started = talk.row.started;
    notice.answered = ring.answered;
    Party party = party_of(talk, ring);
    notice.party_number = std::move(party.number);
    notice.party_name = std::move(party.name);
    notice.withheld = party.withheld;
    notice.dialed = talk.row.dialed_number;
    notice.queue = talk.row.queue;
    const Leg& leg = *ring.legs.front().leg;
    if (!notice.queue.empty() && leg.call->joined) {
        Millis until = at;
        for (const RingLeg& one : ring.legs) until = std::min(until, one.row.answered.value_or(at));
        notice.waited =
            static_cast<int>(std::max<std::int64_t>(0, (until - *leg.call->joined).count() / 1000));
    }
    show_service(notice, talk, ring);
    notice.request = talk.row.request;
    if (ring.far_ringing && ring.state == RingState::dialing) notice.far_end = "ringing";
    notice.shared = ring.shared;
    if (ring.live()) notice.actions = offers ? offers(standing(talk, ring)) : "hangup";
    return notice;
}

// The operator who took an internal call.
Desk::Impl::Party Desk::Impl::colleague_of(const Talk& talk) const {
    for (const Ring& ring : talk.rings) {
        if (ring.own || (ring.state != RingState::answered && ring.state != RingState::held)) continue;
        const auto person = ring.shared ? by_jid.end() : by_jid.find(ring.jid);
        return {ring.extension, person != by_jid.end() ? people[person->second].name : std::string(), false};
    }
    return {};
}

// Whom the operator talks with, or will when they answer.
Desk::Impl::Party Desk::Impl::party_of(const Talk& talk, const Ring& ring) const {
    const Leg* leg = nullptr;
    for (const RingLeg& one : ring.legs)
        if (leg == nullptr || one.row.answered) leg = one.leg;
    const Leg* origin = leg->call->origin;
    const bool talked = ring.last.state == RingState::answered || ring.last.state == RingState::held;
    const bool alone = leg->bridged && leg->bridge.empty();
    // it was they, they wait, or somebody takes somebody's place just now
    const bool as_before = alone || ring.state == RingState::held || model.changes_hands(*leg);
    if (talked && as_before && !ring.last.party_number.empty()) return party_as_told(ring, *leg);
    const Leg* with = model.partner(*leg);
    if (with != nullptr && with == origin) return caller_of(talk);
    if (with != nullptr)
        if (const std::string extension = extensions.of_channel(with->channel); !extension.empty())
            return colleague(extension, leg->connected_number == extension ? leg->connected_name : "");
    return ring.own ? party_dialled(talk, ring, *leg) : party_who_rings(talk, ring, *leg, with);
}

Desk::Impl::Party Desk::Impl::party_as_told(const Ring& ring, const Leg& leg) const {
    const Notice& told = ring.last;
    const bool named_since = told.party_name.empty() && leg.connected_number == told.party_number &&
                             extensions.is_phone(told.party_number);
    return {told.party_number, named_since ? leg.connected_name : told.party_name, told.withheld};
}

Desk::Impl::Party Desk::Impl::caller_of(const Talk& talk) {
    return {talk.row.caller_number, talk.row.caller_name, !talk.own && talk.withheld};
}

Desk::Impl::Party Desk::Impl::party_dialled(const Talk& talk, const Ring& ring, const Leg& leg) const {
    if (!talk.own || ring.joined) return caller_of(talk);  // taken by pickup or from a parking lot
    const std::string& dialed = talk.row.dialed_number;
    if (dialed.empty())
        return ring.state == RingState::dialing ? Party{} : connected(talk, ring, leg, colleague_of(talk));
    // the names of outside parties of our own calls are the dialplan's
    const bool told = talk.row.direction == crm::Direction::internal && leg.connected_number == dialed;
    return colleague(dialed, told ? leg.connected_name : std::string());
}

Desk::Impl::Party Desk::Impl::party_who_rings(const Talk& talk, const Ring& ring, const Leg& leg,
                                              const Leg* with) const {
    const Leg* origin = leg.call->origin;
    if (with != nullptr) return connected(talk, ring, leg, caller_of(talk));
    if (!talk.own && origin != nullptr && !leg.bridge.empty() && leg.bridge == origin->bridge)
        return caller_of(talk);
    // somebody who was called and is handed on
    if (leg.dialer != nullptr && leg.dialer != origin && !leg.dialer->local)
        return connected(talk, ring, leg, caller_of(talk));
    const Leg* root = root_of(leg);
    if (root == nullptr || root == origin || (origin != nullptr && root == origin->sibling))
        return caller_of(talk);
    return connected(talk, ring, leg, caller_of(talk));  // asked by a colleague, or handed on
}

// Whom the exchange shows to this phone.
Desk::Impl::Party Desk::Impl::connected(const Talk& talk, const Ring& ring, const Leg& leg,
                                        Party otherwise) const {
    if (leg.connected_number.empty() || leg.connected_number == ring.extension) return otherwise;
    if (leg.connected_number == talk.row.caller_number) return caller_of(talk);
    const bool made_up = talk.own && !extensions.is_phone(leg.connected_number);  // by the dialplan
    return colleague(leg.connected_number, made_up ? std::string() : leg.connected_name);
}

void Desk::Impl::party_changed(Talk& talk) {
    for (Ring& ring : talk.rings) {
        if (!ring.announced || !ring.live()) continue;
        const Party party = party_of(talk, ring);
        if (party.number == ring.last.party_number || party.number.empty()) continue;
        announce(talk, ring, ring.state, now);
    }
}

}  // namespace bridge
