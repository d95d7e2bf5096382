// What is forgotten, and what of it is remembered: the Uniqueids of ended channels.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {
constexpr std::size_t graves_kept = 20000;  // Uniqueids of ended channels remembered against late events

void cut(Leg& leg, const std::unordered_set<const Leg*>& gone) {
    for (Leg** pointer : {&leg.dialer, &leg.sibling, &leg.reached, &leg.left_by})
        if (gone.contains(*pointer)) *pointer = nullptr;
}
}  // namespace

void CallModel::prune(Call& call, const std::unordered_set<const Leg*>& kept) {
    std::unordered_set<const Leg*> needed(kept);
    for (const Leg* leg : call.legs) {
        if (!leg->alive() && !kept.contains(leg) && leg != call.origin) continue;
        // what is above a living leg says who rings it
        needed.insert(leg);
        const Leg* at = leg;
        for (int steps = 0; at != nullptr && steps < 32; ++steps) {
            if (at->left_by != nullptr) needed.insert(at->left_by);
            if (at->sibling != nullptr) needed.insert(at->sibling);
            at = at->dialer != nullptr ? at->dialer : at->second_half ? at->sibling : nullptr;
            if (at != nullptr) needed.insert(at);
        }
    }
    std::unordered_set<const Leg*> gone;
    std::erase_if(call.legs, [&](const Leg* leg) {
        if (leg->alive() || needed.contains(leg)) return false;
        gone.insert(leg);
        return true;
    });
    for (Leg* leg : call.legs)
        if (!crossing_.contains(leg)) cut(*leg, gone);
    untie(gone);
    for (const Leg* leg : gone) legs_.erase(std::string(leg->uniqueid));
}

void CallModel::tie(Leg& from, Leg* Leg::* pointer, Leg& to) {
    from.*pointer = &to;
    if (from.call != to.call) crossing_.insert(&from);
}

// Nothing that stays may point at what goes.
void CallModel::untie(const std::unordered_set<const Leg*>& gone) {
    std::erase_if(crossing_, [&](Leg* leg) { return gone.contains(leg); });
    for (Leg* leg : crossing_) cut(*leg, gone);
}

std::vector<Leg*> CallModel::silent_since(Millis at) {
    std::vector<Leg*> silent;
    for (auto& [id, leg] : legs_)
        if (leg.alive() && leg.heard <= at) silent.push_back(&leg);
    std::sort(silent.begin(), silent.end(),
              [](const Leg* a, const Leg* b) { return a->uniqueid < b->uniqueid; });
    return silent;
}

CallModel::Sizes CallModel::sizes() const {
    return {legs_.size(), calls_.size(), merged_.size(), bridges_.size(), locals_.size(), dead_.size()};
}

void CallModel::forget(Call& call) {
    for (Leg* leg : call.legs) {
        leave_bridge(*leg);
        if (leg->local) locals_.erase(leg->channel);
        if (leg->alive()) bury(leg->uniqueid, generation_);  // else it was when it ended
    }
    bury(call.linkedid, call.generation);
    const auto legs = std::move(call.legs);
    std::erase_if(merged_, [&](const auto& pair) {
        const bool of_this = pair.second == call.linkedid;
        if (of_this) bury(pair.first, call.generation);
        return of_this;
    });
    calls_.erase(std::string(call.linkedid));
    if (!crossing_.empty()) untie({legs.begin(), legs.end()});
    for (const Leg* leg : legs) legs_.erase(std::string(leg->uniqueid));
}

void CallModel::bury(const std::string& uniqueid, std::uint32_t generation) {
    const auto [grave, fresh] = dead_.insert_or_assign(uniqueid, Grave{now_, generation});
    if (!fresh) return;
    graves_.push_back(uniqueid);
    if (graves_.size() > graves_kept) {
        dead_.erase(graves_.front());
        graves_.pop_front();
    }
}

void CallModel::new_generation() {
    ++generation_;
}

}  // namespace bridge
