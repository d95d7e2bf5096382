// What operators and administrators order without a client of ours: ad-hoc commands (XEP-0050), and chat
// lines to pbx@COMPONENT. Both take the way of the requests, with the same checks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/agent_requests.hpp"
#include "xmpp/adhoc.hpp"

namespace bridge {

class OperatorCommands {
 public:
    // What it needs of the daemon.
    struct Office {
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<std::vector<AgentPicture>()> pictures;                // of every pbx
        std::function<std::vector<crm::Seat>(std::string_view jid)> seats;  // where they may sit
        std::function<const std::vector<AgentReason>&()> reasons;
        std::function<void(std::string_view bare, std::string_view from)> seen;  // this client is there
        // `told`: whether the call is being made, and what to say.
        std::function<void(const std::string& jid, const std::string& number,
                           std::function<void(bool good, std::string text)> told)>
            dial;
        // The same for a chat line: `told` is called again when nobody answered.
        std::function<void(const std::string& jid, const std::string& number,
                           std::function<void(bool good, std::string text)> told)>
            dial_by_chat;
        std::function<void(std::string_view to, std::string_view text)> say;  // a chat line
        std::function<void()> answered;                                       // an answer waits in the stream
    };

    OperatorCommands(Office office, AgentRequests& agents) : office_(std::move(office)), agents_(agents) {}
    void fill(xmpp::Commands& commands);
    void chat(std::string_view from, std::string_view bare, std::string_view type, std::string_view body,
              Millis now);

 private:
    using Told = std::function<void(bool good, std::string text)>;
    using Done = std::function<void(xmpp::CommandResult)>;
    void change(AgentRequest request, const Told& told);
    void order(const std::string& bare, std::string_view line, Millis now, const Told& told);
    void add_own(xmpp::Commands& commands);
    void add_for_administrators(xmpp::Commands& commands);
    [[nodiscard]] bool has_desk(const std::string& bare) const;
    [[nodiscard]] xmpp::Form reason_form() const;
    [[nodiscard]] xmpp::Form seat_form(const std::string& bare) const;
    [[nodiscard]] xmpp::FormTable table() const;

    Office office_;
    AgentRequests& agents_;
    std::map<std::string, Millis, std::less<>>
        puzzled_;  // who was told lately that a line was not understood
};

}  // namespace bridge
