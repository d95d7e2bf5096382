// What operators and administrators order by ad-hoc commands, joined with the rest of the daemon.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/daemon_impl.hpp"
#include "bridge/json.hpp"
#include "bridge/operator_words.hpp"
#include "bridge/printable.hpp"

namespace bridge {

CallCommands::Ports Daemon::Impl::call_command_ports() {
    return {.operator_of = [this](std::string_view jid) { return operator_of(jid); },
            .calls =
                [this](std::string_view jid) {
                    std::vector<Notice> all;
                    for (const auto& side : sides)
                        for (auto& notice : side->desk().current(jid)) {
                            if (!notice.withheld)
                                notice.party_number = plain_number(notice.party_number, notice.pbx);
                            crm::Lookup nothing;
                            sight.limit(notice, nothing);
                            all.push_back(std::move(notice));
                        }
                    return all;
                },
            .ask = [this](const CallRequests::Asking& asking,
                          CallRequests::Told told) { call_requests.ask(asking, std::move(told)); },
            .seen = [this](std::string_view bare, std::string_view from) { client_seen(bare, from); }};
}

AdministratorCommands::Ports Daemon::Impl::administrator_command_ports() {
    return {.is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
            .status = [this] { return status_text(status_view()); },
            .explain = [this](const std::string& of) { return explained({"explain", {{"of", of}}}).text; },
            .operators =
                [this] {
                    std::vector<crm::Operator> all;
                    for (const auto& [jid, who] : people) all.push_back(who);
                    return all;
                },
            .agent =
                [this](std::string_view jid) {
                    for (const auto& side : sides)
                        if (const auto picture = side->agents().agents().picture(jid))
                            return agent_sentence(*picture, config.agents.reasons);
                    return std::string();
                },
            .services = [this] { return own_services; },
            .reload = [this] { return reload(); },
            .pbx_names =
                [this] {
                    std::vector<std::string> names;
                    for (const auto& side : sides) names.push_back(side->config().name);
                    return names;
                },
            .dialing = [this]() -> const DialSwitch& { return dial_switch; },
            .switch_dialing = [this](const std::string& pbx_name, bool on,
                                     const std::string& by) { switch_dialing(pbx_name, on, by); }};
}

void Daemon::Impl::switch_dialing(const std::string& pbx_name, bool on, const std::string& by) {
    dial_switch.set(pbx_name, on, by, wall_now());
    log(on ? log_info : log_warning,
        fmt::format("dialing pbx={} state={} by={}", pbx_name.empty() ? "*" : pbx_name, on ? "on" : "off",
                    printable(by, 100)));
}

void Daemon::Impl::control_dialing(const ControlRequest& request, const ControlAnswer& answer) {
    const std::string state(request.value("state")), place(request.value("pbx"));
    if (!state.empty() && state != "on" && state != "off")
        return answer.error("bad-request", "`state` is on or off, or left out to ask");
    if (!place.empty() && pbx(place) == nullptr)
        return answer.error("not-found",
                            fmt::format("the configuration has no pbx `{}`", printable(place, 40)));
    if (!state.empty()) switch_dialing(place, state == "on", "the control socket");
    auto status = status_view();
    auto view = dialing_lines(status);
    answer.done(JsonObject().text("text", view).raw("report", status_json(status)).str());
}

}  // namespace bridge
