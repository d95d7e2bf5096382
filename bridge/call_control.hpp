// What operators do with their calls, at one pbx, without sockets or clocks: checks, the action, and the
// event that proves it (docs/design.md, sections 5 and 11). Asterisk's "Success" means that it has taken the
// order, never that it is done: a NOTIFY reaches a phone that ignores it, a transfer needs its digits first.
// So an order is answered by its event, by Asterisk's refusal, by the end of the channel, or after
// `patience`.
//
// Source: Asterisk documentation "Asterisk N AMI Actions" (PJSIPNotify, SIPnotify, BlindTransfer, Atxfer,
// CancelAtxfer, Park, PickupChan); measured on 16 and 22.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ami/action.hpp"
#include "ami/message.hpp"
#include "ami/session.hpp"
#include "bridge/desk.hpp"
#include "xmpp/iq.hpp"

namespace bridge {

enum class CallAction : std::uint8_t {
    answer,
    hangup,
    hold,
    unhold,
    park,
    pickup,
    blind,     // transfer at once
    attended,  // ask a colleague first
    complete,  // and hand over
    cancel,    // or take the caller back
};
std::string_view to_string(CallAction control);  // "transfer-blind", for the audit and for people

struct CallActionRefusal {
    std::string rule;  // <denied rule='…'/>: call state right busy timeout pbx link ended phone
    xmpp::Condition condition = xmpp::Condition::conflict;
    std::string text;  // a person can read it
};

struct CallActionRequest {
    CallAction control = CallAction::hangup;
    std::string jid;
    std::string exten;  // of a transfer: what the dialplan gets
};

// How a pickup calls the own phone.
struct PickupPhone {
    std::string channel{};     // PJSIP/201
    std::string channel_id{};  // ctd-<uuid>
    std::string caller_id{};
    std::vector<std::pair<std::string, std::string>> variables{};
    std::string context{}, exten{};  // of the dialplan's own pickup; empty: the application PickupChan
};

struct CallActionOrder {
    std::uint64_t ticket = 0;
    ami::Action action;
};

struct CallActionAnswer {
    std::uint64_t ticket = 0;
    std::optional<CallActionRefusal> refusal;  // absent: it is done
    std::string slot;                          // of a parked call
};

struct CallActionOutcome {
    std::vector<CallActionAnswer> answers;  // exactly one per order
    bool offers_changed = false;            // ask the desk to renew them
    std::vector<std::string> hangups;       // channels of ours that nobody needs any more
};

struct CallActionConfig {
    std::string context = "from-internal";  // where transfers begin
    Millis patience{5000};                  // span: from the order to its event
    Millis pickup_patience{30000};          // span: the own phone has to be picked up first
};

class CallControl {
 public:
    explicit CallControl(CallActionConfig config) : config_(std::move(config)) {}
    void configure(CallActionConfig config) { config_ = std::move(config); }

    // Names of the actions this AMI user may use, as ListCommands gives them; before it is known nothing but
    // `hangup` is offered, and Asterisk itself refuses.
    void set_rights(std::set<std::string, std::less<>> actions);
    [[nodiscard]] bool may(std::string_view action) const;
    // The words of `actions` of a notice: what state and rights allow.
    [[nodiscard]] std::string offers(const Standing& standing) const;
    // What this operator can do at all with a phone of this technology: for <me/>.
    [[nodiscard]] std::vector<std::string_view> features(std::string_view channel) const;

    // All checks in order; absent: begin() would do it. `standing`: the ring, if it is the asker's.
    [[nodiscard]] std::optional<CallActionRefusal> check(const CallActionRequest& request,
                                                         const std::optional<Standing>& standing,
                                                         bool link_up) const;
    // The same, then the action to send.
    std::expected<CallActionOrder, CallActionRefusal> begin(const CallActionRequest& request,
                                                            const std::optional<Standing>& standing,
                                                            bool link_up, Millis now);
    // `standing`: the ring of somebody else.
    std::expected<CallActionOrder, CallActionRefusal> begin_pickup(const CallActionRequest& request,
                                                                   const std::optional<Standing>& standing,
                                                                   PickupPhone phone, bool link_up,
                                                                   Millis now);

    // Asterisk's answer to the action of an order.
    CallActionOutcome replied(std::uint64_t ticket, ami::Reply::Outcome outcome, std::string_view text);
    CallActionOutcome apply(const ami::Message& message);
    CallActionOutcome tick(Millis now);
    CallActionOutcome link_lost();
    [[nodiscard]] Millis next_deadline() const;  // Millis::max() when nothing is waited for
    [[nodiscard]] std::size_t waiting() const { return orders_.size(); }

 private:
    struct Order {
        CallAction control;
        std::string jid, uniqueid, bridge, partner_uniqueid;
        Millis deadline;
    };
    struct Row;
    static const Row rows[];
    struct State;
    struct Check;
    static const Check checks[];

    [[nodiscard]] static const Row& row(CallAction control);
    [[nodiscard]] bool consults(const Standing& standing) const;
    [[nodiscard]] bool begins_to_consult(const Standing& standing) const;
    [[nodiscard]] bool allowed_in(const Row& row, const Standing& standing) const;
    [[nodiscard]] std::optional<CallActionRefusal> refusal(const State& state) const;
    CallActionOrder remember(const CallActionRequest& request, const Standing& standing, ami::Action action,
                             Millis patience, Millis now);
    void finish(std::map<std::uint64_t, Order>::iterator order, std::optional<CallActionRefusal> refusal,
                std::string slot, CallActionOutcome& out);

    CallActionConfig config_;
    std::optional<std::set<std::string, std::less<>>> rights_;
    std::map<std::uint64_t, Order> orders_;
    std::map<std::string, std::string, std::less<>> consulting_;  // Uniqueid -> bridge of the first call
    std::uint64_t last_ticket_ = 0;
};

}  // namespace bridge
