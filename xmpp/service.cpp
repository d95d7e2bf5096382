#include "xmpp/service.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace xmpp {
namespace {

constexpr std::string_view disco_info = "http://jabber.org/protocol/disco#info";
constexpr std::string_view disco_items = "http://jabber.org/protocol/disco#items";
constexpr std::string_view version = "jabber:iq:version";
constexpr std::string_view last = "jabber:iq:last";
constexpr std::string_view ping = "urn:xmpp:ping";
constexpr std::string_view commands = "http://jabber.org/protocol/commands";
constexpr std::string_view data = "jabber:x:data";
constexpr std::string_view phone_feature =
    "http://jivesoftware.com/phone";  // not the namespace of the phone elements

void identity(Xml& xml, std::string_view category, std::string_view type, std::string_view name) {
    xml.open("identity").attr("category", category).attr("type", type).attr("name", name).close();
}

void feature(Xml& xml, std::string_view name) {
    xml.open("feature").attr("var", name).close();
}

// The node of Asterisk-IM's question: a localpart or a bare JID.
bool is_user_node(std::string_view node) {
    if (node.find('/') != std::string_view::npos) return false;
    return !split_jid(node.find('@') == std::string_view::npos ? std::string(node) + "@x" : std::string(node))
                .domain.empty();
}

const CommandItem* offered(const ServiceFacts& facts, std::string_view node) {
    const auto found = std::find_if(facts.commands.begin(), facts.commands.end(),
                                    [&](const auto& command) { return command.node == node; });
    return found == facts.commands.end() ? nullptr : &*found;
}

void info(const Iq& iq, const ServiceFacts& facts, const Responder& responder) {
    const std::string node = iq.payload.attribute("node").value();
    Xml xml;
    xml.open("query").attr("xmlns", disco_info);
    if (!node.empty()) xml.attr("node", node);
    if (node == commands) {
        identity(xml, "automation", "command-list", "Commands");
        feature(xml, commands);
    } else if (node.empty()) {
        // Openfire lists us under the name of the first identity, and Spark looks for the item named "phone".
        if (facts.spark) identity(xml, "directory", "phone", "phone");
        identity(xml, "component", "generic", "ctibridge");
        for (const auto name : {disco_info, disco_items, version, last, ping}) feature(xml, name);
        for (const auto& name : facts.features) feature(xml, name);
    } else if (const auto* command = offered(facts, node)) {
        identity(xml, "automation", "command-node", command->name);
        for (const auto name : {commands, data}) feature(xml, name);
    } else if (facts.spark && is_user_node(node)) {
        identity(xml, "directory", "phone", "phone");
        feature(xml, disco_info);
        if (facts.has_phone(iq.from, node)) feature(xml, phone_feature);
    } else {
        return responder.error(Condition::item_not_found, "There is no such node here.");
    }
    xml.close();
    responder.result(xml.str());
}

void items(const Iq& iq, const ServiceFacts& facts, const Responder& responder) {
    const std::string node = iq.payload.attribute("node").value();
    if (!node.empty() && node != commands)
        return responder.error(Condition::item_not_found, "There is no such node here.");
    Xml xml;
    xml.open("query").attr("xmlns", disco_items);
    if (!node.empty()) {
        xml.attr("node", node);
        for (const auto& command : facts.commands) {
            xml.open("item")
                .attr("jid", facts.domain)
                .attr("node", command.node)
                .attr("name", command.name)
                .close();
        }
    }
    xml.close();
    responder.result(xml.str());
}

void our_version(const Iq&, const ServiceFacts&, const Responder& responder) {
    Xml xml;
    xml.open("query").attr("xmlns", version).open("name").text("ctibridge").close();
    xml.open("version").text(CTIBRIDGE_VERSION).close().close();
    responder.result(xml.str());
}

void uptime(const Iq&, const ServiceFacts& facts, const Responder& responder) {
    Xml xml;
    xml.open("query").attr("xmlns", last).attr("seconds", std::to_string(facts.uptime.count())).close();
    responder.result(xml.str());
}

void pong(const Iq&, const ServiceFacts&, const Responder& responder) {
    responder.result();
}

struct Row {
    std::string_view xmlns, element;
    bool only_the_domain;  // about the component itself: not at user@our.domain
    void (*answer)(const Iq&, const ServiceFacts&, const Responder&);
};

constexpr std::array rows{
    Row{disco_info, "query", false, info},    Row{disco_items, "query", false, items},
    Row{version, "query", true, our_version}, Row{last, "query", true, uptime},
    Row{ping, "ping", false, pong},
};

}  // namespace

bool answer_standard(const Iq& iq, const ServiceFacts& facts, const Responder& responder) {
    const std::string_view xmlns = iq.payload.attribute("xmlns").value(), element = iq.payload.name();
    for (const auto& row : rows) {
        if (row.xmlns != xmlns || row.element != element) continue;
        if (row.only_the_domain && bare_jid(iq.to) != facts.domain) return false;
        if (iq.set) {
            responder.error(Condition::not_allowed, "This can only be asked for.");
        } else {
            row.answer(iq, facts, responder);
        }
        return true;
    }
    return false;
}

}  // namespace xmpp
