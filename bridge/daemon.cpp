#include "bridge/daemon.hpp"

#include <csignal>
#include <deque>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include "bridge/agent_memory.hpp"
#include "bridge/daemon_impl.hpp"
#include "bridge/notice_memory.hpp"
#include "bridge/page_url.hpp"
#include "bridge/printable.hpp"
#include "bridge/ranking.hpp"
#include "bridge/reload.hpp"
#include "bridge/row_memory.hpp"
#include "bridge/systemd.hpp"

namespace bridge {

namespace {

constexpr Millis first_attempts{15000};  // READY=1 at the latest, whatever a link is doing
constexpr Millis farewell_span{2000};    // from SIGTERM to the end of the links

void need_state_directory(const std::filesystem::path& state) {
    std::error_code error;
    if (std::filesystem::create_directories(state, error); error && !std::filesystem::is_directory(state))
        throw std::runtime_error(
            fmt::format("the state directory {} cannot be made: {}; create it for the user that ctibridge "
                        "runs as, or set `state`",
                        state.string(), error.message()));
    std::filesystem::permissions(state, std::filesystem::perms::owner_all, error);
}

}  // namespace

Daemon::Impl::Impl(Config config_, Logger& log_)
    : config((need_state_directory(config_.state), std::move(config_))),
      log(log_),
      // Grows with every start, so that a client never takes an old epoch for a new one.
      epoch(fmt::format("{:x}", wall_now().count())),
      signals(io),
      flow_alarm(io),
      herald_alarm(io),
      audience_alarm(io),
      call_alarm(io),
      lines_alarm(io),
      sync_timer(io),
      watchdog_timer(io),
      pulse_timer(io),
      patience(io),
      last_timer(io),
      numbers(config.crm.sites),
      audience(config.pop.mode),
      sight(sight_ports()),
      stanzas(style()),
      call_log(
          config.crm, [this](std::function<void()> work) { asio::post(io, std::move(work)); },
          [this](int priority, std::string_view line) { log(priority, line); }),
      callers(
          config.crm, [this](std::function<void()> work) { asio::post(io, std::move(work)); },
          [this](int priority, std::string_view line) { log(priority, line); }),
      herald(herald_ports()),
      flow(config.crm.budget, flow_find(), flow_index(), flow_send()),
      dial_switch({.keep = [this](const crm::Owed& owed) { call_log.owe(owed); },
                   .drop = [this](const crm::Owed& owed) { call_log.settle(owed.jid, owed.pbx, owed.leg); }}),
      requests(office(), config.dialing),
      agent_requests(agent_office()),
      call_requests(call_ports()),
      past_calls(
          config.crm, [this](std::function<void()> work) { asio::post(io, std::move(work)); },
          [this](int priority, std::string_view line) {
              asio::post(io, [this, priority, text = std::string(line)] { log(priority, text); });
          }),
      desk_requests(desk_ports()),
      line_contacts(config.xmpp.component, line_ports()),
      http_doors(http_ports()),
      operator_commands(command_office(), agent_requests),
      call_commands(call_command_ports()),
      administrator_commands(administrator_command_ports()),
      control(
          io, [this](const ControlRequest& request, const ControlAnswer& answer) { asked(request, answer); },
          [this](int priority, std::string_view line) { log(priority, line); }) {
    apply_see();
    requests.fill(table);
    agent_requests.fill(table);
    call_requests.fill(table);
    desk_requests.fill(table);
    operator_commands.fill(commands);
    call_commands.fill(commands);
    administrator_commands.fill(commands);
    commands.fill(table);
    for (const auto& pbx_config : config.pbx) {
        undecided.insert("pbx:" + pbx_config.name);
        sides.push_back(std::make_unique<PbxSide>(
            io, pbx_config, agents_config(pbx_config),
            PbxSide::Events{
                .outcome = [this](PbxSide& side, Outcome&& outcome) { handle(side, std::move(outcome)); },
                .link = [this](PbxSide& side, bool up) { pbx_link(side, up); },
                .synced = [this](PbxSide& side) { pbx_synced(side); },
                .agents = [this](PbxSide& side,
                                 AgentOutcome&& outcome) { agents_told(side, std::move(outcome)); },
                .message =
                    [this](PbxSide& side, const ami::Message& message) {
                        call_requests.message(side, message);
                        desk_requests.message(side, message);
                        if (message.is_event("DeviceStateChange")) arm_lines();
                        phone_ordered(side, message);
                    }},
            log));
        call_requests.add(*sides.back());
    }
    undecided.insert("xmpp");
    undecided.insert("crm");
    xmpp = std::make_unique<XmppSide>(
        io, config.xmpp, table,
        XmppSide::Events{.link = [this](bool up) { xmpp_link(up); },
                         .presence = [this](const xmpp::Presence& seen) { presence(seen); },
                         .phone_query = [this](std::string_view from,
                                               std::string_view node) { return phone_query(from, node); },
                         .chat =
                             [this](std::string_view from, std::string_view type, std::string_view body) {
                                 operator_commands.chat(from, xmpp::bare_jid(from), type, body, wall_now());
                             }},
        log);
    callers.on_operators([this](std::vector<crm::Operator> found) { operators(std::move(found)); });
    callers.on_own([this](const crm::Roster& own) { own_tables(own); });
    callers.on_link([this](bool up, const std::string& detail) { crm_link(up, detail); });
    call_log.on_link([this](bool up, const std::string& detail) {
        log(up ? log_info : log_warning,
            fmt::format("link=database state={} {}", up ? "up" : "down", detail));
        note_link("database", up, detail);
    });
    std::vector<crm::Owed> notices;
    for (auto& owed : call_log.owed()) {
        if (!is_row(owed))
            notices.push_back(std::move(owed));
        else if (line_contacts.restore(owed) || dial_switch.restore(owed))
            continue;
        else if (auto call = recalled_call(owed))
            book.restore(std::move(*call));
        else if (auto leg = recalled_leg(owed))
            book.restore(std::move(*leg), owed.pbx);
        else if (auto alive = recalled_alive(owed))
            last_alive[owed.pbx] = *alive;
        else if (auto agent = recalled_agent(owed))
            kept_agents[owed.pbx].push_back(std::move(*agent));
    }
    herald.restore(notices);
}

// ---- what the parts need of each other ----

Herald::Ports Daemon::Impl::herald_ports() {
    return {
        .render = [this](const Notice& notice, const crm::Lookup& lookup) { return render(notice, lookup); },
        .send = [this](std::string_view stanza) { return xmpp->send(stanza); },
        .mark = [this](std::function<void(bool)> read) { xmpp->mark(std::move(read)); },
        .owe = [this](const crm::Owed& owed,
                      std::function<void(bool)> durable) { call_log.owe(owed, std::move(durable)); },
        .settle = [this](std::string_view jid, std::string_view pbx_name,
                         std::string_view leg) { call_log.settle(jid, pbx_name, leg); },
        .keep = remembered,
        .recall =
            [](const crm::Owed& owed) {
                return recalled(owed.jid, owed.pbx, owed.leg, owed.id, owed.stanza);
            },
        .now = wall_now,
        .told = [this](const Notice& notice, Told what) { told(notice, what); }};
}

NoticeFlow::Find Daemon::Impl::flow_find() {
    return [this](const std::string& number, const std::string& pbx_name, const std::string& user,
                  std::function<void(crm::Lookup)> answered) {
        callers.find(number, pbx_name, user,
                     [this, number, pbx_name, answered = std::move(answered)](crm::Lookup lookup) {
                         matched(pbx_name, number, lookup);
                         answered(std::move(lookup));
                         arm_alarms();
                     });
    };
}
NoticeFlow::Index Daemon::Impl::flow_index() {
    return [this](std::string_view number, std::string_view pbx_name, std::string_view user) {
        return callers.from_index(number, pbx_name, user);
    };
}
NoticeFlow::Send Daemon::Impl::flow_send() {
    return [this](const Notice& notice, const crm::Lookup& lookup) {
        auto shown = shown_to(notice, lookup);
        explain_match(notice, shown);
        herald.notice(notice, shown);
    };
}

Requests::Office Daemon::Impl::office() {
    return {.operator_of = [this](std::string_view jid) { return operator_of(jid); },
            .is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
            .pbx = [this](std::string_view name) { return pbx(name); },
            .dial_number = [this](std::string_view text,
                                  std::string_view pbx_name) { return numbers.dial_number(text, pbx_name); },
            .from_index = [this](std::string_view number,
                                 std::string_view pbx_name) { return callers.from_index(number, pbx_name); },
            .record =
                [this](const crm::DialRow& row, crm::CallLog::Durable durable) {
                    log(log_info, fmt::format("dial id={} pbx={} outcome={}", row.id, row.pbx, row.outcome));
                    call_log.record(row, std::move(durable));
                },
            .handle = [this](PbxSide& side, Outcome&& outcome) { handle(side, std::move(outcome)); },
            .calls_xml = [this](std::string_view jid) { return calls_xml(jid); },
            .shown =
                [this](const Notice& notice) {
                    herald.shown(notice);
                    answered_dials[notice.leg] = notice;
                },
            .call_xml = [this](const Notice& notice) { return call_xml(notice); },
            .answered = [this] { xmpp->poke(); },
            .explain = [this](const Reason& reason) { explain(reason); },
            .may_act_for = [this](std::string_view by, std::string_view jid) { return may_act_for(by, jid); },
            .switched_off =
                [this](std::string_view pbx_name) {
                    const auto* off = dial_switch.off(pbx_name);
                    return off != nullptr ? switched_off_text(*off) : std::string();
                },
            .workplace = [this](std::string_view jid) { return workplace(jid); },
            .features =
                [this](const PbxSide& side, const crm::Operator& who) {
                    const auto* actions = call_requests.control(side.config().name);
                    return actions->features(filled(side.config().channels.front(), who.extension));
                },
            .seen = [this](std::string_view bare, std::string_view from) { client_seen(bare, from); }};
}

// ---- calls ----

std::string Daemon::Impl::plain_number(const std::string& number, const std::string& pbx_name) const {
    auto understood = numbers.understand(number, pbx_name);
    return understood.internal ? number : understood.e164.value_or(number);
}

crm::Lookup Daemon::Impl::shown_to(const Notice& notice, crm::Lookup lookup) const {
    prefer_modules(lookup, notice.modules);
    const auto* who = operator_of(notice.to);
    // Somebody the CRM does not know sees that a record exists, not what is in it.
    if (!config.crm.visibility_all && (who == nullptr || who->crm_user.empty()))
        for (auto& match : lookup.matches) match.may_see = false;
    return lookup;
}

void Daemon::Impl::handle(PbxSide& side, Outcome&& outcome) {
    const auto& name = side.config().name;
    auto now = wall_now();
    for (const auto& number : outcome.lookups) flow.prefetch(plain_number(number, name), name, now);
    for (const auto& notice : outcome.notices) {
        answered_dials.erase(notice.leg);
        if (notice.state != RingState::ended) requests.outcomes().rang(notice.leg);
    }
    for (const auto& caller : outcome.callers) name_caller(side, caller);
    for (auto& row : outcome.calls) {
        dial_ended(row, now);
        requests.outcomes().ended(row);
        record(std::move(row));
    }
    for (auto& row : outcome.legs) record(book.leg(std::move(row)), name);
    for (const auto& channel : outcome.hangups)
        side.submit(ami::hangup(channel), [this, name](const ami::Reply& reply) {
            if (!reply.ok()) log(log_warning, fmt::format("pbx={} hangup refused: {}", name, reply.message));
        });
    for (auto& reason : outcome.reasons) explain(std::move(reason));
    auto& agents = side.agents();
    for (const auto& notice : outcome.notices) agents.apply(agents.agents().notice(notice, now));
    for (auto& notice : outcome.notices) {
        if (!notice.withheld) notice.party_number = plain_number(notice.party_number, name);
        without_given_name(notice.party_number, notice.party_name);
        auto user = viewer(notice.to);
        flow.add(std::move(notice), user, now);
    }
    arm_alarms();
}

void Daemon::Impl::dial_ended(const crm::CallRow& row, Millis now) {
    auto found = row.ended ? answered_dials.find(row.linkedid) : answered_dials.end();
    if (found == answered_dials.end()) return;
    // Accepted, but no phone ever rang (not registered, busy at once): the desk has no ring, the client waits
    // for an end.
    static constexpr std::pair<crm::Disposition, Cause> causes[] = {
        {crm::Disposition::busy, Cause::busy},
        {crm::Disposition::no_answer, Cause::no_answer},
        {crm::Disposition::lost, Cause::lost}};
    auto notice = std::move(found->second);
    answered_dials.erase(found);
    notice.state = RingState::ended;
    notice.cause = Cause::failed;
    for (const auto& [disposition, cause] : causes)
        if (row.disposition == disposition) notice.cause = cause;
    notice.at = now;
    notice.actions.clear();
    auto user = viewer(notice.to);
    flow.add(std::move(notice), user, now);
}

void Daemon::Impl::record(crm::CallRow row) {
    std::string party;
    if (row.direction == crm::Direction::inbound)
        party = row.caller_number = plain_number(row.caller_number, row.pbx);
    without_given_name(row.caller_number, row.caller_name);
    if (row.direction == crm::Direction::outbound)
        party = row.dialed_number = plain_number(row.dialed_number, row.pbx);
    row = book.row(std::move(row), party);
    if (row.record.empty() && !party.empty()) {
        Notice about;
        about.pbx = row.pbx;
        about.party_number = party;
        for (auto& changed : book.found(row.pbx, party, flow.lookup_of(about, {})))
            if (changed.id == row.id) row = std::move(changed);
    }
    log_row(row);
    book.tick(wall_now());
}

void Daemon::Impl::log_row(const crm::CallRow& row) {
    call_log.record(row);
    // As long as it goes on, so that a restart knows that it has to be ended.
    auto owed = owed_row(row);
    if (row.ended)
        call_log.settle(owed.jid, owed.pbx, owed.leg);
    else
        call_log.owe(owed);
}

void Daemon::Impl::record(const crm::LegRow& row, const std::string& pbx_name) {
    call_log.record(row);
    auto owed = owed_row(row, pbx_name);
    if (row.ended)
        call_log.settle(owed.jid, owed.pbx, owed.leg);
    else
        call_log.owe(owed);
}

void Daemon::Impl::matched(const std::string& pbx_name, const std::string& number,
                           const crm::Lookup& lookup) {
    for (const auto& row : book.found(pbx_name, number, lookup)) log_row(row);
}

void Daemon::Impl::arm_alarms() {
    flow_alarm.arm(flow.next_deadline(), [this] {
        flow.tick(wall_now());
        arm_alarms();
    });
    herald_alarm.arm(herald.next_deadline(), [this] {
        herald.tick(wall_now());
        arm_alarms();
    });
}

// ---- people and links ----

void Daemon::Impl::operators(std::vector<crm::Operator> found) {
    std::size_t without_pbx = 0;
    for (auto& person : found) {
        if (person.pbx.empty() && config.pbx.size() == 1) person.pbx = config.pbx.front().name;
        if (person.pbx.empty() && person.active && !person.extension.empty()) ++without_pbx;
    }
    found_people = std::move(found);
    muster();
    take_seats();
    log(without_pbx == 0 ? log_info : log_warning,
        fmt::format(
            "people={} without_pbx={}{}", people.size(), without_pbx,
            without_pbx == 0
                ? ""
                : " these get no pops; put the pbx before the extension (hq/201) or into cti_operator"));
}

void Daemon::Impl::take_seats() {
    const auto everybody = seated(found_people);
    people.clear();
    for (const auto& person : everybody) people.try_emplace(person.jid, person);
    numbers.set_operators(everybody);
    callers.set_seated(everybody);
    for (auto& side : sides) {
        std::vector<crm::Operator> here, elsewhere;
        for (const auto& person : everybody)
            (person.pbx == side->config().name ? here : elsewhere).push_back(person);
        side->desk().set_people(std::move(here), std::move(elsewhere));
    }
    index_lines();
}

void Daemon::Impl::own_tables(const crm::Roster& own) {
    CallBook::Modules modules;
    for (const auto& service : own.services) {
        if (!service.modules.empty()) modules[service.name] = service.modules;
        if (service.pbx.empty() ? config.pbx.size() > 1 : pbx(service.pbx) == nullptr)
            log(log_warning, fmt::format("service={} its pbx `{}` is not in the configuration, it counts {}",
                                         printable(service.name), printable(service.pbx),
                                         service.pbx.empty() ? "at every pbx" : "nowhere"));
        if (service.url.empty()) continue;
        if (auto fault = fault_of_page(service.url, service.variables, config.pop.schemes); !fault.empty())
            log(log_warning,
                fmt::format("service={} its page is not opened: it {}", printable(service.name), fault));
    }
    book.set_modules(std::move(modules));
    for (auto& side : sides) side->set_services(own.services);
    own_seats = own.seats;
    own_services = own.services;
    if (mustered) {
        muster();
        take_seats();
    }
    log(log_info, fmt::format("services={} seats={}", own.services.size(), own.seats.size()));
    arm_alarms();
}

void Daemon::Impl::crm_link(bool up, const std::string& detail) {
    log(up ? log_info : log_warning, fmt::format("link=crm state={} {}", up ? "up" : "down", detail));
    note_link("crm", up, detail);
    decided("crm");
    tell_link("crm", {}, up, wall_now());
}

void Daemon::Impl::pbx_link(PbxSide& side, bool up) {
    if (!stopping) call_requests.link(side, up);
    if (!up) desk_requests.link_lost(side);
    if (up)  // that it went down is said by its desk
        explain({side.since(), Why::link_up, {}, {}, {}, {{Fact::link, "pbx:" + side.config().name}}});
    decided("pbx:" + side.config().name);
    tell_link("pbx", side.config().name, up, side.since());
    arm_lines();
}

void Daemon::Impl::pbx_synced(PbxSide& side) {
    const auto& name = side.config().name;
    herald.reconcile(name, side.desk().current());
    const auto alive = last_alive.extract(name);
    auto rows = book.unfinished(name, alive ? alive.mapped() : Millis{0}, wall_now());
    for (const auto& row : rows.calls) log_row(row);
    for (const auto& row : rows.legs) record(row, name);
    note_alive(name);
    arm_alarms();
}

void Daemon::Impl::xmpp_link(bool up) {
    if (stopping) return;
    note_link("xmpp", up, {});  // why is known a moment later: `status` has it
    agent_messenger(up);
    if (!up) {
        line_contacts.down();
        herald.down();
        flow.release();
        return;
    }
    herald.up();
    introduce();
    line_contacts.up();
    arm_lines();
    for (auto& side : sides) {
        if (!side->synced_once()) continue;
        auto current = side->desk().current();
        herald.reconcile(side->config().name, current);
        for (auto& notice : current) {
            if (!notice.withheld) notice.party_number = plain_number(notice.party_number, notice.pbx);
            auto user = viewer(notice.to);
            flow.add(std::move(notice), user, wall_now());
        }
    }
    arm_alarms();
}

void Daemon::Impl::decided(std::string_view link) {
    if (auto found = undecided.find(link); found != undecided.end()) undecided.erase(found);
    if (!undecided.empty() || ready) return;
    ready = true;
    patience.cancel();
    systemd::ready();
    log(log_info, "ready: the first attempt of every link is decided");
}

// ---- life ----

void Daemon::Impl::stop() {
    if (std::exchange(stopping, true)) return;
    systemd::stopping();
    log(log_info, "stopping");
    dismiss_agents();
}

void Daemon::Impl::leave() {
    if (std::exchange(left, true)) return;
    last_timer.cancel();
    farewell_presence();
    line_contacts.farewell();
    error_code ignored;
    signals.cancel(ignored);
    for (auto* timer : {&sync_timer, &watchdog_timer, &pulse_timer, &patience, &flow_alarm.timer,
                        &herald_alarm.timer, &audience_alarm.timer, &call_alarm.timer, &lines_alarm.timer})
        timer->cancel();
    control.close();
    for (auto& server : http) server->close();
    for (auto& side : sides) side->stop();
    xmpp->stop();
    last_timer.expires_after(farewell_span);
    last_timer.async_wait([this](error_code) { io.stop(); });
}

std::expected<std::string, std::string> Daemon::Impl::reload() {
    std::expected<std::string, std::string> told;
    systemd::reloading();
    auto next = load_config(config.file);
    if (!next) {
        for (const auto& line : next.error().lines) log(log_error, line);
        constexpr std::string_view kept = "the file has faults; everything stays as it was";
        log(log_error, fmt::format("reload: {}", kept));
        told = std::unexpected(fmt::format("{}: {}", kept, fmt::join(next.error().lines, "; ")));
    } else {
        for (const auto& line : next->warnings) log(log_warning, line);
        for (const auto& key : needs_restart(config, *next)) {
            const auto line = fmt::format("a change of {} takes effect after a restart of ctibridge", key);
            log(log_warning, "reload: " + line);
            *told += line + "; ";
        }
        config.dialing = next->dialing;
        config.pop = next->pop;
        config.agents = next->agents;
        config.see = next->see;
        apply_see();
        for (auto& side : sides) side->agents().agents().configure(agents_config(side->config()));
        config.log_level = next->log_level;
        requests.configure(config.dialing);
        apply_pop();
        log.set_level(config.log_level);
        constexpr std::string_view applied =
            "dialing, agents, see, pop and log level are applied; people and numbers are read anew";
        log(log_info, fmt::format("reload: {}", applied));
        *told += applied;
    }
    callers.reload();
    systemd::ready();
    return told;
}

int Daemon::Impl::run() {
    auto work = asio::make_work_guard(io);
    signals.add(SIGTERM);
    signals.add(SIGINT);
    signals.add(SIGHUP);
    wait_for_signal();
    for (auto& side : sides) side->start([this, name = "pbx:" + side->config().name] { decided(name); });
    xmpp->start([this] { decided("xmpp"); });
    callers.start();
    call_log.start();
    open_control();
    open_http();
    patience.expires_after(first_attempts);
    patience.async_wait([this](error_code error) {
        if (error) return;
        undecided.clear();
        decided({});
    });
    sync_consoles();
    if (auto every = systemd::watchdog()) watch(*every);
    pulse();
    io.run();
    log(log_info, "stopped");
    return 0;
}

void Daemon::Impl::wait_for_signal() {
    signals.async_wait([this](error_code error, int number) {
        if (error) return;
        if (number == SIGHUP)
            static_cast<void>(reload());  // the log has what came of it
        else
            stop();
        if (!stopping) wait_for_signal();
    });
}

void Daemon::Impl::systemd_status() {
    std::string line;
    std::size_t going_on = 0;
    for (auto& side : sides) {
        line += fmt::format("pbx:{}={} ", side->config().name, side->up() ? "up" : "down");
        going_on += side->desk().calls();
    }
    auto outbox = call_log.status();
    systemd::status(fmt::format("{}xmpp={} crm={} calls={} outbox={}", line, xmpp->up() ? "up" : "down",
                                callers.database_up() ? "up" : "down", going_on, outbox.depth));
}

void Daemon::Impl::watch(Millis every) {
    systemd::alive();
    watchdog_timer.expires_after(every);
    watchdog_timer.async_wait([this, every](error_code error) {
        if (!error) watch(every);
    });
}

void Daemon::Impl::note_alive(const std::string& pbx_name) {
    if (book.open(pbx_name)) call_log.owe(owed_alive(pbx_name, wall_now()));
}

// The window of an end that a crash hides is not wider than this and the time until the next start.
void Daemon::Impl::pulse() {
    constexpr Millis every{5000};
    for (auto& side : sides)
        if (side->up()) note_alive(side->config().name);
    pulse_timer.expires_after(every);
    pulse_timer.async_wait([this](error_code error) {
        if (!error) pulse();
    });
}

Daemon::Daemon(Config config, Logger& log) {
    // A core would hold secrets and customers' names.
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGPIPE, SIG_IGN);
    impl_ = std::make_unique<Impl>(std::move(config), log);
}
Daemon::~Daemon() = default;
int Daemon::run() {
    return impl_->run();
}

}  // namespace bridge
