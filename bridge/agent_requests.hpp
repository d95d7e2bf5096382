// What is asked about agent state: <agent/> by IQ, and the one way that commands and chat lines take too.
// Every request gets one answer, when it is in force or promised for the end of a call.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/agent_words.hpp"
#include "bridge/pbx_side.hpp"
#include "xmpp/iq.hpp"

namespace bridge {

class AgentRequests {
 public:
    // What it needs of the daemon.
    struct Office {
        // Who the request is for; empty after a refusal.
        std::function<std::string(const xmpp::Iq&, const xmpp::Responder&)> person;
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<PbxSide*(std::string_view pbx)> pbx;  // nullptr: no such pbx
        std::function<std::string(const AgentPicture&, std::string_view to)>
            element;                     // <agent/> for that JID
        std::function<void()> answered;  // an answer waits in the stream
    };

    explicit AgentRequests(Office office) : office_(std::move(office)) {}
    void fill(xmpp::IqTable& table);

    // `by` is a bare JID; whether it may is looked at. The answer may come at once.
    void ask(AgentRequest request, const AgentSide::Answered& answered);
    // None: no operator of a pbx here.
    [[nodiscard]] std::optional<AgentPicture> picture(std::string_view jid) const;

 private:
    void get(const xmpp::Iq& iq, const xmpp::Responder& responder);
    void set(const xmpp::Iq& iq, const xmpp::Responder& responder);
    [[nodiscard]] PbxSide* side_of(std::string_view jid) const;

    Office office_;
};

xmpp::Condition condition_of(AgentRefusal refusal);

// The attributes of <agent/> as a request without people: which kind, reason, seat, span; or what is wrong.
std::expected<AgentRequest, std::string> agent_request_of(const pugi::xml_node& node);

}  // namespace bridge
