// Who rings whom: Dial and its end, Originate, pickup.
#include "bridge/call_model_impl.hpp"

namespace bridge {

void CallModel::on_dial_begin(const Event& event) {
    Leg* dest = named(event, "DestUniqueid");
    if (dest == nullptr) return;
    follow_linkedid(event, *dest, event.get("DestLinkedid"));
    dest->dialed = true;
    if (event.get("Uniqueid").empty()) {
        dest->originated = true;
    } else if (event.leg != nullptr && event.leg != dest) {
        tie(*dest, &Leg::dialer, *event.leg);
    }
    event.note(Change::Kind::leg_dialed, dest);
}

void CallModel::on_dial_end(const Event& event) {
    Leg* dest = named(event, "DestUniqueid");
    if (dest == nullptr) return;
    const std::string_view status = event.get("DialStatus");
    // a queue round that timed out says NOANSWER and then CANCEL
    if (!(status == "CANCEL" && dest->dial_status == "NOANSWER")) dest->dial_status = status;
    if (!event.get("Forward").empty()) dest->forwarded = true;
    dest->answer_told = dest->answer_told || status == "ANSWER";
    if (status == "ANSWER" && event.leg != nullptr) {
        tie(*event.leg, &Leg::reached, *dest);
        event.note(Change::Kind::dial_answered, event.leg, dest);
    } else {
        event.note(Change::Kind::evidence, dest);
    }
}

void CallModel::on_pickup(const Event& event) {
    Leg* target = named(event, "TargetUniqueid");
    if (target == nullptr) return;
    target->picked_up = true;
    event.note(Change::Kind::evidence, target);
    // Behind a Local channel nothing shows the new Linkedid of the one who picked up until he leaves.
    const Leg* picker = named(event, "Uniqueid");
    if (picker != nullptr) join(event, *picker->call, *target->call);
}

void CallModel::on_originate_response(const Event& event) {
    const std::string_view id = event.get("Uniqueid");
    if (value_or_nothing(id).empty()) return;
    const bool failed = event.get("Response") == "Failure";
    std::string_view device = event.get("Channel");  // of a failure: the dial string, not a channel
    if (device.ends_with("/n")) device.remove_suffix(2);
    Call* call = find_call(id);
    if (call == nullptr) {
        if (failed && !just_over(id, event.now))
            event.changes.push_back({Change::Kind::originate_without_channel, nullptr, nullptr, nullptr,
                                     std::string(id), std::string(device), std::string(event.get("Exten"))});
        return;
    }
    if (failed) {
        // a second Originate with a ChannelId in use fails under the id of the first
        if (call->origin != nullptr && !call->origin->channel.starts_with(std::string(device) + "-")) return;
        call->originate_failure = number_of(event.get("Reason"));
    } else {
        call->originate_success = true;
    }
    call->asked_exten = event.get("Exten");
    event.changes.push_back({Change::Kind::originate_done, call->origin, call, nullptr, std::string(id),
                             std::string(device), call->asked_exten});
}

}  // namespace bridge
