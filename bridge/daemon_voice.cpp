// What the daemon says to operators beyond the single notice, and what it hears from their clients.
#include <algorithm>

#include <fmt/core.h>

#include "bridge/daemon_impl.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

constexpr Millis sync_interval{20000};  // <sync/> to consoles (docs/design.md, rule 2)

}  // namespace

StanzaStyle Daemon::Impl::style() const {
    StanzaStyle style{.component = config.xmpp.component,
                      .epoch = epoch,
                      .language = config.pop.language,
                      .missed = config.pop.missed,
                      .devices = {},
                      .schemes = config.pop.schemes,
                      .sight = &sight};
    for (const auto& pbx_config : config.pbx) style.devices[pbx_config.name] = pbx_config.channels.front();
    return style;
}

void Daemon::Impl::apply_pop() {
    stanzas.configure(style());
    audience.set_mode(config.pop.mode);
}

std::vector<std::string> Daemon::Impl::render(const Notice& notice, const crm::Lookup& lookup) {
    std::vector<std::string> messages;
    recipients = audience.recipients(notice);
    for (const auto& recipient : recipients) messages.push_back(stanzas.notice(notice, lookup, recipient));
    return messages;
}

std::string Daemon::Impl::call_xml(Notice notice) {
    notice.seq = herald.seq(notice.to);
    return stanzas.call(notice, shown_to(notice, flow.lookup_of(notice, viewer(notice.to))));
}

std::string Daemon::Impl::calls_xml(std::string_view jid) {
    std::vector<std::string> calls;
    for (auto& side : sides)
        for (auto& notice : side->desk().current(jid)) {
            if (!notice.withheld) notice.party_number = plain_number(notice.party_number, notice.pbx);
            herald.shown(notice);
            calls.push_back(call_xml(notice));
        }
    // How the links are, too: who signs in while one is down heard nothing of it.
    const auto* who = operator_of(jid);
    for (const auto& side : sides)
        if (who != nullptr && who->pbx == side->config().name)
            calls.push_back(Stanzas::link_now("pbx", who->pbx, side->up(), side->since()));
    if (const auto crm = link_views.find("crm"); crm != link_views.end())
        calls.push_back(Stanzas::link_now("crm", {}, crm->second.up, crm->second.since));
    return stanzas.calls(herald.seq(jid), calls);
}

void Daemon::Impl::tell_link(std::string_view to, std::string_view name, bool up, Millis since) {
    for (const auto& console : audience.consoles()) {
        auto bare = xmpp::bare_jid(console);
        const auto* who = operator_of(bare);
        // Another site's exchange is no news here.
        if (to == "pbx" && (who == nullptr || who->pbx != name)) continue;
        // The number counts per bare JID: two consoles of one person share it.
        bool first = std::none_of(audience.consoles(bare).begin(), audience.consoles(bare).end(),
                                  [&](const auto& other) { return other < console; });
        auto seq = first ? herald.next_seq(bare) : herald.seq(bare);
        xmpp->send(stanzas.link(console, seq, to, name, up, since));
    }
}

void Daemon::Impl::send_presence(std::string_view from, std::string_view to, std::string_view type) {
    xmpp::Xml xml;
    xml.open("presence").attr("from", from).attr("to", to).attr("id", xmpp::new_id());
    if (!type.empty()) xml.attr("type", type);
    xmpp->send(xml.close().str());
}

void Daemon::Impl::introduce() {
    audience.link_up();
    for (const auto& [jid, who] : people) {
        if (!who.active) continue;
        send_presence(config.xmpp.component, jid, "probe");
        // A console that lost us while we were away learns of the new epoch by this and asks <calls/>; other
        // clients have nothing to show of it.
        xmpp->send(stanzas.sync(jid, herald.seq(jid)));
    }
    ask_clients();
}

void Daemon::Impl::ask_clients() {
    if (stopping || !xmpp->up()) return;
    for (const auto& client : audience.due(wall_now()))
        xmpp->request(
            client, false, "<ping xmlns='urn:xmpp:ping'/>", [this, client](const xmpp::IqAnswer& answer) {
                // A client that knows no ping says so and is there; a server says that nobody is.
                static constexpr std::string_view nobody[] = {"service-unavailable", "recipient-unavailable",
                                                              "item-not-found", "remote-server-not-found",
                                                              "gone"};
                bool gone =
                    answer.kind == xmpp::IqAnswer::Kind::error &&
                    std::find(std::begin(nobody), std::end(nobody), answer.condition) != std::end(nobody);
                audience.answered(client, !gone);
            });
    audience_alarm.arm(audience.next_deadline(), [this] { ask_clients(); });
}

void Daemon::Impl::sync_consoles() {
    for (const auto& console : audience.consoles())
        xmpp->send(stanzas.sync(console, herald.seq(xmpp::bare_jid(console))));
    systemd_status();
    sync_timer.expires_after(sync_interval);
    sync_timer.async_wait([this](error_code error) {
        if (!error) sync_consoles();
    });
}

void Daemon::Impl::farewell_presence() {
    for (const auto& console : audience.consoles())
        send_presence(config.xmpp.component, console, "unavailable");
}

void Daemon::Impl::presence(const xmpp::Presence& seen) {
    if (const auto line = line_named(seen.to); !line.empty()) return line_contacts.presence(line, seen);
    // The bridge as a contact: it is there for everybody of our domain.
    const auto self = xmpp::bare_jid(seen.to);
    if (seen.type == "subscribe") {
        send_presence(self, seen.bare, "subscribed");
        return send_presence(self, seen.bare, {});
    }
    if (seen.type == "unsubscribe") return send_presence(self, seen.bare, "unsubscribed");
    if (seen.type == "probe") return send_presence(self, seen.from, {});
    auto is_console = [&] {
        auto all = audience.consoles(seen.bare);
        return std::find(all.begin(), all.end(), seen.from) != all.end();
    };
    bool before = is_console();
    audience.presence(seen);
    agent_presence(seen);
    // A new console learns the epoch at once, and asks <calls/>.
    if (!before && is_console()) {
        send_presence(config.xmpp.component, seen.from, {});
        xmpp->send(stanzas.sync(seen.from, herald.seq(seen.bare)));
    }
    audience_alarm.arm(audience.next_deadline(), [this] { ask_clients(); });
}

bool Daemon::Impl::phone_query(std::string_view from, std::string_view node) {
    // The node is the user's own name, or a contact's: the name alone, or the bare JID.
    auto asked = xmpp::bare_jid(node.contains('@') ? std::string(node)
                                                   : fmt::format("{}@{}", node, config.xmpp.user_domain));
    const auto* who = operator_of(asked);
    bool has_phone = config.xmpp.spark && who != nullptr && who->active && !who->extension.empty() &&
                     pbx(who->pbx) != nullptr;
    if (has_phone && xmpp::bare_jid(from) == asked) {
        audience.phone_query(from, wall_now());
        audience_alarm.arm(audience.next_deadline(), [this] { ask_clients(); });
    }
    return has_phone;
}

}  // namespace bridge
