#include "bridge/call_control.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "bridge/dialer.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

using xmpp::Condition;

// States of a ring, as bits.
constexpr unsigned dialing = 1, ringing = 2, answered = 4, held = 8;
unsigned bit(RingState state) {
    switch (state) {
        case RingState::dialing:
            return dialing;
        case RingState::ringing:
            return ringing;
        case RingState::answered:
            return answered;
        case RingState::held:
            return held;
        case RingState::ended:
            break;
    }
    return 0;
}

enum class Consulting : std::uint8_t { no, yes, any };

bool is_pjsip(std::string_view channel) {
    return channel.starts_with("PJSIP/");
}
// The action that tells this phone something; empty: there is none for its technology.
std::string_view notify_of(std::string_view channel) {
    if (is_pjsip(channel)) return "PJSIPNotify";
    if (channel.starts_with("SIP/")) return "SIPnotify";
    return {};
}
ami::Action notify(const Standing& standing, std::string_view event) {
    const ami::NotifyHeaders headers{{"Event", std::string(event)}};
    // chan_sip has no channels here: its NOTIFY goes to the phone, which knows its call.
    return is_pjsip(standing.channel) ? ami::pjsip_notify_channel(standing.channel, headers)
                                      : ami::sip_notify(device_of(standing.channel), headers);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// What an event says of an order.
enum class Proof : std::uint8_t { nothing, done, failed };

struct Place {
    std::string_view uniqueid, bridge, partner;
};
bool of(const ami::Message& message, std::string_view event, const Place& place) {
    return message.is_event(event) && message.get("Uniqueid") == place.uniqueid;
}
Proof answer_seen(const ami::Message& m, const Place& place) {
    return of(m, "Newstate", place) && m.get("ChannelState") == "6" ? Proof::done : Proof::nothing;
}
Proof hangup_seen(const ami::Message& m, const Place& place) {
    return of(m, "Hangup", place) ? Proof::done : Proof::nothing;
}
Proof hold_seen(const ami::Message& m, const Place& place) {
    return of(m, "Hold", place) ? Proof::done : Proof::nothing;
}
Proof unhold_seen(const ami::Message& m, const Place& place) {
    return of(m, "Unhold", place) ? Proof::done : Proof::nothing;
}
Proof parked_seen(const ami::Message& m, const Place& place) {
    return m.is_event("ParkedCall") && m.get("ActionID").empty() && m.get("ParkeeUniqueid") == place.partner
               ? Proof::done
               : Proof::nothing;
}
Proof pickup_seen(const ami::Message& m, const Place& place) {
    if (m.is_event("OriginateResponse") && m.get("Uniqueid") == place.uniqueid &&
        m.get("Response") == "Failure")
        return Proof::failed;
    return m.is_event("Pickup") && m.get("TargetUniqueid") == place.partner ? Proof::done : Proof::nothing;
}
Proof transfer_seen(const ami::Message& m, const Place& place) {
    if (!m.is_event("BlindTransfer") || m.get("TransfererUniqueid") != place.uniqueid) return Proof::nothing;
    return m.get("Result") == "Success" ? Proof::done : Proof::failed;
}
// The operator's channel goes over to the bridge with the colleague's.
Proof consultation_seen(const ami::Message& m, const Place& place) {
    return of(m, "BridgeEnter", place) && m.get("BridgeUniqueid") != place.bridge ? Proof::done
                                                                                  : Proof::nothing;
}
Proof handed_over(const ami::Message& m, const Place& place) {
    if (!m.is_event("AttendedTransfer") || (m.get("OrigTransfererUniqueid") != place.uniqueid &&
                                            m.get("SecondTransfererUniqueid") != place.uniqueid))
        return Proof::nothing;
    return m.get("Result") == "Success" ? Proof::done : Proof::failed;
}
// ... and comes back to the first call's.
Proof taken_back(const ami::Message& m, const Place& place) {
    return of(m, "BridgeEnter", place) && m.get("BridgeUniqueid") == place.bridge ? Proof::done
                                                                                  : Proof::nothing;
}

}  // namespace

struct CallControl::Row {
    CallAction control;
    std::string_view name;
    std::string_view word;   // in `actions`; empty: not offered by itself
    std::string_view right;  // the AMI action it needs; empty: the one that tells the phone something
    unsigned states;         // of the ring
    Consulting consulting;
    bool needs_bridge, needs_partner;
    std::string_view wrong_state;  // what to say then
    std::string_view impatient;    // ... when its event does not come
    ami::Action (*action)(const CallActionRequest&, const Standing&, const CallActionConfig&);
    Proof (*proof)(const ami::Message&, const Place&);
};

namespace {

constexpr std::string_view deaf =
    "the phone did not do it within 5 s; perhaps it does not take commands (event \"talk\" and \"hold\" of a "
    "NOTIFY), or not from here";
constexpr std::string_view no_event = "the telephone exchange did not report within 5 s that it is done";
constexpr std::string_view no_feature =
    "the telephone exchange did not begin the transfer within 5 s; the dialplan's Dial or Queue needs the "
    "option t or T, and features.conf a code for `atxfer`";

using Request = CallActionRequest;
ami::Action do_answer(const Request&, const Standing& s, const CallActionConfig&) {
    return notify(s, "talk");
}
ami::Action do_hangup(const Request&, const Standing& s, const CallActionConfig&) {
    return ami::hangup(s.uniqueid);
}
ami::Action do_hold(const Request&, const Standing& s, const CallActionConfig&) {
    return notify(s, "hold");
}
ami::Action do_park(const Request&, const Standing& s, const CallActionConfig&) {
    return ami::park(s.partner, s.channel);
}
ami::Action do_blind(const Request& r, const Standing& s, const CallActionConfig& config) {
    return ami::blind_transfer(s.channel, config.context, r.exten);
}
ami::Action do_attended(const Request& r, const Standing& s, const CallActionConfig& config) {
    return ami::atxfer(s.channel, config.context, r.exten);
}
ami::Action do_cancel(const Request&, const Standing& s, const CallActionConfig&) {
    return ami::cancel_atxfer(s.channel);
}

}  // namespace

const CallControl::Row CallControl::rows[] = {
    {CallAction::answer, "answer", "answer", "", ringing, Consulting::no, false, false,
     "only a call that rings can be answered", deaf, do_answer, answer_seen},
    {CallAction::hangup, "hangup", "hangup", "Hangup", dialing | ringing | answered | held, Consulting::any,
     false, false, "this call is over", no_event, do_hangup, hangup_seen},
    {CallAction::hold, "hold", "hold", "", answered, Consulting::no, true, false,
     "only a call that you talk in can be held", deaf, do_hold, hold_seen},
    {CallAction::unhold, "unhold", "unhold", "", held, Consulting::no, true, false,
     "only a call that you hold can be resumed", deaf, do_answer, unhold_seen},
    {CallAction::park, "park", "park", "Park", answered | held, Consulting::no, true, true,
     "only a call that you talk in can be parked", no_event, do_park, parked_seen},
    {CallAction::pickup, "pickup", "", "Originate", ringing, Consulting::any, false, false,
     "only a call that rings can be picked up", "your phone was not picked up in time", nullptr, pickup_seen},
    {CallAction::blind, "transfer-blind", "transfer", "BlindTransfer", answered | held, Consulting::no, true,
     false, "only a call that you talk in can be transferred", no_event, do_blind, transfer_seen},
    {CallAction::attended, "transfer-attended", "consult", "Atxfer", answered, Consulting::no, true, false,
     "only while you talk with the caller you can ask a colleague", no_feature, do_attended,
     consultation_seen},
    {CallAction::complete, "transfer-complete", "complete", "Hangup", answered | held, Consulting::yes, true,
     true, "you are not asking a colleague in this call", no_event, do_hangup, handed_over},
    {CallAction::cancel, "transfer-cancel", "cancel", "CancelAtxfer", answered | held, Consulting::yes, true,
     false, "you are not asking a colleague in this call", no_event, do_cancel, taken_back},
};

const CallControl::Row& CallControl::row(CallAction control) {
    return rows[static_cast<std::size_t>(control)];
}

std::string_view to_string(CallAction control) {
    static constexpr std::string_view names[] = {"answer",
                                                 "hangup",
                                                 "hold",
                                                 "unhold",
                                                 "park",
                                                 "pickup",
                                                 "transfer-blind",
                                                 "transfer-attended",
                                                 "transfer-complete",
                                                 "transfer-cancel"};
    return names[static_cast<std::size_t>(control)];
}

// ---- what is offered ----

void CallControl::set_rights(std::set<std::string, std::less<>> actions) {
    rights_.emplace();
    for (const auto& action : actions) rights_->insert(lower(action));
}

bool CallControl::may(std::string_view action) const {
    return !rights_ || rights_->contains(lower(action));
}

bool CallControl::consults(const Standing& standing) const {
    const auto found = consulting_.find(standing.uniqueid);
    return found != consulting_.end() && !standing.bridge.empty() && found->second != standing.bridge;
}

// The call is held meanwhile, as if the operator had done it.
bool CallControl::begins_to_consult(const Standing& standing) const {
    return std::ranges::any_of(orders_, [&](const auto& one) {
        return one.second.control == CallAction::attended && one.second.uniqueid == standing.uniqueid;
    });
}

bool CallControl::allowed_in(const Row& row, const Standing& standing) const {
    if ((row.states & bit(standing.state)) == 0) return false;
    return row.consulting == Consulting::any || (row.consulting == Consulting::yes) == consults(standing);
}

std::string CallControl::offers(const Standing& standing) const {
    std::string words;
    for (const auto& row : rows) {
        const auto right = row.right.empty() ? notify_of(standing.channel) : row.right;
        if (row.word.empty() || right.empty() || !allowed_in(row, standing)) continue;
        if (row.control != CallAction::hangup && begins_to_consult(standing)) continue;
        if (rights_ ? !may(right) : row.control != CallAction::hangup) continue;
        if (!words.empty()) words += ' ';
        words += row.word;
    }
    return words;
}

std::vector<std::string_view> CallControl::features(std::string_view channel) const {
    std::vector<std::string_view> names;
    for (const auto& row : rows) {
        const auto right = row.right.empty() ? notify_of(channel) : row.right;
        if (row.consulting == Consulting::yes) continue;  // they go with `consult`
        if (!right.empty() && (rights_ ? may(right) : row.control == CallAction::hangup))
            names.push_back(row.word.empty() ? row.name : row.word);
    }
    return names;
}

// ---- checks ----

struct CallControl::State {
    const CallControl& control;
    const CallActionRequest& request;
    const Row& row;
    const std::optional<Standing>& standing;
    bool link_up;
};
struct CallControl::Check {
    std::string_view rule;
    Condition condition;
    std::optional<std::string> (*look)(const State&);
};

// In this order; the first that refuses is the answer.
const CallControl::Check CallControl::checks[] = {
    {"link", Condition::service_unavailable,
     [](const State& s) -> std::optional<std::string> {
         if (s.link_up) return {};
         return "the telephone exchange cannot be reached at present";
     }},
    {"call", Condition::item_not_found,
     [](const State& s) -> std::optional<std::string> {
         if (s.standing) return {};
         return s.request.control == CallAction::pickup ? "there is no such call; it may be over"
                                                        : "you have no such call; it may be over";
     }},
    {"state", Condition::conflict,
     [](const State& s) -> std::optional<std::string> {
         if (!s.control.allowed_in(s.row, *s.standing))
             return s.row.consulting == Consulting::no && s.control.consults(*s.standing)
                        ? "you are asking a colleague in this call: complete or cancel that first"
                        : std::string(s.row.wrong_state);
         if (s.standing->uniqueid.empty() || (s.row.needs_bridge && s.standing->bridge.empty()))
             return "nobody is on the other end at this moment; try again";
         return {};
     }},
    {"partner", Condition::conflict,
     [](const State& s) -> std::optional<std::string> {
         if (!s.row.needs_partner || !s.standing->partner_uniqueid.empty()) return {};
         return s.row.consulting == Consulting::yes
                    ? "your colleague has not answered yet; wait, or cancel and transfer without asking"
                    : "this call has not exactly one other end, so it cannot be parked";
     }},
    {"phone", Condition::feature_not_implemented,
     [](const State& s) -> std::optional<std::string> {
         if (!s.row.right.empty() || !notify_of(s.standing->channel).empty()) return {};
         return fmt::format("phones of the kind {} take no commands from the exchange",
                            printable(device_of(s.standing->channel), 40));
     }},
    {"right", Condition::forbidden,
     [](const State& s) -> std::optional<std::string> {
         const auto right = s.row.right.empty() ? notify_of(s.standing->channel) : s.row.right;
         if (s.control.may(right)) return {};
         return fmt::format("the telephone exchange does not let us use {}; ask the administrator", right);
     }},
    {"busy", Condition::conflict,
     [](const State& s) -> std::optional<std::string> {
         const auto& orders = s.control.orders_;
         const bool busy = std::ranges::any_of(orders, [&](const auto& one) {
             return one.second.control != CallAction::hangup && one.second.uniqueid == s.standing->uniqueid;
         });
         if (!busy || s.request.control == CallAction::hangup) return {};
         return "something else is being done with this call; wait until it is done";
     }},
};

std::optional<CallActionRefusal> CallControl::refusal(const State& state) const {
    for (const auto& check : checks)
        if (auto text = check.look(state))
            return CallActionRefusal{std::string(check.rule), check.condition, std::move(*text)};
    return {};
}

std::optional<CallActionRefusal> CallControl::check(const CallActionRequest& request,
                                                    const std::optional<Standing>& standing,
                                                    bool link_up) const {
    return refusal({*this, request, row(request.control), standing, link_up});
}

// ---- orders ----

CallActionOrder CallControl::remember(const CallActionRequest& request, const Standing& standing,
                                      ami::Action action, Millis patience, Millis now) {
    const auto consultation = consulting_.find(standing.uniqueid);
    const auto ticket = ++last_ticket_;
    orders_.emplace(ticket, Order{.control = request.control,
                                  .jid = request.jid,
                                  .uniqueid = standing.uniqueid,
                                  // of the first call: where a consultation leaves from and comes back to
                                  .bridge = consultation != consulting_.end() &&
                                                    row(request.control).consulting == Consulting::yes
                                                ? consultation->second
                                                : standing.bridge,
                                  .partner_uniqueid = standing.partner_uniqueid,
                                  .deadline = now + patience});
    return {ticket, std::move(action)};
}

std::expected<CallActionOrder, CallActionRefusal> CallControl::begin(const CallActionRequest& request,
                                                                     const std::optional<Standing>& standing,
                                                                     bool link_up, Millis now) {
    if (auto refused = check(request, standing, link_up)) return std::unexpected(std::move(*refused));
    return remember(request, *standing, row(request.control).action(request, *standing, config_),
                    config_.patience, now);
}

std::expected<CallActionOrder, CallActionRefusal> CallControl::begin_pickup(
    const CallActionRequest& request, const std::optional<Standing>& standing, PickupPhone phone,
    bool link_up, Millis now) {
    if (auto refused = refusal({*this, request, row(CallAction::pickup), standing, link_up}))
        return std::unexpected(std::move(*refused));
    ami::Action action = ami::originate({.channel = phone.channel,
                                         .context = phone.context,
                                         .exten = phone.exten,
                                         .caller_id = phone.caller_id,
                                         .timeout = config_.pickup_patience,
                                         .channel_id = phone.channel_id,
                                         .variables = std::move(phone.variables)});
    if (phone.exten.empty()) {
        std::erase_if(action.headers, [](const auto& header) {
            return header.first == "Context" || header.first == "Exten" || header.first == "Priority";
        });
        action.headers.emplace_back("Application", "PickupChan");
        action.headers.emplace_back("Data", standing->channel);
    }
    Standing own = *standing;
    own.partner_uniqueid = standing->uniqueid;
    own.uniqueid = phone.channel_id;
    return remember(request, own, std::move(action), config_.pickup_patience + config_.patience, now);
}

void CallControl::finish(std::map<std::uint64_t, Order>::iterator order,
                         std::optional<CallActionRefusal> refusal, std::string slot, CallActionOutcome& out) {
    const auto ticket = order->first;
    const auto done = std::move(order->second);
    orders_.erase(order);
    if (done.control == CallAction::attended) {
        if (!refusal) consulting_.insert_or_assign(done.uniqueid, done.bridge);
        out.offers_changed = true;
    }
    if (refusal && done.control == CallAction::pickup) out.hangups.push_back(done.uniqueid);
    out.answers.push_back({ticket, std::move(refusal), std::move(slot)});
}

CallActionOutcome CallControl::replied(std::uint64_t ticket, ami::Reply::Outcome outcome,
                                       std::string_view text) {
    CallActionOutcome out;
    const auto order = orders_.find(ticket);
    if (order == orders_.end() || outcome == ami::Reply::Outcome::success) return out;
    CallActionRefusal refusal{"pbx", condition_of(text),
                              fmt::format("the telephone exchange refused: {}", printable(text, 200))};
    if (outcome == ami::Reply::Outcome::timeout)
        refusal = {"timeout", Condition::remote_server_timeout, std::string(text)};
    if (outcome == ami::Reply::Outcome::link_lost)
        refusal = {"link", Condition::service_unavailable, std::string(text)};
    finish(order, std::move(refusal), {}, out);
    return out;
}

CallActionOutcome CallControl::apply(const ami::Message& message) {
    CallActionOutcome out;
    if (message.kind() != ami::Message::Kind::event || (orders_.empty() && consulting_.empty())) return out;
    const auto uniqueid = message.get("Uniqueid");
    const bool ended = message.is_event("Hangup");
    for (auto next = orders_.begin(); next != orders_.end();) {
        const auto order = next++;
        const auto& one = order->second;
        switch (row(one.control).proof(message, {one.uniqueid, one.bridge, one.partner_uniqueid})) {
            case Proof::done:
                finish(order, {}, std::string(message.get("ParkingSpace")), out);
                continue;
            case Proof::failed: {
                const auto result = message.get("Result");
                finish(order,
                       CallActionRefusal{
                           "pbx",
                           result == "Invalid" ? Condition::item_not_found : Condition::undefined_condition,
                           one.control == CallAction::pickup
                               ? std::string("your phone did not answer, so nothing was picked up")
                               : fmt::format("the telephone exchange says of the transfer: {}",
                                             printable(result, 40))},
                       {}, out);
                continue;
            }
            case Proof::nothing:
                break;
        }
        if (ended && (uniqueid == one.uniqueid ||
                      (one.control == CallAction::pickup && uniqueid == one.partner_uniqueid)))
            finish(order,
                   CallActionRefusal{"ended", Condition::conflict, "the call ended before it could be done"},
                   {}, out);
    }
    if (const auto consultation = consulting_.find(uniqueid); consultation != consulting_.end()) {
        const bool back =
            message.is_event("BridgeEnter") && message.get("BridgeUniqueid") == consultation->second;
        if (ended || back) consulting_.erase(consultation);
        out.offers_changed = out.offers_changed || back;
    }
    return out;
}

CallActionOutcome CallControl::tick(Millis now) {
    CallActionOutcome out;
    for (auto next = orders_.begin(); next != orders_.end();) {
        const auto order = next++;
        if (order->second.deadline > now) continue;
        finish(order,
               CallActionRefusal{"timeout", Condition::remote_server_timeout,
                                 std::string(row(order->second.control).impatient)},
               {}, out);
    }
    return out;
}

CallActionOutcome CallControl::link_lost() {
    CallActionOutcome out;
    while (!orders_.empty())
        finish(
            orders_.begin(),
            CallActionRefusal{"link", Condition::service_unavailable,
                              "the connection to the telephone exchange was lost; whether it was done is not "
                              "known"},
            {}, out);
    return out;
}

Millis CallControl::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [ticket, order] : orders_) next = std::min(next, order.deadline);
    return next;
}

}  // namespace bridge
