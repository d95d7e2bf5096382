// What operators ask beside their calls, by IQ: <directory/>, <history/>, <claim/>, <note/> (docs/design.md,
// section 5). Colleagues and their lines are answered from memory, the past from our own tables, a note goes
// through the call log like every fact of a call.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/lines.hpp"
#include "bridge/pbx_side.hpp"
#include "crm/past_calls.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class DeskRequests {
 public:
    struct Ports {
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<bool(std::string_view by, std::string_view jid)> may_act_for;  // may ask on behalf of
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<std::vector<const crm::Operator*>()> people;  // all
        std::function<PbxSide*(std::string_view pbx)> pbx;
        std::function<bool(std::string_view number)> may_be_called;  // by the dial policy
        std::function<bool(std::string_view asker, std::string_view jid)> sees_state;
        std::function<std::string(std::string_view jid)> agent{};        // state word; may be empty
        std::function<std::string(const Notice& notice)> past_call_xml;  // one <call/> element
        crm::PastCalls* past = nullptr;
        // A call that goes on or has just ended gets its note; absent: it is not in memory.
        std::function<std::optional<crm::CallRow>(std::string_view id)> live_call;
        std::function<bool(std::string_view id, std::string_view jid)> took_part;  // in such a call
        std::function<void(const crm::CallRow&, std::function<void(bool)>)> write;
        std::function<void(const crm::DialRow&)> record;
        std::function<void(const Reason&)> explain;
        std::function<void(const std::vector<std::string>& jids, const std::string& payload)> tell;
        std::function<void()> answered;  // an answer waits in the stream
    };

    explicit DeskRequests(Ports ports) : ports_(std::move(ports)) {}
    void fill(xmpp::IqTable& table);
    void message(const PbxSide& side, const ami::Message& message);
    void link_lost(const PbxSide& side);
    // The line of these phones: the weightiest state; unknown while the exchange is away.
    [[nodiscard]] Lines::Line line(std::string_view pbx, std::span<const std::string> devices) const;
    // Whether the exchange has told of one of them.
    [[nodiscard]] bool has_device(std::string_view pbx, std::span<const std::string> devices) const;

 private:
    using Iq = xmpp::Iq;
    using Responder = xmpp::Responder;

    const crm::Operator* person(const Iq& iq, const Responder& responder) const;
    void directory(const Iq& iq, const Responder& responder);
    void history(const Iq& iq, const Responder& responder);
    void claim(const Iq& iq, const Responder& responder);
    void note(const Iq& iq, const Responder& responder);
    [[nodiscard]] Lines::Line line_of(const crm::Operator& who) const;
    [[nodiscard]] std::string colleague_xml(const crm::Operator& asker, const crm::Operator& other) const;
    [[nodiscard]] std::string past_xml(const std::string& jid, const crm::PastCall& call) const;
    void claimed(const Responder& responder, const crm::Operator& who, const std::string& id,
                 const crm::Sql<crm::Claim>& claim);
    struct NoteOf {
        std::string jid, id, text, code;
    };
    void write_note(const Responder& responder, const NoteOf& note, crm::CallRow row);
    void audit(const crm::Operator& who, std::string_view action, const std::string& call,
               std::string_view outcome, std::string text);
    void refuse(const Responder& responder, xmpp::Condition condition, std::string_view text,
                std::string_view rule) const;

    Ports ports_;
    std::map<std::string, Lines, std::less<>> lines_;  // by pbx
};

}  // namespace bridge
