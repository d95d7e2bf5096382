// Notices: what an operator is told of a ring.
#include "bridge/desk_impl.hpp"

namespace bridge {

void Desk::Impl::announce(Talk& talk, Ring& ring, RingState state, Millis at, std::string_view replaces) {
    ring.state = state;
    ring.announced = true;
    learn_service(talk, *ring.legs.front().leg->call);
    Notice notice = snapshot(talk, ring, at);
    notice.replaces = replaces;
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
    show_service(notice, talk, *leg.call);
    notice.request = talk.row.request;
    if (ring.far_ringing && ring.state == RingState::dialing) notice.far_end = "ringing";
    notice.shared = ring.shared;
    if (ring.live()) notice.actions = "hangup";
    return notice;
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

void Desk::Impl::party_changed(Talk& talk) {
    for (Ring& ring : talk.rings) {
        if (!ring.announced || !ring.live()) continue;
        const Party party = party_of(talk, ring);
        if (party.number == ring.last.party_number || party.number.empty()) continue;
        announce(talk, ring, ring.state, now);
    }
}

}  // namespace bridge
