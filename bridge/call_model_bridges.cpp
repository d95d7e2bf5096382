// Who talks with whom: bridges, the merges they bring about, transfers, parking.
#include <algorithm>
#include <tuple>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {
constexpr int local_pairs_most = 16;  // span: between two phones
}

void CallModel::on_bridge_enter(const Event& event) {
    take_caller(event, *event.leg);
    const bool joins_calls = event.get("BridgeType") == "basic";
    enter_bridge(event, *event.leg, event.get("BridgeUniqueid"), joins_calls);
    note_answer(event, *event.leg);
    if (const auto bridge = bridges_.find(event.leg->bridge); bridge != bridges_.end()) {
        bridge->second.conference = !joins_calls && event.get("BridgeTechnology") == "softmix";
        for (Leg* other : bridge->second.legs)
            if (other->dialer == event.leg) note_answer(event, *other);
    }
    event.note(Change::Kind::in_bridge, event.leg);
}

// A called leg that talks with its caller has answered, whether its DialEnd was seen or not.
void CallModel::note_answer(const Event& event, Leg& leg) {
    Leg* dialer = leg.dialer;
    if (leg.answer_told || dialer == nullptr || !dialer->alive() || leg.state != ChannelState::up ||
        leg.bridge.empty() || leg.bridge != dialer->bridge)
        return;
    leg.answer_told = true;
    event.note(Change::Kind::dial_answered, dialer, &leg);
}

void CallModel::on_bridge_leave(const Event& event) {
    if (event.leg->bridge != event.get("BridgeUniqueid")) return;
    leave_bridge(*event.leg);
    // who stay may be another pair than before
    const auto bridge = bridges_.find(std::string(event.get("BridgeUniqueid")));
    if (bridge != bridges_.end() && bridge->second.legs.size() == 2)
        event.note(Change::Kind::in_bridge, bridge->second.legs.front());
}

void CallModel::enter_bridge(const Event& event, Leg& leg, std::string_view id, bool joins_calls) {
    if (id.empty() || leg.bridge == id) return;
    leave_bridge(leg);
    Bridge& bridge = bridges_[std::string(id)];
    bridge.joins_calls = bridge.joins_calls || joins_calls;
    leg.bridge = id;
    leg.bridged = true;
    leg.left_by = nullptr;
    leg.partner_hung_up = false;
    for (Leg* other : bridge.legs) {
        other->left_by = nullptr;
        other->partner_hung_up = false;
        if (bridge.joins_calls) join(event, *other->call, *leg.call);
    }
    bridge.legs.push_back(&leg);
}

void CallModel::leave_bridge(Leg& leg) {
    const auto found = bridges_.find(leg.bridge);
    leg.bridge.clear();
    if (found == bridges_.end()) return;
    std::erase(found->second.legs, &leg);
    for (Leg* other : found->second.legs)
        if (!leg.hangup_requested && !leg.ended && !other->hangup_requested && other->call == leg.call)
            other->left_by = &leg;
    if (leg.hangup_requested && found->second.legs.size() == 1)
        found->second.legs.front()->partner_hung_up = true;
    if (found->second.legs.empty()) bridges_.erase(found);
}

bool CallModel::bridged_with_other(const Leg& leg) const {
    const auto bridge = bridges_.find(leg.bridge);
    return bridge != bridges_.end() &&
           std::any_of(bridge->second.legs.begin(), bridge->second.legs.end(),
                       [&](const Leg* other) { return other != &leg && !other->local; });
}

const Leg* CallModel::partner(const Leg& leg) const {
    const Leg* at = &leg;
    for (int pairs = 0; pairs < local_pairs_most && at != nullptr; ++pairs) {
        const auto bridge = bridges_.find(at->bridge);
        if (bridge == bridges_.end() || bridge->second.legs.size() != 2) return nullptr;
        const auto& legs = bridge->second.legs;
        const Leg* other = legs.front() == at ? legs.back() : legs.front();
        if (!other->local) return other->call == leg.call ? other : nullptr;
        at = other->sibling;
    }
    return nullptr;
}

bool CallModel::changes_hands(const Leg& leg) const {
    const auto bridge = bridges_.find(leg.bridge);
    return bridge != bridges_.end() && bridge->second.joins_calls && bridge->second.legs.size() > 2;
}

std::vector<Leg*> CallModel::conference_of(const Leg& leg) const {
    const auto bridge = bridges_.find(leg.bridge);
    return bridge != bridges_.end() && bridge->second.conference ? bridge->second.legs : std::vector<Leg*>();
}

void CallModel::follow_linkedid(const Event& event, Leg& leg, std::string_view linkedid) {
    if (linkedid.empty() || linkedid == leg.call->linkedid) return;
    Call* call = find_call(linkedid);
    if (call == leg.call) return;
    if (call == nullptr) {
        if (same_life(linkedid)) return;  // it joined what remains of a call that is over
        call = &make_call(linkedid, leg.call->started);
    }
    merge(event, *call, *leg.call);
}

// The younger becomes part of the older one.
void CallModel::join(const Event& event, Call& one, Call& other) {
    if (&one == &other) return;
    const bool first = std::tie(one.started, one.order) < std::tie(other.started, other.order);
    merge(event, first ? one : other, first ? other : one);
}

void CallModel::merge(const Event& event, Call& into, Call& from) {
    for (Leg* leg : from.legs) {
        leg->call = &into;
        into.legs.push_back(leg);
    }
    into.remains = into.remains && from.remains;
    if (from.joined && (!into.joined || *into.joined < *from.joined)) {
        into.queue = from.queue;
        into.joined = from.joined;
        into.in_queue = from.in_queue;
        into.left_queue_unserved = from.left_queue_unserved;
    }
    if (into.contexts.empty()) into.contexts = std::move(from.contexts);
    into.variables.merge(from.variables);
    into.given_names.insert(into.given_names.end(), from.given_names.begin(), from.given_names.end());
    const auto later = [](std::optional<Millis>& mine, const std::optional<Millis>& other) {
        if (other && (!mine || *mine < *other)) mine = other;
    };
    later(into.last_end, from.last_end);
    later(into.last_phone_end, from.last_phone_end);
    later(into.last_ring_end, from.last_ring_end);
    into.changed_unseen = into.changed_unseen || from.changed_unseen;
    for (auto& [id, older] : merged_)
        if (older == from.linkedid) older = into.linkedid;
    merged_[from.linkedid] = into.linkedid;
    Change change{Change::Kind::merged, nullptr, &into, nullptr, from.linkedid, {}, {}};
    calls_.erase(from.linkedid);
    event.changes.push_back(std::move(change));
}

void CallModel::on_blind_transfer(const Event& event) {
    if (event.get("Result") != "Success") return;
    if (Leg* leg = named(event, "TransfererUniqueid")) {
        leg->transferred = true;
        event.note(Change::Kind::evidence, leg);
    }
}

void CallModel::on_attended_transfer(const Event& event) {
    if (event.get("Result") != "Success") return;
    if (event.get("DestType") == "Threeway") {  // nobody left: all three talk
        if (Leg* leg = named(event, "OrigTransfererUniqueid")) event.note(Change::Kind::unheld, leg);
        return;
    }
    for (const std::string_view header : {"OrigTransfererUniqueid", "SecondTransfererUniqueid"}) {
        if (Leg* leg = named(event, header)) {
            leg->transferred = true;
            event.note(Change::Kind::evidence, leg);
        }
    }
}

void CallModel::on_parked(const Event& event) {
    const Leg* parkee = named(event, "ParkeeUniqueid");
    if (parkee == nullptr || !event.get("ActionID").empty()) return;  // an item of the list ParkedCalls
    const auto bridge = bridges_.find(parkee->bridge);
    if (bridge == bridges_.end()) return;
    for (Leg* leg : bridge->second.legs) {
        if (leg == parkee || leg->local) continue;
        leg->transferred = true;
        event.note(Change::Kind::evidence, leg);
    }
}

}  // namespace bridge
