// Which event goes where. The handlers are in call_model_*.cpp, by theme.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {
constexpr Millis response_most{1000};  // span: an OriginateResponse comes that long after the Hangup
constexpr Millis late_most{30000};     // span: a Newchannel that long after the Hangup is another channel's
}  // namespace

struct CallModel::Row {
    std::string_view event;
    Handler handler;
    bool needs_leg;  // only for a living channel we know
};

const CallModel::Row CallModel::table[] = {
    {"Newchannel", &CallModel::on_newchannel, false},
    {"Newstate", &CallModel::on_newstate, true},
    {"NewCallerid", &CallModel::on_caller, true},
    {"NewConnectedLine", &CallModel::on_connected, true},
    {"HangupRequest", &CallModel::on_hangup_request, true},
    {"SoftHangupRequest", &CallModel::on_soft_hangup, true},
    {"Hangup", &CallModel::on_hangup, true},
    {"DialBegin", &CallModel::on_dial_begin, false},
    {"DialEnd", &CallModel::on_dial_end, false},
    {"BridgeEnter", &CallModel::on_bridge_enter, true},
    {"BridgeLeave", &CallModel::on_bridge_leave, true},
    {"Hold", &CallModel::on_hold, true},
    {"Unhold", &CallModel::on_unhold, true},
    {"BlindTransfer", &CallModel::on_blind_transfer, false},
    {"AttendedTransfer", &CallModel::on_attended_transfer, false},
    {"ParkedCall", &CallModel::on_parked, false},
    {"Pickup", &CallModel::on_pickup, false},
    {"QueueCallerJoin", &CallModel::on_queue_join, true},
    {"QueueCallerLeave", &CallModel::on_queue_leave, true},
    {"QueueCallerAbandon", &CallModel::on_queue_abandon, true},
    {"QueueEntry", &CallModel::on_queue_entry, false},
    {"AgentConnect", &CallModel::on_agent_connect, true},
    {"OriginateResponse", &CallModel::on_originate_response, false},
    {"VarSet", &CallModel::on_var_set, true},
    {"Newexten", &CallModel::on_new_exten, true},
    {"UserEvent", &CallModel::on_user_event, true},
    {"Status", &CallModel::on_listed, false},
    {"CoreShowChannel", &CallModel::on_listed, false},
    {"StatusComplete", &CallModel::on_list_complete, false},
    {"CoreShowChannelsComplete", &CallModel::on_list_complete, false},
    {"DeviceStateChange", &CallModel::on_device_state, false},
    {"QueueStatusComplete", &CallModel::on_queues_complete, false},
    {"FullyBooted", &CallModel::on_fully_booted, false},
};

void CallModel::apply(const ami::Message& message, Millis now, std::vector<Change>& changes) {
    if (message.kind() != ami::Message::Kind::event) return;
    static const auto index = [] {
        std::unordered_map<std::string_view, const Row*> rows;
        for (const Row& row : table) rows.emplace(row.event, &row);
        return rows;
    }();
    const auto row = index.find(message.name());
    if (row == index.end()) return;

    now_ = now;
    Event event{message, now, changes};
    const std::string_view uniqueid = event.get("Uniqueid");
    if (!uniqueid.empty()) {
        event.leg = living(uniqueid);
        if (event.leg != nullptr) {
            event.leg->heard = now;
            follow_linkedid(event, *event.leg, event.get("Linkedid"));
            take_dialplan(event, *event.leg);
        } else if (too_late(event, uniqueid)) {
            changes.push_back({Change::Kind::late_event,
                               nullptr,
                               nullptr,
                               nullptr,
                               std::string(message.name()),
                               {},
                               std::string(uniqueid)});
            return;
        }
    }
    if (row->second->needs_leg && event.leg == nullptr) return;
    (this->*row->second->handler)(event);
}

// An OriginateResponse tells of a call, whose first channel may be over.
bool CallModel::too_late(const Event& event, std::string_view uniqueid) const {
    const std::string_view name = event.message.name();
    if (name == "OriginateResponse") return false;
    const auto grave = dead_.find(std::string(uniqueid));
    if (grave == dead_.end()) return false;
    const bool makes_a_channel = name == "Newchannel" || name == "Status" || name == "CoreShowChannel";
    if (!makes_a_channel || legs_.contains(grave->first)) return true;
    return grave->second.generation == generation_ && event.now - grave->second.at <= late_most;
}

bool CallModel::same_life(std::string_view id) const {
    const auto grave = dead_.find(std::string(id));
    return grave != dead_.end() && grave->second.generation == generation_;
}

bool CallModel::just_over(std::string_view id, Millis now) const {
    const auto grave = dead_.find(std::string(id));
    return grave != dead_.end() &&
           (grave->second.generation == generation_ || now - grave->second.at <= response_most);
}

Leg* CallModel::living(std::string_view uniqueid) {
    Leg* leg = find_leg(uniqueid);
    return leg != nullptr && leg->alive() ? leg : nullptr;
}

Leg* CallModel::find_leg(std::string_view uniqueid) {
    const auto found = legs_.find(std::string(uniqueid));
    return found == legs_.end() ? nullptr : &found->second;
}

Call* CallModel::find_call(std::string_view linkedid) {
    std::string id(linkedid);
    for (auto next = merged_.find(id); next != merged_.end(); next = merged_.find(id)) id = next->second;
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

Call& CallModel::make_call(std::string_view linkedid, Millis now) {
    Call& call = calls_[std::string(linkedid)];
    if (call.linkedid.empty()) {
        call.linkedid = linkedid;
        call.reused = dead_.contains(call.linkedid);
        merged_.erase(call.linkedid);
        call.order = ++order_;
        call.started = now;
        call.made = now_;
        call.generation = generation_;
    }
    return call;
}

Leg* CallModel::named(const Event& event, std::string_view header) {
    const std::string_view uniqueid = event.get(header);
    Leg* leg = uniqueid.empty() ? nullptr : living(uniqueid);
    if (leg != nullptr) leg->heard = event.now;
    return leg;
}

}  // namespace bridge
