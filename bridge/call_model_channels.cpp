// A channel's life: it appears, changes its state and its caller, is asked to end, ends.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {
constexpr std::size_t most_given_names = 8;  // of one call, which may go through that many queues
}

Leg& CallModel::add_leg(const Event& event, std::string_view uniqueid, std::string_view linkedid) {
    if (linkedid.empty()) linkedid = uniqueid;
    const bool listed = event.message.name() != "Newchannel";
    const Millis born = listed ? event.now - age_of(event.message) : event.now;
    Call* call = find_call(linkedid);
    if (call == nullptr) {
        call = &make_call(linkedid, born);
        call->remains = uniqueid != linkedid && same_life(linkedid);
    }

    Leg& leg = legs_[std::string(uniqueid)];
    leg.uniqueid = uniqueid;
    leg.channel = event.get("Channel");
    leg.call = call;
    leg.born = born;
    leg.heard = event.now;
    leg.listed = listed;
    leg.local = leg.channel.starts_with("Local/");
    leg.second_half = leg.local && leg.channel.ends_with(";2");
    leg.first_exten = event.get("Exten");
    leg.context = event.get("Context");
    call->legs.push_back(&leg);
    if (uniqueid == call->linkedid) {
        call->origin = &leg;
        // a list does not say when a call began, only how old each channel is; an Originate of ours began
        // when we asked
        if (listed) call->started = std::min(call->started, born);
    }
    if (leg.local) pair_local(leg);
    take_dialplan(event, leg);
    return leg;
}

void CallModel::pair_local(Leg& leg) {
    locals_[leg.channel] = &leg;
    if (leg.channel.size() < 2) return;
    std::string other = leg.channel;
    if (other[other.size() - 2] != ';') return;
    other.back() = other.back() == '1' ? '2' : '1';
    if (const auto half = locals_.find(other); half != locals_.end()) {
        tie(leg, &Leg::sibling, *half->second);
        tie(*half->second, &Leg::sibling, leg);
    }
}

void CallModel::on_newchannel(const Event& event) {
    const std::string_view uniqueid = event.get("Uniqueid");
    if (uniqueid.empty() || event.leg != nullptr) return;
    Leg& leg = add_leg(event, uniqueid, event.get("Linkedid"));
    take_caller(event, leg);
    leg.first_name = leg.name;
    leg.state = channel_state(event.get("ChannelStateDesc"));
    leg.places_call = leg.state == ChannelState::ring;
    event.note(Change::Kind::leg_new, &leg);
    if (leg.state == ChannelState::ringing || leg.state == ChannelState::up) {
        const ChannelState state = leg.state;
        leg.state = ChannelState::down;
        set_state(event, leg, state);
    }
}

void CallModel::on_newstate(const Event& event) {
    take_caller(event, *event.leg);
    set_state(event, *event.leg, channel_state(event.get("ChannelStateDesc")));
}

void CallModel::set_state(const Event& event, Leg& leg, ChannelState state) {
    if (leg.state == ChannelState::up || leg.state == state) return;  // nothing unanswers
    leg.state = state;
    if (state == ChannelState::ring) leg.places_call = true;
    if (state == ChannelState::ringing && !leg.rang) leg.rang = event.now;
    if (state == ChannelState::up) leg.up = event.now;
    event.note(Change::Kind::leg_state, &leg);
}

void CallModel::on_caller(const Event& event) {
    Leg& leg = *event.leg;
    take_caller(event, leg);
    if (&leg == leg.call->origin && prohibits(event.get("CID-CallingPres"))) leg.call->withheld = true;
    event.note(Change::Kind::caller_known, &leg);
}

void CallModel::on_connected(const Event& event) {
    take_caller(event, *event.leg);
    event.note(Change::Kind::caller_known, event.leg);
}

// A prefix of the dialplan, as FreePBX's queues have one, stays. A colleague may have the same name: it is
// the caller's beside the caller's number only.
std::string CallModel::as_sent(const Call& call, const std::string& number, std::string name) {
    const Leg* caller = call.origin;
    if (call.given_names.empty() || caller == nullptr) return name;
    if (number != caller->number && number != caller->first_number) return name;
    for (const GivenName& one : call.given_names) {
        const std::size_t prefix = name.size() - std::min(name.size(), one.given.size());
        if (name.ends_with(one.given) && (prefix == 0 || name[prefix - 1] == ':'))
            return name.substr(0, prefix) + one.network;
    }
    return name;
}

void CallModel::name_given(Call& call, std::string name) {
    const bool known =
        std::ranges::any_of(call.given_names, [&](const GivenName& one) { return one.given == name; });
    if (name.empty() || known) return;
    GivenName one{std::move(name), {}};
    // Known from a list first, it shows what an earlier run of ours gave it.
    if (call.origin != nullptr && call.origin->name != one.given) one.network = call.origin->name;
    if (call.given_names.size() == most_given_names) call.given_names.erase(call.given_names.begin());
    call.given_names.push_back(std::move(one));
    for (Leg* leg : call.legs) {
        leg->name = as_sent(call, leg->number, std::move(leg->name));
        leg->connected_name = as_sent(call, leg->connected_number, std::move(leg->connected_name));
    }
}

void CallModel::take_caller(const Event& event, Leg& leg) {
    leg.number = value_or_nothing(event.get("CallerIDNum"));
    leg.name = as_sent(*leg.call, leg.number, unescape(value_or_nothing(event.get("CallerIDName"))));
    if (leg.first_number.empty()) leg.first_number = leg.number;
    leg.connected_number = value_or_nothing(event.get("ConnectedLineNum"));
    leg.connected_name =
        as_sent(*leg.call, leg.connected_number, unescape(value_or_nothing(event.get("ConnectedLineName"))));
}

void CallModel::on_hold(const Event& event) {
    event.note(Change::Kind::held, event.leg);
}

void CallModel::on_unhold(const Event& event) {
    event.note(Change::Kind::unheld, event.leg);
}

void CallModel::on_hangup_request(const Event& event) {
    if (!event.leg->hangup_requested) {
        event.leg->hangup_requested = event.now;
        event.leg->hung_up_talking = !event.leg->bridge.empty();
    }
    if (event.leg->cause == 0) event.leg->cause = number_of(event.get("Cause"));
    event.note(Change::Kind::evidence, event.leg);
}

void CallModel::on_soft_hangup(const Event& event) {
    event.leg->soft_hangup = true;
    event.note(Change::Kind::evidence, event.leg);
}

void CallModel::on_hangup(const Event& event) {
    const int cause = number_of(event.get("Cause"));
    if (cause != 0) event.leg->cause = cause;
    end(*event.leg, event.now);
    event.note(Change::Kind::leg_ended, event.leg);
}

void CallModel::end(Leg& leg, Millis now) {
    leg.ended = now;
    Call& call = *leg.call;
    const auto later = [&](std::optional<Millis>& last) { last = std::max(last.value_or(now), now); };
    later(call.last_end);
    if (!leg.local) later(call.last_phone_end);
    if (!leg.local && leg.rang) later(call.last_ring_end);
    leave_bridge(leg);
    if (leg.local) locals_.erase(leg.channel);
    leg.call->generation = generation_;
    bury(leg.uniqueid, generation_);
}

}  // namespace bridge
