// The lists of a sync: channels that were there before us, and those that are gone.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

void CallModel::on_listed(const Event& event) {
    const std::string_view uniqueid = event.get("Uniqueid");
    if (uniqueid.empty() || event.get("Channel").empty()) return;
    Leg* leg = event.leg;
    const bool fresh = leg == nullptr;
    if (fresh) leg = &add_leg(event, uniqueid, event.get("Linkedid"));
    leg->seen = true;
    take_caller(event, *leg);
    if (leg == leg->call->origin && leg->listed && leg->call->did.empty())
        leg->call->did = value_or_nothing(event.get("DNID"));
    for (const ami::Header& header : event.message.headers()) {
        if (header.name != "Variable") continue;
        const std::size_t equals = std::min(header.value.find('='), header.value.size());
        take_variable(*leg, header.value.substr(0, equals),
                      header.value.substr(std::min(equals + 1, header.value.size())));
    }
    if (fresh) event.note(Change::Kind::leg_new, leg);
    event.note(Change::Kind::caller_known, leg);
    enter_bridge(event, *leg, event.get(event.message.name() == "Status" ? "BridgeID" : "BridgeId"), false);
    set_state(event, *leg, channel_state(event.get("ChannelStateDesc")));
}

void CallModel::on_list_complete(const Event& event) {
    event.note(Change::Kind::list_complete);
}

void CallModel::sync_begin() {
    for (auto& [id, leg] : legs_) leg.seen = false;
}

std::vector<Leg*> CallModel::unseen() {
    std::vector<Leg*> found;
    for (auto& [id, leg] : legs_)
        if (leg.alive() && !leg.seen) found.push_back(&leg);
    std::sort(found.begin(), found.end(),
              [](const Leg* a, const Leg* b) { return a->uniqueid < b->uniqueid; });
    return found;
}

}  // namespace bridge
