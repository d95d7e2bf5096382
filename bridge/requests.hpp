// What operators ask by IQ (docs/design.md, section 5): one table row per request, one function each. Every
// request gets exactly one answer that says what really happened.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ami/session.hpp"
#include "bridge/dial_outcomes.hpp"
#include "bridge/dialer.hpp"
#include "bridge/pbx_side.hpp"
#include "crm/call_log.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class Requests {
 public:
    // What <me/> says beyond the person.
    struct Workplace {
        bool supervisor = false;
        std::string seat, xml;  // elements: services, reasons, features
    };
    // What the requests need of the daemon.
    struct Office {
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<PbxSide*(std::string_view pbx)> pbx;  // nullptr: no such pbx
        std::function<std::expected<crm::Number, std::string>(std::string_view text, std::string_view pbx)>
            dial_number;
        std::function<crm::Lookup(std::string_view number, std::string_view pbx)> from_index;
        std::function<void(const crm::DialRow&, crm::CallLog::Durable)>
            record;  // rows of calls go through the desk's outcome
        std::function<void(PbxSide&, Outcome&&)> handle;
        std::function<std::string(std::string_view jid)> calls_xml;  // the whole <calls/> element
        std::function<void(const Notice&)> shown;  // the answer to a dial shows it: its `ended` is owed
        std::function<std::string(const Notice&)> call_xml;  // one <call/> element
        std::function<void()> answered;                      // an answer waits in the stream
        std::function<void(const Reason&)> explain;
        // Whether the first may act for the second.
        std::function<bool(std::string_view by, std::string_view jid)> may_act_for;
        // Why nothing is dialled at this pbx at present; empty: it is.
        std::function<std::string(std::string_view pbx)> switched_off;
        std::function<Workplace(std::string_view jid)> workplace;
        // What the exchange lets us do with the calls of this operator: words of `actions`.
        std::function<std::vector<std::string_view>(const PbxSide& side, const crm::Operator& who)> features;
        std::function<void(std::string_view bare, std::string_view from)> seen;  // this client is there
    };

    Requests(Office office, DialingConfig dialing)
        : office_(std::move(office)), dialer_(std::move(dialing)) {}
    void fill(xmpp::IqTable& table);
    void configure(DialingConfig dialing) { dialer_.configure(std::move(dialing)); }

    // Who the request is for: the asker, or `on-behalf-of` for who may. Empty after a refusal.
    std::string person(const xmpp::Iq& iq, const xmpp::Responder& responder);
    // The one door of every dial: policy, audit row, Originate. `done` is called once, when Asterisk has
    // taken the order or somebody has refused.
    using Dialed = std::function<void(const std::expected<DialPlan, DialRefusal>&)>;
    void start_dial(const DialRequest& request, Dialed done);
    // Where a call may be transferred to: what the dialplan gets.
    std::expected<std::string, DialRefusal> transfer_target(const std::string& jid,
                                                            const std::string& number);
    // A number that was ordered by a command or a chat line. `told`: whether it is being called, and what to
    // say.
    void dial_for(const std::string& jid, const std::string& number,
                  const std::function<void(bool good, std::string text)>& told);
    // The same by a chat line: `told` is called once more when the call ends without an answer.
    void dial_by_chat(const std::string& jid, const std::string& number,
                      const std::function<void(bool good, std::string text)>& told);
    [[nodiscard]] DialOutcomes& outcomes() { return outcomes_; }

 private:
    using Iq = xmpp::Iq;
    using Responder = xmpp::Responder;
    void dial(const Iq& iq, const Responder& responder);
    void calls(const Iq& iq, const Responder& responder);
    void me(const Iq& iq, const Responder& responder);
    void phone_action(const Iq& iq, const Responder& responder);

    void order_dial(const std::string& jid, const std::string& number, bool followed,
                    const std::function<void(bool good, std::string text)>& told);
    // What is told to the asker when a dial went well.
    using Accepted = std::function<std::string(const DialPlan&)>;
    void dial_for(const Responder& responder, const DialRequest& request, Accepted accepted);
    [[nodiscard]] DialFacts facts_of(const DialRequest& request) const;
    void originate(const DialPlan& plan, const Dialed& done);
    void refuse(const Responder& responder, const DialRefusal& refusal);

    Office office_;
    Dialer dialer_;
    DialOutcomes outcomes_;
};

}  // namespace bridge
