// The lists of a sync: channels that were there before us, and those that are gone.
#include <algorithm>
#include <utility>

#include "bridge/call_model_impl.hpp"
#include "bridge/extensions.hpp"

namespace bridge {

namespace {

bool by_uniqueid(const Leg* a, const Leg* b) {
    return a->uniqueid < b->uniqueid;
}

// The peer of a dial string or channel: `PJSIP/201/sip:a@b`, `PJSIP/0044@201`, `SIP/201/0044`,
// `SIP/201-0000a` are all `TECH/201`; of a Local channel all up to the options.
std::string peer_of(std::string_view text, bool channel) {
    if (text.starts_with("Local/"))
        return std::string(text.substr(0, channel ? text.rfind('-') : text.find('/', 6)));
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    std::string_view peer = text.substr(slash + 1);
    if (channel) {
        peer = peer.substr(0, peer.rfind('-'));
    } else {
        peer = peer.substr(0, peer.find('/'));
        if (const std::size_t at = peer.rfind('@'); at != std::string_view::npos) peer.remove_prefix(at + 1);
    }
    return std::string(text.substr(0, slash + 1)) + std::string(peer);
}

bool names_channel(std::string_view device, std::string_view channel) {
    const std::string peer = peer_of(device, false);
    return !peer.empty() && peer == peer_of(channel, true);
}

}  // namespace

void CallModel::on_listed(const Event& event) {
    const std::string_view uniqueid = event.get("Uniqueid");
    if (uniqueid.empty() || event.get("Channel").empty()) return;
    const bool from_status = event.message.name() == "Status";
    Leg* leg = event.leg;
    const bool fresh = leg == nullptr;
    if (fresh) leg = &add_leg(event, uniqueid, event.get("Linkedid"));
    leg->call->changed_unseen = leg->call->changed_unseen || fresh;
    leg->seen = true;
    leg->application = event.get("Application");
    leg->application_data = event.get(from_status ? "Data" : "ApplicationData");
    take_caller(event, *leg);
    // only a channel on which somebody dials carries a number that was dialled
    const std::string_view dialed = value_or_nothing(event.get("DNID"));
    leg->places_call = leg->places_call || (!dialed.empty() && !leg->local);
    if (leg == leg->call->origin && leg->listed && leg->call->did.empty()) leg->call->did = dialed;
    if (leg->application == "Queue") {
        const std::string queue = leg->application_data.substr(0, leg->application_data.find(','));
        if (!queue.empty() && leg->call->queue != queue) {
            leg->call->queue = queue;
            leg->call->joined.reset();
        }
    }
    for (const ami::Header& header : event.message.headers()) {
        if (header.name != "Variable") continue;
        const std::size_t equals = std::min(header.value.find('='), header.value.size());
        take_variable(*leg, header.value.substr(0, equals),
                      header.value.substr(std::min(equals + 1, header.value.size())));
    }
    if (fresh) event.note(Change::Kind::leg_new, leg);
    event.note(Change::Kind::caller_known, leg);
    const std::string_view bridge = event.get(from_status ? "BridgeID" : "BridgeId");
    const ChannelState state = channel_state(event.get("ChannelStateDesc"));
    if (leg->bridge != bridge || leg->state != state) leg->call->changed_unseen = true;
    if (leg->call->changed_unseen && !looks_dialed(leg->first_exten)) leg->first_exten = event.get("Exten");
    if (bridge.empty()) leave_bridge(*leg);
    leg->bridge_listed = leg->bridge_listed || (!bridge.empty() && leg->bridge != bridge);
    enter_bridge(event, *leg, bridge, false);
    if (leg->application == "ConfBridge" && !bridge.empty()) {
        bridges_[std::string(bridge)].conference = true;
        event.note(Change::Kind::in_bridge, leg);
    }
    leg->up_listed = leg->up_listed || (state == ChannelState::up && leg->state != state);
    set_state(event, *leg, state);
}

void CallModel::on_list_complete(const Event& event) {
    channels_listed_ = true;
    event.note(Change::Kind::list_complete);
}

void CallModel::on_queues_complete(const Event&) {
    queues_listed_ = true;
    for (auto& [id, call] : calls_)
        if (call.in_queue && !call.queue_seen) call.changed_unseen = true;
}

void CallModel::on_fully_booted(const Event& event) {
    Change change{Change::Kind::booted, nullptr, nullptr, nullptr, std::string(event.get("Uptime")), {}, {}};
    event.changes.push_back(std::move(change));
}

// Hold and Unhold tell of a channel at once, the state of its device follows; so only a state that changed in
// the gap tells more. A device that was never on hold may be one that never shows it.
void CallModel::on_device_state(const Event& event) {
    const std::string_view name = event.get("Device"), state = event.get("State");
    if (!name.starts_with("PJSIP/") && !name.starts_with("SIP/")) return;
    const bool on_hold = state == "ONHOLD";
    Device& device = devices_[std::string(name)];
    const bool listed = !event.get("ActionID").empty();
    if (listed && device.on_hold != on_hold && (on_hold || state == "INUSE")) device.changed_unseen = true;
    device.on_hold = on_hold;
}

// chan_sip reports the phone that holds as ONHOLD, chan_pjsip the one that is held; both only when all
// channels of the device are.
std::optional<bool> CallModel::holds(const Leg& leg) const {
    const auto bridge = bridges_.find(leg.bridge);
    if (bridge == bridges_.end()) return std::nullopt;
    const Leg* shows = leg.channel.starts_with("SIP/") ? &leg : nullptr;
    if (leg.channel.starts_with("PJSIP/"))
        for (const Leg* other : bridge->second.legs)
            if (other != &leg && other->channel.starts_with("PJSIP/")) shows = other;
    if (shows == nullptr || bridge->second.legs.size() != 2) return std::nullopt;
    const std::string device = peer_of(shows->channel, true);
    const auto found = devices_.find(device);
    if (found == devices_.end() || !found->second.changed_unseen) return std::nullopt;
    if (found->second.on_hold) return true;
    const auto channels = std::count_if(legs_.begin(), legs_.end(), [&](const auto& one) {
        return one.second.alive() && peer_of(one.second.channel, true) == device;
    });
    if (channels == 1) return false;
    return std::nullopt;
}

void CallModel::sync_begin() {
    for (auto& [id, leg] : legs_) leg.seen = false;
    for (auto& [id, call] : calls_) call.queue_seen = false;
    channels_listed_ = queues_listed_ = false;
}

void CallModel::sync_end(Millis now, std::vector<Change>& changes) {
    std::vector<Leg*> shown;
    for (auto& [id, leg] : legs_)
        if (leg.alive() && leg.seen) shown.push_back(&leg);
    std::sort(shown.begin(), shown.end(), by_uniqueid);
    const Event event{ami::Message{}, now, changes};
    for (Leg* leg : shown) {
        if (leg->dialed || leg->dialer != nullptr) continue;
        infer_dialer(*leg);
        if (leg->dialed && leg->call->changed_unseen) event.note(Change::Kind::leg_dialed, leg);
    }
    for (Leg* leg : shown) {
        note_answer(event, *leg);
        if (std::exchange(leg->bridge_listed, false)) event.note(Change::Kind::in_bridge, leg);
        leg->application.clear();
        leg->application_data.clear();
    }
    for (Leg* leg : shown)
        if (const std::optional<bool> held = holds(*leg))
            event.note(*held ? Change::Kind::held : Change::Kind::unheld, leg);
    for (auto& [name, device] : devices_) device.changed_unseen = false;
    if (queues_listed_)
        for (auto& [id, call] : calls_)
            if (!call.queue_seen) call.in_queue = false;
    // a caller who still waits was answered by the queue, nobody else
    for (Leg* leg : shown)
        if (leg == leg->call->origin && leg->call->in_queue) leg->up_listed = false;
    for (auto& [id, call] : calls_)
        call.changed_unseen = false;  // a sync that broke off leaves it to the next
}

// Lists do not say who dialled a channel, but what each of them runs: the caller Dial or Queue, the called
// one AppDial, AppQueue, or AppDial2 behind an Originate.
void CallModel::infer_dialer(Leg& leg) {
    if (!leg.application.starts_with("App")) return;
    Leg* found = nullptr;
    bool several = false;
    for (Leg* other : leg.call->legs) {
        if (other == &leg || !other->alive() || !may_have_dialed(*other, leg)) continue;
        several = found != nullptr;
        if (found == nullptr || other->number == leg.connected_number) found = other;
    }
    leg.originated = leg.application == "AppDial2";
    leg.dialed = leg.originated || found != nullptr;
    if (found != nullptr && (!several || found->number == leg.connected_number)) leg.dialer = found;
}

// `Dial` names its devices, `PJSIP/201&SIP/202/0044,15,tT`; `Queue` its queue.
bool CallModel::may_have_dialed(const Leg& dialer, const Leg& leg) {
    if (dialer.application == "Queue") return leg.application == "AppQueue";
    if (dialer.application != "Dial" || leg.application != "AppDial") return false;
    std::string_view devices = dialer.application_data;
    devices = devices.substr(0, devices.find(','));
    while (!devices.empty()) {
        const std::size_t end = std::min(devices.find('&'), devices.size());
        if (names_channel(devices.substr(0, end), leg.channel)) return true;
        devices.remove_prefix(std::min(end + 1, devices.size()));
    }
    return false;
}

std::vector<Leg*> CallModel::unseen() {
    std::vector<Leg*> found;
    if (!channels_listed_) return found;  // both lists were refused: nothing is known
    for (auto& [id, leg] : legs_)
        if (leg.alive() && !leg.seen) found.push_back(&leg);
    std::sort(found.begin(), found.end(), by_uniqueid);
    return found;
}

std::vector<Call*> CallModel::changed_unseen() {
    std::vector<Call*> found;
    for (auto& [id, call] : calls_)
        if (call.changed_unseen) found.push_back(&call);
    std::sort(found.begin(), found.end(), [](const Call* a, const Call* b) { return a->order < b->order; });
    return found;
}

}  // namespace bridge
