// What root and the administrators ask the running daemon by its control socket.
#include <fmt/format.h>

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
    {"explain",
     "why there was (no) pop: {\"of\": a call, a JID or a number, \"all\": details too, \"last\": calls}",
     &Impl::control_explain},
    {"dialing", "switch dialling: {\"state\": on, off or nothing to ask, \"pbx\": one, or all}",
     &Impl::control_dialing},
    {"record", "a stream of what a pbx sends; `pbx` names it", &Impl::control_record},
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

}  // namespace bridge
