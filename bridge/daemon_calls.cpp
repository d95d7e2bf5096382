// What operators do with their calls, joined with the rest of the daemon.
#include <algorithm>

#include <fmt/core.h>

#include "bridge/daemon_impl.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {
constexpr std::size_t most_names_given = 10'000;
}  // namespace

CallRequests::Ports Daemon::Impl::call_ports() {
    return {.operator_of = [this](std::string_view jid) { return operator_of(jid); },
            .may_act_for = [this](std::string_view by, std::string_view jid) { return may_act_for(by, jid); },
            .pbx = [this](std::string_view name) { return pbx(name); },
            .target = [this](const std::string& jid,
                             const std::string& number) { return requests.transfer_target(jid, number); },
            .record =
                [this](const crm::DialRow& row) {
                    log(log_info, fmt::format("action={} call={} jid={} outcome={}", row.action, row.call,
                                              row.jid, row.outcome));
                    call_log.record(row);
                },
            .explain = [this](const Reason& reason) { explain(reason); },
            .answered = [this] { xmpp->poke(); },
            .arm = [this] { arm_calls(); }};
}

void Daemon::Impl::arm_calls() {
    if (stopping) return;
    call_alarm.arm(call_requests.next_deadline(), [this] { call_requests.tick(wall_now()); });
}

DeskRequests::Ports Daemon::Impl::desk_ports() {
    auto by_policy = [this](std::string_view number) { return judge(config.dialing, number).allowed; };
    return {
        .operator_of = [this](std::string_view jid) { return operator_of(jid); },
        .may_act_for = [this](std::string_view by, std::string_view jid) { return may_act_for(by, jid); },
        .is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
        .people =
            [this] {
                std::vector<const crm::Operator*> all;
                for (const auto& [jid, who] : people) all.push_back(&who);
                return all;
            },
        .pbx = [this](std::string_view name) { return pbx(name); },
        .may_be_called = std::move(by_policy),
        .sees_state = [this](std::string_view asker,
                             std::string_view jid) { return sight.sees_state(asker, jid); },
        .agent =
            [this](std::string_view jid) {
                for (const auto& side : sides)
                    if (const auto picture = side->agents().agents().picture(jid))
                        return std::string(to_string(picture->state));
                return std::string();
            },
        .past_call_xml =
            [this](const Notice& notice) {
                const auto& number = notice.withheld ? std::string() : notice.party_number;
                return stanzas.call(
                    notice, shown_to(notice, callers.from_index(number, notice.pbx, viewer(notice.to))));
            },
        .past = &past_calls,
        .live_call =
            [this](std::string_view id) {
                const auto* row = book.find(id);
                return row != nullptr ? std::optional(*row) : std::nullopt;
            },
        .took_part = [this](std::string_view id, std::string_view jid) { return book.took_part(id, jid); },
        .write =
            [this](const crm::CallRow& row, std::function<void(bool)> written) {
                book.noted(row);
                call_log.record(row, std::move(written));
            },
        .record = [this](const crm::DialRow& row) { call_log.record(row); },
        .explain = [this](const Reason& reason) { explain(reason); },
        .tell =
            [this](const std::vector<std::string>& jids, const std::string& payload) {
                for (const auto& jid : jids)
                    for (const auto& console : audience.consoles(jid)) {
                        xmpp::Xml xml;
                        xml.open("message").attr("type", "headline").attr("from", config.xmpp.component);
                        xml.attr("to", console).attr("id", xmpp::new_id());
                        xmpp->send(xml.raw(payload).close().str());
                    }
            },
        .answered = [this] { xmpp->poke(); }};
}

HttpDoors::Ports Daemon::Impl::http_ports() {
    auto first = [this](auto fits) {
        const crm::Operator* found = nullptr;
        for (const auto& [jid, who] : people)
            if (who.active && fits(who) && (found == nullptr || who.jid < found->jid)) found = &who;
        return found;
    };
    return {.lookup = [this](const std::string& number) { return callers.from_index(number, {}); },
            .of_crm_user =
                [first](std::string_view user) {
                    return first([&](const crm::Operator& who) { return who.crm_user == user; });
                },
            .operator_of = [this](std::string_view jid) { return operator_of(jid); },
            .of_extension =
                [this, first](std::string_view text) {
                    const auto seat = numbers.seat(text);
                    return seat.extension.empty() ? nullptr : first([&](const crm::Operator& who) {
                        return who.extension == seat.extension && (seat.pbx.empty() || who.pbx == seat.pbx);
                    });
                },
            .last_operator =
                [this](const std::string& number, std::function<void(std::string)> answer) {
                    past_calls.last_operator(number, [answer = std::move(answer)](const auto& jid) {
                        answer(jid ? *jid : std::string());
                    });
                },
            .dial = [this](const DialRequest& request,
                           HttpDoors::Ports::Dialed done) { requests.start_dial(request, std::move(done)); },
            .after =
                [this](Millis span, std::function<void()> ring) {
                    auto timer = std::make_shared<asio::steady_timer>(io, span);
                    timer->async_wait([timer, ring = std::move(ring)](error_code error) {
                        if (!error) ring();
                    });
                },
            .gave =
                [this](const std::string& number, const std::string& name) {
                    if (names_given.size() >= most_names_given) names_given.clear();
                    names_given[plain_number(number, sides.front()->config().name)] = name;
                },
            .ready = [this] { return ready && !stopping; },
            .explain = [this](const Reason& reason) { explain(reason); },
            .log = [this](int priority, std::string_view line) { log(priority, line); }};
}

void Daemon::Impl::name_caller(PbxSide& side, const WaitingCaller& caller) {
    if (!side.config().queue_names || stopping) return;
    const auto& name = side.config().name;
    const auto no = [this, id = caller.id](const std::string& why) {
        explain({wall_now(), Why::caller_not_named, id, {}, {}, {{Fact::text, why}}});
    };
    if (!call_requests.control(name)->may("Setvar"))
        return no("the AMI user may not set variables, it lacks the write class `call`");
    const auto number = plain_number(caller.number, name);
    // Everything is asked for; whether it may be shown depends on all whose phone may ring.
    callers.find(number, name, {}, [this, &side, caller, number, no](const crm::Lookup& lookup) {
        if (stopping) return;
        const auto who = audience_of(side.services().named(caller.service), side.config().name, people);
        const auto found = caller_name(lookup, callers.all_may_see(number, side.config().name, who));
        if (found) return set_caller_name(side, caller, *found);
        no(found.error());
        // Those of the queue before could see it, those of this one cannot.
        if (const auto network = side.desk().network_name(caller))
            side.submit(ami::set_variable(caller.channel, "CALLERID(name)", *network), {});
    });
}

void Daemon::Impl::set_caller_name(PbxSide& side, const WaitingCaller& caller, const CallerName& found) {
    // First the desk knows, so that no event shows the name as the network's.
    const auto shown = side.desk().name_caller(caller, found.name);
    if (!shown) return;
    const auto set = [&](std::string_view variable, std::string_view value, ami::Session::Done done = {}) {
        side.submit(ami::set_variable(caller.channel, variable, value), std::move(done));
    };
    set("CTI_NAME", *shown);  // what the next run of ours knows it by
    set("CDR(crmid)", found.record);
    set("CALLERID(name)", *shown, [this, caller, found](const ami::Reply& reply) {
        if (stopping) return;
        explain({wall_now(),
                 reply.ok() ? Why::caller_named : Why::caller_not_named,
                 caller.id,
                 {},
                 {},
                 reply.ok() ? Data{{Fact::label, found.name}, {Fact::record, found.record}}
                            : Data{{Fact::text, "the exchange refused it: " + reply.message}}});
    });
}

void Daemon::Impl::without_given_name(const std::string& number, std::string& name) const {
    const auto given = names_given.find(number);
    if (given != names_given.end() && given->second == name) name.clear();
}

void Daemon::Impl::open_http() {
    for (const auto& place : config.http) {
        auto server = std::make_unique<HttpServer>(
            io, http_doors.handler(place),
            [this](int priority, std::string_view line) { log(priority, line); });
        if (auto opened = server->open(place.listen); !opened) {
            log(log_error, fmt::format("http: {}", opened.error()));
            continue;
        }
        log(log_info, fmt::format("http: listening on {}", place.listen));
        http.push_back(std::move(server));
    }
}

}  // namespace bridge
