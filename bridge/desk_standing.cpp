// What can be done with a ring: its channels, and what is offered for it.
#include "bridge/desk_impl.hpp"

namespace bridge {

Standing Desk::Impl::standing(const Talk& talk, const Ring& ring) const {
    Standing found{.jid = ring.jid,
                   .id = talk.row.id,
                   .leg = ring.key,
                   .state = ring.state,
                   .own = ring.own,
                   .extension = ring.extension,
                   .channel = {},
                   .uniqueid = {},
                   .bridge = {},
                   .partner = {},
                   .partner_uniqueid = {}};
    const Leg* leg = nullptr;
    for (const RingLeg& one : ring.legs)
        if (!one.decided && one.leg->alive() && (leg == nullptr || one.row.answered)) leg = one.leg;
    if (leg == nullptr) return found;
    found.channel = leg->channel;
    found.uniqueid = leg->uniqueid;
    found.bridge = leg->bridge;
    if (const Leg* with = model.partner(*leg)) {
        found.partner = with->channel;
        found.partner_uniqueid = with->uniqueid;
    }
    return found;
}

std::optional<Standing> Desk::standing(std::string_view jid, std::string_view id,
                                       std::string_view leg) const {
    for (const auto& [linkedid, talk] : impl_->talks) {
        if (talk.row.id != id) continue;
        for (const Ring& ring : talk.rings)
            if ((jid.empty() || ring.jid == jid) && ring.live() && (leg.empty() || ring.key == leg))
                return impl_->standing(talk, ring);
    }
    return std::nullopt;
}

std::vector<Standing> Desk::standings() const {
    std::vector<std::pair<Millis, Standing>> dated;
    for (const auto& [linkedid, talk] : impl_->talks)
        for (const Ring& ring : talk.rings)
            if (ring.live()) dated.emplace_back(talk.row.started, impl_->standing(talk, ring));
    std::sort(dated.begin(), dated.end(), [](const auto& a, const auto& b) {
        return std::tie(a.first, a.second.leg) < std::tie(b.first, b.second.leg);
    });
    std::vector<Standing> found;
    for (auto& [started, one] : dated) found.push_back(std::move(one));
    return found;
}

void Desk::set_offers(Offers offers) {
    impl_->offers = std::move(offers);
}

Outcome Desk::renew_offers(Millis now) {
    impl_->now = now;
    impl_->out = {};
    for (auto& [linkedid, talk] : impl_->talks)
        for (Ring& ring : talk.rings)
            if (ring.announced && ring.live() && impl_->offers &&
                impl_->offers(impl_->standing(talk, ring)) != ring.last.actions)
                impl_->announce(talk, ring, ring.state, now);
    return std::move(impl_->out);
}

}  // namespace bridge
