#include "bridge/call_model.hpp"

#include <algorithm>
#include <charconv>

namespace bridge {

namespace {

constexpr std::size_t graves_kept = 20000;  // Uniqueids of ended channels remembered against late events

// Channel events write a missing name or number as `<unknown>`.
std::string_view value_or_nothing(std::string_view text) {
    return text == "<unknown>" || text == "(null)" ? std::string_view{} : text;
}

// Names in channel events are escaped as in C.
std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
            continue;
        }
        switch (const char next = text[++i]) {
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'a':
            case 'b':
            case 'f':
            case 'v':
                out.push_back(' ');
                break;
            case '"':
            case '\\':
            case '\'':
            case '?':
                out.push_back(next);
                break;
            default:
                out.push_back('\\');
                out.push_back(next);
        }
    }
    return out;
}

ChannelState channel_state(std::string_view description) {
    struct Name {
        std::string_view text;
        ChannelState state;
    };
    static constexpr Name names[] = {{"Down", ChannelState::down},
                                     {"Ring", ChannelState::ring},
                                     {"Ringing", ChannelState::ringing},
                                     {"Up", ChannelState::up}};
    for (const Name& name : names)
        if (name.text == description) return name.state;
    return ChannelState::other;
}

int number_of(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// `17` or `0:00:17`, seconds of a channel's life.
Millis age_of(const ami::Message& message) {
    if (const auto seconds = message.find("Seconds"))
        return std::chrono::seconds(std::max(0, number_of(*seconds)));
    std::string_view clock = message.get("Duration");
    long total = 0;
    while (!clock.empty()) {
        const std::size_t colon = std::min(clock.find(':'), clock.size());
        total = total * 60 + number_of(clock.substr(0, colon));
        clock.remove_prefix(std::min(colon + 1, clock.size()));
    }
    return std::chrono::seconds(std::clamp(total, 0L, 365L * 86400));
}

// Presentation bits of `CID-CallingPres: 32 (Presentation Prohibited, Not Screened)`.
bool prohibits(std::string_view pres) {
    return (number_of(pres) & 0x60) == 0x20;
}

}  // namespace

struct CallModel::Event {
    const ami::Message& message;
    Millis now;
    std::vector<Change>& changes;
    Leg* leg = nullptr;  // of the header Uniqueid, alive
    [[nodiscard]] std::string_view get(std::string_view name) const { return message.get(name); }
    void note(Change::Kind kind, Leg* who = nullptr, Leg* other = nullptr) const {
        changes.push_back({kind, who, who != nullptr ? who->call : nullptr, other, {}, {}, {}});
    }
};

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
    {"Status", &CallModel::on_listed, false},
    {"CoreShowChannel", &CallModel::on_listed, false},
    {"StatusComplete", &CallModel::on_list_complete, false},
    {"CoreShowChannelsComplete", &CallModel::on_list_complete, false},
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

    Event event{message, now, changes};
    const std::string_view uniqueid = event.get("Uniqueid");
    if (!uniqueid.empty()) {
        event.leg = find_leg(uniqueid);
        if (event.leg != nullptr && !event.leg->alive()) event.leg = nullptr;
        if (event.leg == nullptr && dead_.contains(std::string(uniqueid)) &&
            message.name() != "OriginateResponse") {
            changes.push_back({Change::Kind::late_event,
                               nullptr,
                               nullptr,
                               nullptr,
                               std::string(message.name()),
                               {},
                               std::string(uniqueid)});
            return;
        }
        if (event.leg != nullptr) follow_linkedid(event, *event.leg, event.get("Linkedid"));
    }
    if (row->second->needs_leg && event.leg == nullptr) return;
    (this->*row->second->handler)(event);
}

Leg* CallModel::find_leg(std::string_view uniqueid) {
    const auto found = legs_.find(std::string(uniqueid));
    return found == legs_.end() ? nullptr : &found->second;
}

bool CallModel::bridged_with_other(const Leg& leg) const {
    const auto bridge = bridges_.find(leg.bridge);
    return bridge != bridges_.end() &&
           std::any_of(bridge->second.legs.begin(), bridge->second.legs.end(),
                       [&](const Leg* other) { return other != &leg && !other->local; });
}

Call* CallModel::find_call(std::string_view linkedid) {
    std::string id(linkedid);
    for (auto next = merged_.find(id); next != merged_.end(); next = merged_.find(id)) id = next->second;
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

Leg* CallModel::named(const Event& event, std::string_view header) {
    const std::string_view uniqueid = event.get(header);
    if (uniqueid.empty()) return nullptr;
    Leg* leg = find_leg(uniqueid);
    return leg != nullptr && leg->alive() ? leg : nullptr;
}

Call& CallModel::make_call(std::string_view linkedid, Millis now) {
    Call& call = calls_[std::string(linkedid)];
    if (call.linkedid.empty()) {
        call.linkedid = linkedid;
        call.order = ++order_;
        call.started = now;
    }
    return call;
}

Leg& CallModel::add_leg(const Event& event, std::string_view uniqueid, std::string_view linkedid) {
    if (linkedid.empty()) linkedid = uniqueid;
    const bool listed = event.message.name() != "Newchannel";
    const Millis born = listed ? event.now - age_of(event.message) : event.now;
    Call* call = find_call(linkedid);
    if (call == nullptr) call = &make_call(linkedid, born);

    Leg& leg = legs_[std::string(uniqueid)];
    leg.uniqueid = uniqueid;
    leg.channel = event.get("Channel");
    leg.call = call;
    leg.born = born;
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
    return leg;
}

void CallModel::pair_local(Leg& leg) {
    locals_[leg.channel] = &leg;
    if (leg.channel.size() < 2) return;
    std::string other = leg.channel;
    if (other[other.size() - 2] != ';') return;
    other.back() = other.back() == '1' ? '2' : '1';
    if (const auto half = locals_.find(other); half != locals_.end()) {
        leg.sibling = half->second;
        half->second->sibling = &leg;
    }
}

void CallModel::follow_linkedid(const Event& event, Leg& leg, std::string_view linkedid) {
    if (linkedid.empty() || linkedid == leg.call->linkedid) return;
    Call* call = find_call(linkedid);
    if (call == leg.call) return;
    if (call == nullptr) {
        // the call it joined is over for us: what is left of it is no business of anybody
        if (dead_.contains(std::string(linkedid))) return;
        call = &make_call(linkedid, leg.call->started);
    }
    merge(event, *call, *leg.call);
}

void CallModel::merge(const Event& event, Call& into, Call& from) {
    for (Leg* leg : from.legs) {
        leg->call = &into;
        into.legs.push_back(leg);
    }
    if (into.queue.empty()) {
        into.queue = from.queue;
        into.joined = from.joined;
    }
    const auto later = [](std::optional<Millis>& mine, const std::optional<Millis>& other) {
        if (other && (!mine || *mine < *other)) mine = other;
    };
    later(into.last_end, from.last_end);
    later(into.last_phone_end, from.last_phone_end);
    later(into.last_ring_end, from.last_ring_end);
    merged_[from.linkedid] = into.linkedid;
    Change change{Change::Kind::merged, nullptr, &into, nullptr, from.linkedid, {}, {}};
    calls_.erase(from.linkedid);
    event.changes.push_back(std::move(change));
}

void CallModel::take_caller(const Event& event, Leg& leg) {
    leg.number = value_or_nothing(event.get("CallerIDNum"));
    leg.name = unescape(value_or_nothing(event.get("CallerIDName")));
    if (leg.first_number.empty()) leg.first_number = leg.number;
    leg.connected_number = value_or_nothing(event.get("ConnectedLineNum"));
    leg.connected_name = unescape(value_or_nothing(event.get("ConnectedLineName")));
}

void CallModel::take_variable(Leg& leg, std::string_view name, std::string_view value) {
    while (name.starts_with('_')) name.remove_prefix(1);
    value = value_or_nothing(value);
    if (&leg != leg.call->origin || value.empty()) return;
    if (name == "FROM_DID") leg.call->did = value;
    if (name == "CALLINGNUMPRES_SV" && value.starts_with("prohib")) leg.call->withheld = true;
}

void CallModel::set_state(const Event& event, Leg& leg, ChannelState state) {
    if (leg.state == ChannelState::up || leg.state == state) return;  // nothing unanswers
    leg.state = state;
    if (state == ChannelState::ringing && !leg.rang) leg.rang = event.now;
    if (state == ChannelState::up) leg.up = event.now;
    event.note(Change::Kind::leg_state, &leg);
}

void CallModel::on_newchannel(const Event& event) {
    const std::string_view uniqueid = event.get("Uniqueid");
    if (uniqueid.empty() || event.leg != nullptr) return;
    Leg& leg = add_leg(event, uniqueid, event.get("Linkedid"));
    take_caller(event, leg);
    leg.state = channel_state(event.get("ChannelStateDesc"));
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

void CallModel::on_hangup_request(const Event& event) {
    if (!event.leg->hangup_requested) event.leg->hangup_requested = event.now;
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
    call.last_end = now;
    if (!leg.local) call.last_phone_end = now;
    if (!leg.local && leg.rang) call.last_ring_end = now;
    leave_bridge(leg);
    if (leg.local) locals_.erase(leg.channel);
    bury(leg.uniqueid);
}

void CallModel::on_dial_begin(const Event& event) {
    Leg* dest = named(event, "DestUniqueid");
    if (dest == nullptr) return;
    follow_linkedid(event, *dest, event.get("DestLinkedid"));
    dest->dialed = true;
    if (event.get("Uniqueid").empty()) {
        dest->originated = true;
    } else if (event.leg != nullptr && event.leg != dest) {
        dest->dialer = event.leg;
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
    if (status == "ANSWER" && event.leg != nullptr)
        event.note(Change::Kind::dial_answered, event.leg, dest);
    else
        event.note(Change::Kind::evidence, dest);
}

void CallModel::enter_bridge(const Event& event, Leg& leg, std::string_view id, bool joins_calls) {
    if (id.empty() || leg.bridge == id) return;
    leave_bridge(leg);
    Bridge& bridge = bridges_[std::string(id)];
    bridge.joins_calls = bridge.joins_calls || joins_calls;
    leg.bridge = id;
    leg.left_by = nullptr;
    for (Leg* other : bridge.legs) {
        other->left_by = nullptr;
        if (!bridge.joins_calls || other->call == leg.call) continue;
        Call& a = *other->call;
        Call& b = *leg.call;
        const bool a_older = a.started != b.started ? a.started < b.started : a.order < b.order;
        merge(event, a_older ? a : b, a_older ? b : a);
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
    if (found->second.legs.empty()) bridges_.erase(found);
}

void CallModel::on_bridge_enter(const Event& event) {
    take_caller(event, *event.leg);
    enter_bridge(event, *event.leg, event.get("BridgeUniqueid"), event.get("BridgeType") == "basic");
    event.note(Change::Kind::in_bridge, event.leg);
}

void CallModel::on_bridge_leave(const Event& event) {
    if (event.leg->bridge == event.get("BridgeUniqueid")) leave_bridge(*event.leg);
}

void CallModel::on_hold(const Event& event) {
    event.note(Change::Kind::held, event.leg);
}

void CallModel::on_unhold(const Event& event) {
    event.note(Change::Kind::unheld, event.leg);
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

void CallModel::on_pickup(const Event& event) {
    if (Leg* leg = named(event, "TargetUniqueid")) {
        leg->picked_up = true;
        event.note(Change::Kind::evidence, leg);
    }
}

void CallModel::on_queue_join(const Event& event) {
    Call& call = *event.leg->call;
    call.queue = event.get("Queue");
    call.joined = event.now;
    call.in_queue = true;
    call.left_queue_unserved.reset();
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
    if (call.in_queue && call.queue == event.get("Queue")) return;
    call.queue = event.get("Queue");
    call.joined = event.now - std::chrono::seconds(std::max(0, number_of(event.get("Wait"))));
    call.in_queue = true;
}

void CallModel::on_agent_connect(const Event& event) {
    Call& call = *event.leg->call;
    if (call.queue.empty()) call.queue = event.get("Queue");
    if (!call.joined)
        call.joined = event.now - std::chrono::seconds(std::max(0, number_of(event.get("HoldTime"))));
}

void CallModel::on_originate_response(const Event& event) {
    const std::string_view id = event.get("Uniqueid");
    if (value_or_nothing(id).empty()) return;
    const bool failed = event.get("Response") == "Failure";
    std::string_view device = event.get("Channel");  // of a failure: the dial string, not a channel
    if (device.ends_with("/n")) device.remove_suffix(2);
    Call* call = find_call(id);
    if (call == nullptr) {
        if (failed && !dead_.contains(std::string(id)))
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

void CallModel::on_var_set(const Event& event) {
    take_variable(*event.leg, event.get("Variable"), event.get("Value"));
}

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
    for (Leg* leg : call.legs)  // nothing that stays may point at what goes
        for (Leg** pointer : {&leg->dialer, &leg->sibling, &leg->left_by})
            if (gone.contains(*pointer)) *pointer = nullptr;
    for (const Leg* leg : gone) legs_.erase(std::string(leg->uniqueid));
}

void CallModel::forget(Call& call) {
    for (Leg* leg : call.legs) {
        leave_bridge(*leg);
        if (leg->local) locals_.erase(leg->channel);
        bury(leg->uniqueid);
    }
    bury(call.linkedid);
    const auto legs = std::move(call.legs);
    std::erase_if(merged_, [&](const auto& pair) { return pair.second == call.linkedid; });
    calls_.erase(std::string(call.linkedid));
    for (const Leg* leg : legs) legs_.erase(std::string(leg->uniqueid));
}

void CallModel::bury(const std::string& uniqueid) {
    if (!dead_.insert(uniqueid).second) return;
    graves_.push_back(uniqueid);
    if (graves_.size() > graves_kept) {
        dead_.erase(graves_.front());
        graves_.pop_front();
    }
}

}  // namespace bridge
