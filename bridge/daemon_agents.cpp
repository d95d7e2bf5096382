// The agents of every pbx in the daemon: who they are, what of them is told, kept and asked.
#include <algorithm>

#include <boost/asio/post.hpp>
#include <fmt/core.h>

#include "bridge/agent_memory.hpp"
#include "bridge/agent_stanzas.hpp"
#include "bridge/daemon_impl.hpp"
#include "bridge/extensions.hpp"
#include "bridge/phone_orders.hpp"
#include "bridge/printable.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

constexpr Millis dismissal_span{3000};  // Asterisk's answers to the pauses of a stop are waited for so long

std::string full_jid(std::string_view bare, std::string_view from) {
    const auto slash = from.find('/');
    return std::string(bare) + std::string(slash == std::string_view::npos ? "" : from.substr(slash));
}

// What became of a ping; nothing: no answer yet is for the agents' own clock to tell.
std::optional<PingResult> result_of(const xmpp::IqAnswer& answer) {
    static constexpr std::string_view nobody[] = {"service-unavailable", "recipient-unavailable",
                                                  "item-not-found", "remote-server-not-found", "gone"};
    switch (answer.kind) {
        case xmpp::IqAnswer::Kind::result:
            return PingResult::here;
        case xmpp::IqAnswer::Kind::error:
            return std::ranges::find(nobody, answer.condition) != std::end(nobody) ? PingResult::gone
                                                                                   : PingResult::here;
        case xmpp::IqAnswer::Kind::timeout:
        case xmpp::IqAnswer::Kind::lost:
            break;
    }
    return std::nullopt;
}

}  // namespace

AgentsConfig Daemon::Impl::agents_config(const PbxConfig& pbx_config) const {
    auto all = config.agents;
    all.pbx = pbx_config.name;
    all.channels = pbx_config.channels;
    all.member = pbx_config.queue_member;
    all.state_interface = pbx_config.queue_state_interface;
    return all;
}

AgentRequests::Office Daemon::Impl::agent_office() {
    return {.person = [this](const xmpp::Iq& iq,
                             const xmpp::Responder& responder) { return requests.person(iq, responder); },
            .operator_of = [this](std::string_view jid) { return operator_of(jid); },
            .is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
            .pbx = [this](std::string_view name) { return pbx(name); },
            .element = [this](const AgentPicture& picture,
                              std::string_view to) { return agent_element(picture, epoch, herald.seq(to)); },
            .answered = [this] { xmpp->poke(); }};
}

OperatorCommands::Office Daemon::Impl::command_office() {
    return {
        .operator_of = [this](std::string_view jid) { return operator_of(jid); },
        .is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
        .pictures =
            [this] {
                std::vector<AgentPicture> all;
                for (const auto& side : sides)
                    std::ranges::move(side->agents().agents().pictures(), std::back_inserter(all));
                return all;
            },
        .seats =
            [this](std::string_view jid) {
                const auto* who = operator_of(jid);
                auto seats = own_seats;
                std::erase_if(seats, [&](const auto& seat) {
                    return who == nullptr || (!seat.pbx.empty() && seat.pbx != who->pbx);
                });
                return seats;
            },
        .reasons = [this]() -> const std::vector<AgentReason>& { return config.agents.reasons; },
        .seen = [this](std::string_view bare, std::string_view from) { client_seen(bare, from); },
        .dial = [this](const std::string& jid, const std::string& number,
                       std::function<void(bool, std::string)> told) { requests.dial_for(jid, number, told); },
        .dial_by_chat =
            [this](const std::string& jid, const std::string& number,
                   std::function<void(bool, std::string)> told) { requests.dial_by_chat(jid, number, told); },
        .say =
            [this](std::string_view to, std::string_view text) {
                xmpp::Xml xml;
                xml.open("message").attr("type", "chat").attr("from", "pbx@" + config.xmpp.component);
                xml.attr("to", to).attr("id", xmpp::new_id());
                xmpp->send(xml.open("body").text(text).close().close().str());
            },
        .answered = [this] { xmpp->poke(); }};
}

bool Daemon::Impl::is_administrator(std::string_view jid) const {
    const auto* who = operator_of(jid);
    if (who != nullptr && who->active && who->role == crm::Role::administrator) return true;
    return std::ranges::any_of(config.xmpp.administrators, [&](const auto& administrator) {
        return xmpp::bare_jid(administrator) == jid;
    });
}

bool Daemon::Impl::responsible(std::string_view by, std::string_view jid) const {
    const auto* who = operator_of(by);
    return who != nullptr && who->active && std::ranges::any_of(sides, [&](const auto& side) {
               return side->agents().agents().responsible(by, jid);
           });
}

Requests::Workplace Daemon::Impl::workplace(std::string_view jid) const {
    Requests::Workplace place;
    for (const auto& side : sides) {
        const auto& services = side->services().all();
        place.xml += bridge::services_of(jid, services);
        for (const auto& service : services)
            place.supervisor |= std::ranges::any_of(
                service.operators, [&](const auto& one) { return one.jid == jid && one.supervisor; });
        const auto picture = side->agents().agents().picture(jid);
        if (!picture) continue;
        place.seat = picture->seat;
        place.xml += reasons_of(config.agents.reasons);
        if (picture->extension.empty() && own_seats.empty()) continue;
        place.xml += xmpp::Xml().open("feature").attr("name", "agent").close().take();
        place.xml += seats_of(side->config().name, own_seats);
    }
    return place;
}

// ---- who they are ----

// Everybody as found, to the agents; where they sit comes back as their pictures.
void Daemon::Impl::muster() {
    const auto now = wall_now();
    const bool first = !std::exchange(mustered, true);
    for (auto& side : sides) {
        const auto& name = side->config().name;
        std::vector<crm::Operator> here;
        std::ranges::copy_if(found_people, std::back_inserter(here), [&](const auto& person) {
            return person.pbx == name && !person.jid.empty() && person.role != crm::Role::application;
        });
        std::vector<crm::Seat> seats;
        std::ranges::copy_if(own_seats, std::back_inserter(seats), [&](const auto& seat) {
            return seat.pbx == name || (seat.pbx.empty() && sides.size() == 1);
        });
        auto& agents = side->agents();
        agents.apply(
            agents.agents().set_roster(std::move(here), side->services().all(), std::move(seats), now));
        if (first) agents.apply(agents.agents().restore(kept_agents[name], now));
    }
    if (first) kept_agents.clear();
}

// Who sits on a seat has its phone, and nobody else has it meanwhile.
std::vector<crm::Operator> Daemon::Impl::seated(std::vector<crm::Operator> everybody) const {
    std::map<std::string, std::string, std::less<>> seats;  // JID -> seat
    for (const auto& side : sides)
        for (auto& [jid, seat] : side->agents().agents().seated()) seats.emplace(jid, seat);
    std::map<std::pair<std::string, std::string>, std::string> occupied;  // pbx, extension -> JID
    for (auto& person : everybody) {
        const auto sits = seats.find(person.jid);
        if (sits == seats.end()) continue;
        const auto seat = std::ranges::find(own_seats, sits->second, &crm::Seat::id);
        if (seat == own_seats.end()) continue;
        person.extension = seat->extension;
        person.devices = seat->devices;
        occupied[{person.pbx, person.extension}] = person.jid;
    }
    for (auto& person : everybody) {
        const auto there = occupied.find({person.pbx, person.extension});
        if (there == occupied.end() || there->second == person.jid) continue;
        person.extension.clear();
        person.devices.clear();
    }
    return everybody;
}

// ---- what comes of their inputs ----

void Daemon::Impl::agents_told(PbxSide& side, AgentOutcome&& outcome) {
    const auto& name = side.config().name;
    for (const auto& memory : outcome.memories) {
        const auto owed = owed_agent(memory, name);
        if (is_blank(memory))
            call_log.settle(owed.jid, owed.pbx, owed.leg);
        else
            call_log.owe(owed);
    }
    for (const auto& event : outcome.events) {
        log(log_info,
            fmt::format("agent={} pbx={} state={}{}{}", event.jid, event.pbx, event.state,
                        event.reason.empty() ? "" : fmt::format(" reason={}", printable(event.reason)),
                        event.by.empty() ? "" : fmt::format(" by={}", event.by)));
        call_log.record(crm::AgentRow{.jid = event.jid,
                                      .pbx = event.pbx,
                                      .extension = event.extension,
                                      .seat = event.seat,
                                      .state = event.state,
                                      .reason = event.reason,
                                      .by = event.by,
                                      .at = event.at});
    }
    for (auto& reason : outcome.reasons) explain(std::move(reason));
    if (!outcome.moves.empty()) take_seats();
    for (const auto& picture : outcome.pictures) tell_agent(side, picture);
    for (const auto& client : outcome.pings) ping_agent(side, client);
    if (stopping && !agents_leaving()) asio::post(io, [this] { leave(); });
}

// To the operator's own consoles, and to those who are responsible for them.
void Daemon::Impl::tell_agent(const PbxSide& side, const AgentPicture& picture) {
    std::set<std::string, std::less<>> all{picture.jid};
    for (const auto& service : side.services().all()) {
        const auto of = [&](const auto& one) { return one.jid == picture.jid; };
        if (std::ranges::none_of(service.operators, of)) continue;
        for (const auto& one : service.operators)
            if (one.supervisor && responsible(one.jid, picture.jid)) all.insert(one.jid);
    }
    for (const auto& bare : all) {
        const auto consoles = audience.consoles(bare);
        if (consoles.empty()) continue;
        const auto element = agent_element(picture, epoch, herald.next_seq(bare));
        for (const auto& console : consoles)
            xmpp->send(agent_message(config.xmpp.component, console, element));
    }
}

void Daemon::Impl::ping_agent(PbxSide& side, const std::string& client) {
    xmpp->request(client, false, "<ping xmlns='urn:xmpp:ping'/>",
                  [this, client, &side](const xmpp::IqAnswer& answer) {
                      const auto result = result_of(answer);
                      if (!result || stopping) return;
                      auto& agents = side.agents();
                      agents.apply(agents.agents().pinged(client, *result, wall_now()));
                      arm_alarms();
                  });
}

// ---- whether they are there ----

void Daemon::Impl::client_seen(std::string_view bare, std::string_view from) {
    const auto full = full_jid(bare, from);
    const auto known = audience.consoles(bare);
    // Its presence has told more than the bare fact.
    if (std::ranges::find(known, from) != known.end()) return;
    for (auto& side : sides) side->agents().apply(side->agents().agents().client_here(full, {}, wall_now()));
}

void Daemon::Impl::agent_presence(const xmpp::Presence& seen) {
    if (seen.bare.empty()) return;
    const auto full = full_jid(seen.bare, seen.from);
    for (auto& side : sides) {
        auto& agents = side->agents();
        if (seen.type.empty())
            agents.apply(agents.agents().client_here(full, seen.show, wall_now()));
        else if (seen.type == "unavailable")
            agents.apply(agents.agents().client_gone(full, wall_now()));
    }
}

// The phone hears what became of it: the dialplan waits for the variable.
void Daemon::Impl::phone_ordered(PbxSide& side, const ami::Message& message) {
    auto order = phone_order(message);
    if (!order || stopping) return;
    const auto& pbx_config = side.config();
    const auto answer = [this, &side, channel = std::string(message.get("Uniqueid"))](
                            const std::string& jid, const std::string& fault) {
        log(fault.empty() ? log_info : log_warning,
            fmt::format("pbx={} by phone: agent={} {}", side.config().name, jid,
                        fault.empty() ? "done" : printable(fault)));
        if (!fault.empty())
            explain({wall_now(), Why::agent_refused, {}, {}, jid, {{Fact::text, "by phone: " + fault}}});
        if (!channel.empty())
            side.submit(ami::set_variable(channel, "CTI_AGENT", fault.empty() ? "done" : "refused"), {});
    };
    if (!*order) return answer({}, order->error());
    const auto here = [&](const auto& all) {
        std::vector<crm::Operator> people_here;
        for (const auto& who : all)
            if (who.pbx == pbx_config.name && !who.jid.empty()) people_here.push_back(who);
        return people_here;
    };
    const auto at_home = here(found_people), placed = here(seated(found_people));
    std::vector<crm::Seat> seats;
    std::unordered_map<std::string, std::string> devices;
    for (const auto& seat : own_seats) {
        if (seat.pbx.empty() ? sides.size() > 1 : seat.pbx != pbx_config.name) continue;
        seats.push_back(seat);
        for (const auto& device : seat.devices) devices[device] = seat.extension;
    }
    for (const auto& who : at_home)
        for (const auto& device : who.devices) devices.emplace(device, who.extension);
    Extensions phones(pbx_config.channels, pbx_config.extensions);
    std::unordered_set<std::string> known;
    for (const auto& seat : seats) known.insert(seat.extension);
    for (const auto& who : at_home) known.insert(who.extension);
    phones.set_people(known, devices);
    auto request = request_of(**order, phones.of_channel((*order)->channel), at_home, placed, seats);
    if (!request) return answer({}, request.error());
    agent_requests.ask(*request, [answer, jid = request->jid](const std::optional<AgentFault>& fault) {
        answer(jid, fault ? fault->text : std::string());
    });
}

void Daemon::Impl::agent_messenger(bool up) {
    for (auto& side : sides) {
        auto& agents = side->agents();
        agents.apply(up ? agents.agents().messenger_back(wall_now())
                        : agents.agents().messenger_lost(wall_now()));
    }
}

// ---- the end ----

bool Daemon::Impl::agents_leaving() const {
    return !std::ranges::all_of(sides, [](const auto& side) { return side->agents().agents().stopped(); });
}

// Who is called by queues is kept from calls before the links end.
void Daemon::Impl::dismiss_agents() {
    for (auto& side : sides) side->agents().apply(side->agents().agents().stop(wall_now()));
    if (!agents_leaving()) return leave();
    log(log_info, "stopping: who is ready is paused in the queues first");
    last_timer.expires_after(dismissal_span);
    last_timer.async_wait([this](error_code error) {
        if (error) return;
        log(log_warning, "stopping: not every pause was confirmed in time");
        leave();
    });
}

}  // namespace bridge
