// What root and the administrators ask the running daemon by its control socket.
#include <fmt/format.h>
#include <unistd.h>

#include "bridge/daemon_impl.hpp"
#include "bridge/json.hpp"
#include "bridge/printable.hpp"

namespace bridge {

struct Daemon::Impl::ControlRow {
    std::string_view verb, what;
    void (Impl::*answer)(const ControlRequest&, const ControlAnswer&);
};

const Daemon::Impl::ControlRow Daemon::Impl::control_table[] = {
    {"help", "the verbs there are", &Impl::control_help},
    {"status", "links, calls, people, outbox, index", &Impl::control_status},
};

void Daemon::Impl::open_control() {
    if (config.control.empty()) return;
    // The pops come without it too: a folder that is missing in /run is no reason to stay silent.
    if (auto opened = control.open({config.control, config.control_group}); !opened)
        log(log_error,
            fmt::format("control: {}; status, explain and record cannot ask this ctibridge", opened.error()));
}

void Daemon::Impl::asked(const ControlRequest& request, const ControlAnswer& answer) {
    for (const auto& row : control_table)
        if (row.verb == request.verb) return (this->*row.answer)(request, answer);
    answer.error("unknown-verb",
                 fmt::format("there is no `{}`; ask {{\"verb\":\"help\"}}", printable(request.verb, 40)));
}

void Daemon::Impl::control_help(const ControlRequest&, const ControlAnswer& answer) {
    JsonObject verbs;
    for (const auto& row : control_table) verbs.text(row.verb, row.what);
    answer.done(verbs.str());
}

void Daemon::Impl::control_status(const ControlRequest&, const ControlAnswer& answer) {
    JsonObject status;
    std::size_t going_on = 0;
    std::vector<std::string> links;
    auto link = [&](std::string_view name, bool up) {
        links.push_back(JsonObject().text("name", name).text("state", up ? "up" : "down").str());
    };
    for (auto& side : sides) {
        link("pbx:" + side->config().name, side->up());
        going_on += side->desk().calls();
    }
    link("xmpp", xmpp->up());
    link("crm", callers.database_up());
    auto outbox = call_log.status();
    link("database", outbox.database_up);
    status.text("version", CTIBRIDGE_VERSION)
        .number("pid", ::getpid())
        .number("uptime_ms", (wall_now() - started_at).count())
        .raw("links", json_list(links))
        .number("calls", static_cast<std::int64_t>(going_on));
    answer.done(status.str());
}

}  // namespace bridge
