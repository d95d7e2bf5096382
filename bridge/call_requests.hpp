// What operators ask to be done with their calls, by IQ: <answer/>, <hangup/>, <hold/>, <unhold/>, <park/>,
// <pickup/>, <transfer/> (docs/design.md, section 5). Whose call it is is looked up here, what may be done
// and whether it was done is CallControl's. Every request gets one answer, one audit row and one reason.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "bridge/call_control.hpp"
#include "bridge/dialer.hpp"
#include "bridge/pbx_side.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class CallRequests {
 public:
    struct Ports {
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<bool(std::string_view by, std::string_view jid)> may_act_for;  // may ask on behalf of
        std::function<PbxSide*(std::string_view pbx)> pbx;
        std::function<std::expected<std::string, DialRefusal>(const std::string& jid,
                                                              const std::string& number)>
            target;  // dial policy
        std::function<void(const crm::DialRow&)> record;
        std::function<void(const Reason&)> explain;
        std::function<void()> answered;  // an answer waits in the stream
        std::function<void()> arm;       // next_deadline() has changed
    };

    // What somebody wants done with a call, however they say it.
    struct Asking {
        CallAction control = CallAction::hangup;
        std::string by{};            // bare JID of who asks
        std::string on_behalf_of{};  // empty: for themselves
        std::string id{}, leg{};     // of the call; an empty leg: its first
        std::string to{};            // of a transfer
    };
    // Called once: the refusal, or null and perhaps where it was parked.
    using Told = std::function<void(const CallActionRefusal* refusal, std::string_view slot)>;

    explicit CallRequests(Ports ports) : ports_(std::move(ports)) {}
    void fill(xmpp::IqTable& table);
    void ask(const Asking& asking, Told told);

    void add(PbxSide& side);  // once for each, before anything else
    void link(PbxSide& side, bool up);
    void message(PbxSide& side, const ami::Message& message);
    void tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;
    [[nodiscard]] const CallControl* control(std::string_view pbx) const;

 private:
    struct Asked {
        Told told;
        crm::DialRow row;
        std::string leg;
    };
    struct Place {
        CallControl control;
        std::map<std::uint64_t, Asked> asked;
    };
    using Ordered = std::expected<CallActionOrder, CallActionRefusal>;

    void ask(CallAction control, const xmpp::Iq& iq, const xmpp::Responder& responder);
    void transfer(const xmpp::Iq& iq, const xmpp::Responder& responder);
    Ordered order(const CallActionRequest& request, PbxSide& side, Place& place, std::string_view id,
                  std::string_view leg);
    Ordered pick_up(const CallActionRequest& request, PbxSide& side, Place& place, std::string_view id,
                    std::string_view leg);
    void hang_up_dial(PbxSide& side, const std::string& channel, Asked asked);
    void send(PbxSide& side, const CallActionOrder& order);
    void perform(PbxSide& side, CallActionOutcome&& outcome);
    void refuse(Asked& asked, const CallActionRefusal& refusal);
    void done(Asked& asked, std::string_view slot);
    void log(Asked& asked, std::string outcome, Why why, std::string text, std::string rule);

    Ports ports_;
    std::map<std::string, Place, std::less<>> places_;  // by pbx
    std::map<std::string, PbxSide*, std::less<>> sides_;
};

// Whether `by` answers for `jid`: a supervisor of a service that `jid` works for.
bool supervises(const std::vector<crm::Service>& services, std::string_view by, std::string_view jid);
// Whether two operators may take each other's calls: they work for one service, or no service names anybody.
bool are_colleagues(const std::vector<crm::Service>& services, std::string_view one, std::string_view other);

}  // namespace bridge
