// `explain` and `status`: what the daemon knows, gathered for those who ask by the control socket.
#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "bridge/config_values.hpp"
#include "bridge/daemon_impl.hpp"
#include "bridge/explain.hpp"
#include "bridge/json.hpp"
#include "bridge/status.hpp"

namespace bridge {

namespace {

constexpr std::size_t most_calls = 10;  // of one answer

void put_once(std::vector<std::string>& values, std::string value) {
    if (!value.empty() && std::find(values.begin(), values.end(), value) == values.end())
        values.push_back(std::move(value));
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

}  // namespace

// A link changed its state: for `status`, and for those whose pops it concerns.
void Daemon::Impl::note_link(const std::string& name, bool up, const std::string& text) {
    auto& view = link_views[name];
    if (!view.name.empty() && view.up == up) return;
    view.name = name;
    view.up = up;
    view.since = wall_now();
    if (!up) {
        view.error = text;
        view.error_at = view.since;
    }
    explain({view.since,
             up ? Why::link_up : Why::link_down,
             {},
             {},
             {},
             {{Fact::link, name}, {Fact::text, up ? std::string() : text}}});
}

std::vector<LinkView> Daemon::Impl::links_now() const {
    std::vector<LinkView> links;
    for (const auto& side : sides) {
        const auto& failure = side->failure();
        links.push_back({"pbx:" + side->config().name, side->up(), side->since(), failure.text, failure.at});
    }
    const auto& failure = xmpp->failure();
    links.push_back({"xmpp", xmpp->up(), xmpp->since(), failure.text, failure.at});
    for (const auto* name : {"crm", "database"}) {
        const auto found = link_views.find(name);
        if (found != link_views.end())
            links.push_back(found->second);
        else
            links.push_back({name, false, started_at, "the first attempt is not decided yet", Millis{0}});
    }
    return links;
}

// The forms under which a number is asked for.
std::vector<std::string> Daemon::Impl::number_keys(std::string_view text, std::string_view pbx_name) const {
    std::vector<std::string> keys;
    for (const auto& side : sides) {
        const auto& name = side->config().name;
        if (!pbx_name.empty() && name != pbx_name) continue;
        const auto number = numbers.understand(text, name);
        put_once(keys, number.internal ? number.digits : number.e164.value_or(number.digits));
    }
    return keys;
}

std::vector<std::string> Daemon::Impl::numbers_of(const Reason& reason) const {
    const auto pbx_name = reason.call.substr(0, reason.call.find(':'));
    std::vector<std::string> keys;
    for (const auto& one : reason.data) {
        if (one.value.empty()) continue;
        if (one.fact == Fact::extension) put_once(keys, one.value);
        if (one.fact == Fact::number || one.fact == Fact::dialed)
            for (auto& key : number_keys(one.value, pbx(pbx_name) != nullptr ? pbx_name : std::string()))
                put_once(keys, std::move(key));
    }
    return keys;
}

ExplainQuestion Daemon::Impl::question_of(const ControlRequest& request) const {
    ExplainQuestion question;
    question.asked = request.value("of");
    question.all = request.flag("all");
    const auto last = request.value("last");
    question.most = last.empty() ? 5
                                 : std::clamp<std::size_t>(
                                       std::strtoul(std::string(last).c_str(), nullptr, 10), 1, most_calls);
    if (question.asked.contains('@')) {
        question.kind = ExplainQuestion::Kind::jid;
        question.keys = {xmpp::bare_jid(lower(question.asked))};
        return question;
    }
    question.kind = ExplainQuestion::Kind::call;
    question.keys = {question.asked};
    for (const auto& side : sides) question.keys.push_back(side->config().name + ":" + question.asked);
    for (const auto& key : question.keys)
        if (!reasons.find(ReasonLog::Key::call, key).empty() ||
            !reasons.find(ReasonLog::Key::leg, key).empty())
            return question;
    const auto colon = question.asked.find(':');
    if (question.asked.starts_with("ctd-") ||
        (colon != std::string::npos && pbx(std::string_view(question.asked).substr(0, colon)) != nullptr))
        return question;
    question.kind = ExplainQuestion::Kind::number;
    question.keys = number_keys(question.asked, {});
    return question;
}

OperatorView Daemon::Impl::view_of(const crm::Operator& who) const {
    OperatorView view{.jid = who.jid,
                      .name = who.name,
                      .pbx = who.pbx,
                      .extension = who.extension,
                      .active = who.active,
                      .consoles = audience.consoles(who.jid),
                      .sparks = audience.sparks(who.jid),
                      .rings = {},
                      .agent = {}};
    for (const auto& side : sides) {
        view.pbx_known = view.pbx_known || side->config().name == who.pbx;
        auto rings = side->desk().current(who.jid);
        view.rings.insert(view.rings.end(), rings.begin(), rings.end());
        if (auto picture = side->agents().agents().picture(who.jid)) view.agent = std::move(picture);
    }
    return view;
}

void Daemon::Impl::control_explain(const ControlRequest& request, const ControlAnswer& answer) {
    if (request.value("of").empty())
        return answer.error("bad-request", "explain needs \"of\": a call, a JID or a number");
    const auto told = explained(request);
    answer.done(JsonObject().text("text", told.text).raw("report", told.json).str());
}

Explanation Daemon::Impl::explained(const ControlRequest& request) const {
    const auto question = question_of(request);
    ExplainWorld world;
    world.now = wall_now();
    world.links = links_now();
    if (question.kind == ExplainQuestion::Kind::jid) {
        if (const auto* who = operator_of(question.keys.front())) {
            world.who = view_of(*who);
        } else {
            std::vector<std::string_view> known;
            for (const auto& [jid, person] : people) known.push_back(jid);
            world.similar = nearest(question.keys.front(), known);
        }
    }
    if (question.kind == ExplainQuestion::Kind::number) {
        for (const auto& side : sides)
            world.is_extension =
                world.is_extension || numbers.understand(question.asked, side->config().name).internal;
        for (const auto& [jid, person] : people)
            if (std::find(question.keys.begin(), question.keys.end(), person.extension) !=
                question.keys.end())
                world.who = view_of(person);
    }
    return explanation(reasons, question, world);
}

void Daemon::Impl::control_status(const ControlRequest&, const ControlAnswer& answer) {
    const auto status = status_view();
    answer.done(JsonObject().text("text", status_text(status)).raw("report", status_json(status)).str());
}

StatusView Daemon::Impl::status_view() const {
    StatusView status;
    status.version = CTIBRIDGE_VERSION;
    status.pid = ::getpid();
    status.now = wall_now();
    status.started = started_at;
    status.links = links_now();
    for (const auto& side : sides) status.calls.emplace_back(side->config().name, side->desk().calls());
    for (const auto& side : sides) {
        const auto& agents = side->agents().agents();
        status.agents.push_back(agents_view(side->config().name, agents.pictures(), agents.in_flight()));
    }
    for (const auto& [jid, who] : people) {
        ++status.operators;
        status.active += who.active ? 1 : 0;
        status.without_pbx += who.active && who.pbx.empty() && !who.extension.empty() ? 1 : 0;
    }
    status.consoles = audience.consoles().size();
    status.outbox = call_log.status();
    status.rings_told = herald.open();
    status.index = callers.status();
    status.answers_kept = flow.known();
    status.reasons = reasons.size();
    status.reasons_most = reasons.limits().reasons;
    status.reason_bytes = reasons.bytes();
    status.reason_bytes_most = reasons.limits().bytes;
    status.reasons_since = reasons.since();
    status.dialing_off = dial_switch.all_off();
    return status;
}

}  // namespace bridge
