#include "bridge/agent_stanzas.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/pop_text.hpp"
#include "bridge/stanzas.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

constexpr std::string_view ours = "urn:ctibridge:1";
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_text = 200;

void attribute(xmpp::Xml& xml, std::string_view name, std::string_view value,
               std::size_t most = longest_name) {
    if (!value.empty()) xml.attr(name, clipped(value, most));
}

}  // namespace

std::string agent_element(const AgentPicture& picture, std::string_view epoch, std::uint64_t seq) {
    xmpp::Xml xml;
    xml.open("agent").attr("xmlns", ours).attr("jid", picture.jid).attr("state", to_string(picture.state));
    if (picture.since.count() > 0) xml.attr("since", iso8601(picture.since));
    if (picture.until.count() > 0) xml.attr("until", iso8601(picture.until));
    attribute(xml, "reason", picture.reason);
    if (picture.number > 0) xml.attr("number", fmt::to_string(picture.number));
    attribute(xml, "pending", picture.pending);
    attribute(xml, "by", picture.by);
    attribute(xml, "pbx", picture.pbx);
    attribute(xml, "extension", picture.extension);
    attribute(xml, "seat", picture.seat);
    attribute(xml, "actions", picture.actions);
    xml.attr("epoch", epoch).attr("seq", fmt::to_string(seq));
    for (const auto& service : picture.services) {
        xml.open("service").attr("name", clipped(service.name, longest_name));
        xml.attr("state", to_string(service.state)).attr("penalty", fmt::to_string(service.penalty));
        attribute(xml, "text", service.text, longest_text);
        xml.close();
    }
    return xml.close().take();
}

std::string agent_message(std::string_view from, std::string_view to, std::string_view element) {
    xmpp::Xml xml;
    xml.open("message").attr("type", "headline").attr("from", from).attr("to", to);
    xml.attr("id", xmpp::new_id()).raw(element);
    xml.open("no-store").attr("xmlns", "urn:xmpp:hints").close();
    return xml.close().take();
}

std::string services_of(std::string_view jid, std::span<const crm::Service> services) {
    std::string all;
    for (const auto& service : services) {
        const auto who = std::ranges::find(service.operators, jid, &crm::ServiceOperator::jid);
        if (who == service.operators.end()) continue;
        xmpp::Xml xml;
        xml.open("service").attr("name", clipped(service.name, longest_name));
        xml.attr("direction", word(service.direction));
        attribute(xml, "queue", service.queue);
        attribute(xml, "language", service.language);
        attribute(xml, "skill", service.skill);
        if (!service.queue.empty()) xml.attr("penalty", fmt::to_string(who->penalty));
        if (who->supervisor) xml.attr("supervisor", "true");
        if (service.wrap_up.count() > 0) xml.attr("wrap-up", fmt::to_string(service.wrap_up.count() / 1000));
        for (const auto& code : service.codes) {
            xml.open("code").attr("code", clipped(code.code, longest_name));
            attribute(xml, "label", code.label);
            xml.close();
        }
        all += xml.close().take();
    }
    return all;
}

std::string seats_of(std::string_view pbx, std::span<const crm::Seat> seats) {
    xmpp::Xml xml;
    for (const auto& seat : seats) {
        if (!seat.pbx.empty() && seat.pbx != pbx) continue;
        xml.open("seat").attr("id", clipped(seat.id, longest_name));
        attribute(xml, "extension", seat.extension);
        attribute(xml, "place", seat.place);
        xml.close();
    }
    return xml.take();
}

std::string reasons_of(std::span<const AgentReason> reasons) {
    xmpp::Xml xml;
    for (const auto& reason : reasons) {
        xml.open("reason").attr("code", reason.code);
        attribute(xml, "label", reason.label);
        if (reason.number > 0) xml.attr("number", fmt::to_string(reason.number));
        xml.close();
    }
    return xml.take();
}

}  // namespace bridge
