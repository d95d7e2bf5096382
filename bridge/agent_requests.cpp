#include "bridge/agent_requests.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bridge/config_values.hpp"
#include "bridge/printable.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

using Kind = AgentRequest::Kind;
using xmpp::Condition;

constexpr std::string_view our_namespace = "urn:ctibridge:1";

std::string denied(std::string_view rule) {
    return xmpp::Xml().open("denied").attr("xmlns", our_namespace).attr("rule", rule).close().take();
}

}  // namespace

Condition condition_of(AgentRefusal refusal) {
    switch (refusal) {
        case AgentRefusal::bad_request:
            return Condition::bad_request;
        case AgentRefusal::conflict:
            return Condition::conflict;
        case AgentRefusal::forbidden:
            return Condition::forbidden;
        case AgentRefusal::item_not_found:
            return Condition::item_not_found;
        case AgentRefusal::not_acceptable:
            return Condition::not_acceptable;
        case AgentRefusal::not_allowed:
            return Condition::not_allowed;
        case AgentRefusal::service_unavailable:
            return Condition::service_unavailable;
        case AgentRefusal::timeout:
            return Condition::remote_server_timeout;
        case AgentRefusal::undefined:
            break;
    }
    return Condition::undefined_condition;
}

std::expected<AgentRequest, std::string> agent_request_of(const pugi::xml_node& node) {
    AgentRequest request;
    const auto attribute = [&](const char* name) { return std::string(node.attribute(name).as_string()); };
    const auto state = attribute("state");
    request.reason = attribute("reason");
    request.seat = attribute("seat");
    const bool extends = !node.attribute("extend").empty(), sits = !node.attribute("seat").empty();
    if (!state.empty()) {
        static constexpr Kind kinds[] = {Kind::ready, Kind::not_ready, Kind::logged_out};
        const auto kind = std::ranges::find_if(kinds, [&](Kind one) { return to_string(one) == state; });
        if (kind == std::end(kinds))
            return std::unexpected(fmt::format(
                "`{}` cannot be asked for; ask for ready, not-ready, logged-out", printable(state, 20)));
        if (extends) return std::unexpected("a state and `extend` are two requests");
        request.kind = *kind;
    } else if (extends) {
        const auto span = parse_span(attribute("extend"));
        if (!span) return std::unexpected("`extend` " + span.error());
        if (sits) return std::unexpected("`seat` and `extend` are two requests");
        request.kind = Kind::extend;
        request.extend = *span;
    } else if (sits) {
        request.kind = Kind::seat;
    } else {
        return std::unexpected("`state`, `seat` or `extend` says what is asked for");
    }
    if (!request.reason.empty() && request.kind != Kind::not_ready)
        return std::unexpected("only not-ready has a reason");
    return request;
}

void AgentRequests::fill(xmpp::IqTable& table) {
    table.on(our_namespace, "agent", false,
             [this](const xmpp::Iq& iq, const xmpp::Responder& responder) { get(iq, responder); });
    table.on(our_namespace, "agent", true,
             [this](const xmpp::Iq& iq, const xmpp::Responder& responder) { set(iq, responder); });
}

PbxSide* AgentRequests::side_of(std::string_view jid) const {
    const auto* who = office_.operator_of(jid);
    return who != nullptr ? office_.pbx(who->pbx) : nullptr;
}

std::optional<AgentPicture> AgentRequests::picture(std::string_view jid) const {
    const auto* side = side_of(jid);
    return side != nullptr ? side->agents().agents().picture(jid) : std::nullopt;
}

void AgentRequests::ask(AgentRequest request, const AgentSide::Answered& answered) {
    auto* side = side_of(request.jid);
    if (side == nullptr)
        return answered(AgentFault{"pbx", AgentRefusal::not_acceptable,
                                   "no telephone exchange is set for this operator; ask the administrator"});
    request.administrator = office_.is_administrator(request.by);
    side->agents().ask(std::move(request), answered);
}

void AgentRequests::get(const xmpp::Iq& iq, const xmpp::Responder& responder) {
    const auto jid = office_.person(iq, responder);
    if (jid.empty()) return;
    if (const auto shown = picture(jid)) return responder.result(office_.element(*shown, iq.bare));
    responder.error(Condition::item_not_found, "this address signs in to no telephone exchange here",
                    denied("pbx"));
}

void AgentRequests::set(const xmpp::Iq& iq, const xmpp::Responder& responder) {
    const auto jid = office_.person(iq, responder);
    if (jid.empty()) return;
    auto request = agent_request_of(iq.payload);
    if (!request) return responder.error(Condition::bad_request, request.error());
    request->jid = jid;
    request->by = iq.bare;
    ask(std::move(*request), [this, responder, jid, asker = iq.bare](const std::optional<AgentFault>& fault) {
        const auto shown = picture(jid);
        if (fault)
            responder.error(condition_of(fault->refusal), fault->text, denied(fault->rule));
        else if (shown)
            responder.result(office_.element(*shown, asker));
        else
            responder.result();  // signed out by leaving the roster meanwhile
        office_.answered();
    });
}

}  // namespace bridge
