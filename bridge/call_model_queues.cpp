// The queue a call waits in.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {
constexpr Millis wait_grain{2000};  // span: `Wait` is whole seconds of a clock that is read in whole seconds
}

void CallModel::on_queue_join(const Event& event) {
    Call& call = *event.leg->call;
    call.queue = event.get("Queue");
    call.joined = event.now;
    call.in_queue = call.queue_seen = true;
    call.left_queue_unserved.reset();
    event.note(Change::Kind::evidence, event.leg);
}

void CallModel::on_queue_leave(const Event& event) {
    event.leg->call->in_queue = false;
}

void CallModel::on_queue_abandon(const Event& event) {
    event.leg->call->left_queue_unserved = event.now;
    event.note(Change::Kind::evidence, event.leg);
}

void CallModel::on_queue_entry(const Event& event) {
    if (event.leg == nullptr) return;
    Call& call = *event.leg->call;
    call.queue_seen = true;
    const Millis joined = event.now - std::chrono::seconds(std::max(0, number_of(event.get("Wait"))));
    const bool rejoined = call.joined && joined - *call.joined > wait_grain;
    if (call.in_queue && call.queue == event.get("Queue") && !rejoined) return;
    call.queue = event.get("Queue");
    call.joined = joined;
    call.in_queue = true;
}

void CallModel::on_agent_connect(const Event& event) {
    Call& call = *event.leg->call;
    if (call.queue.empty()) call.queue = event.get("Queue");
    if (!call.joined)
        call.joined = event.now - std::chrono::seconds(std::max(0, number_of(event.get("HoldTime"))));
    // a member may be a Local channel whose dialplan is the agent: the queue says it answered
    if (Leg* member = named(event, "DestUniqueid"))
        event.changes.push_back({Change::Kind::dial_answered, event.leg, &call, member, "agent", {}, {}});
}

}  // namespace bridge
