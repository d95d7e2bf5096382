#include "bridge/status.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/json.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr double mebibyte = 1024.0 * 1024.0;

std::string ago(Millis at, Millis now) {
    return span_text(std::max(now - at, Millis{0})) + " ago";
}

std::string row(std::string_view name, std::string_view text) {
    return fmt::format("{:<10} {}\n", name, text);
}

std::string text_of(const LinkView& link, Millis now) {
    auto line = fmt::format("  {:<12} {:<4}  since {} ({})", link.name, link.up ? "up" : "DOWN",
                            local_time(link.since, true), span_text(std::max(now - link.since, Millis{0})));
    if (!link.error.empty())
        line += link.error_at.count() == 0
                    ? fmt::format("; {}", printable(link.error, 200))
                    : fmt::format("; last error {}: {}", ago(link.error_at, now), printable(link.error, 200));
    return line + "\n";
}

std::string calls_text(const StatusView& status) {
    std::size_t all = 0;
    std::string each;
    for (const auto& [pbx, count] : status.calls) {
        all += count;
        each += fmt::format("{}{} {}", each.empty() ? "" : ", ", pbx, count);
    }
    return status.calls.size() > 1 ? fmt::format("{} ({})", all, each) : fmt::to_string(all);
}

std::string people_text(const StatusView& status) {
    auto text = fmt::format("{} operators, {} active", status.operators, status.active);
    if (status.without_pbx > 0)
        text += fmt::format(", {} for whom no exchange is named (no pops: `ctibridge check`)",
                            status.without_pbx);
    return text + fmt::format("; {} consoles signed in", status.consoles);
}

std::string agents_text(const StatusView& status) {
    std::string text;
    for (const auto& agents : status.agents) {
        std::string each;
        for (const auto& [state, count] : agents.states)
            if (state != to_string(AgentState::logged_out))
                each += fmt::format("{}{} {}", each.empty() ? "" : ", ", count, state);
        text += text.empty() ? "" : "; ";
        if (status.agents.size() > 1) text += agents.pbx + ": ";
        text += each.empty() ? "nobody is signed in" : each;
        if (agents.failed > 0) text += fmt::format("; {} NOT IN EVERY QUEUE of theirs", agents.failed);
        if (agents.in_flight > 0) text += fmt::format("; {} actions on their way", agents.in_flight);
    }
    return text;
}

std::string dialing_text(const StatusView& status) {
    std::string text;
    for (const auto& [pbx, off] : status.dialing_off)
        text += fmt::format("{}OFF {} since {} by {}", text.empty() ? "" : "; ",
                            pbx.empty() ? std::string("everywhere") : "at " + pbx,
                            local_time(off.since, true), printable(off.by, 100));
    return text.empty() ? "on" : text;
}

std::string outbox_text(const StatusView& status) {
    const auto& box = status.outbox;
    auto text = fmt::format("{} facts wait", box.depth);
    if (box.depth > 0 && box.oldest.count() > 0)
        text += fmt::format(", the oldest from {}", ago(box.oldest, status.now));
    if (box.set_aside > 0)
        text +=
            fmt::format("; {} SET ASIDE, which the database refused for good: see the log", box.set_aside);
    if (!box.last_error.empty()) text += fmt::format("; {}", printable(box.last_error, 200));
    return text;
}

std::string index_text(const StatusView& status) {
    const auto& index = status.index;
    if (!index.loaded) return "not read yet: callers cannot be named";
    return fmt::format(
        "{} records, {} numbers; read in full {}, followed {}", index.records, index.numbers,
        index.full_read.count() == 0 ? "in an earlier run (cache)" : ago(index.full_read, status.now),
        index.followed.count() == 0 ? "not yet" : ago(index.followed, status.now));
}

JsonObject& put_time(JsonObject& json, std::string_view key, Millis at) {
    return at.count() == 0 ? json.null(key) : json.text(key, utc_time(at));
}

std::string json_of(const LinkView& link) {
    JsonObject json;
    json.text("name", link.name).text("state", link.up ? "up" : "down").text("since", utc_time(link.since));
    json.text_or_null("last_error", link.error);
    return put_time(json, "last_error_at", link.error_at).str();
}

std::int64_t count(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

void put_agents(JsonObject& json, const StatusView& status) {
    json.begin("agents");
    for (const auto& agents : status.agents) {
        json.begin(agents.pbx);
        for (const auto& [state, number] : agents.states) json.number(state, count(number));
        json.number("not_in_every_queue", count(agents.failed))
            .number("in_flight", count(agents.in_flight))
            .end();
    }
    json.end();
}

}  // namespace

std::string span_text(Millis span) {
    const auto seconds = span.count() / 1000;
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2LL * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 48LL * 3600) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
    return fmt::format("{} days", seconds / 86400);
}

AgentsView agents_view(std::string_view pbx, const std::vector<AgentPicture>& pictures,
                       std::size_t in_flight) {
    AgentsView view{.pbx = std::string(pbx), .states = {}, .in_flight = in_flight};
    for (const auto& picture : pictures) {
        ++view.states[std::string(to_string(picture.state))];
        view.failed += std::ranges::any_of(picture.services, [](const auto& service) {
            return service.state == AgentPicture::Service::State::failed;
        });
    }
    return view;
}

bool all_up(const StatusView& status) {
    return std::all_of(status.links.begin(), status.links.end(),
                       [](const LinkView& link) { return link.up; });
}

std::string dialing_lines(const StatusView& status) {
    return row("Dialling", dialing_text(status));
}

std::string status_text(const StatusView& status) {
    auto text = fmt::format("ctibridge {}, pid {}, runs since {} ({})\n", status.version, status.pid,
                            local_time(status.started, true), span_text(status.now - status.started));
    text += "Links\n";
    for (const auto& link : status.links) text += text_of(link, status.now);
    text += row("Calls", calls_text(status));
    text += row("People", people_text(status));
    text += row("Agents", agents_text(status));
    text += dialing_lines(status);
    text += row("Outbox", outbox_text(status));
    text += row("Rings", fmt::format("{} shown, whose end is still to be told", status.rings_told));
    text += row("Index", index_text(status));
    text +=
        row("Reasons", fmt::format("{} of at most {} ({:.1f} of {:.0f} MiB), since {}", status.reasons,
                                   status.reasons_most, static_cast<double>(status.reason_bytes) / mebibyte,
                                   static_cast<double>(status.reason_bytes_most) / mebibyte,
                                   local_time(status.reasons_since, true)));
    return text;
}

std::string status_json(const StatusView& status) {
    std::vector<std::string> links;
    for (const auto& link : status.links) links.push_back(json_of(link));
    JsonObject json;
    json.text("version", status.version).number("pid", status.pid).text("started", utc_time(status.started));
    json.number("uptime_ms", (status.now - status.started).count())
        .flag("all_up", all_up(status))
        .raw("links", json_list(links))
        .begin("calls");
    for (const auto& [pbx, calls] : status.calls) json.number(pbx, count(calls));
    json.end()
        .begin("people")
        .number("operators", count(status.operators))
        .number("active", count(status.active));
    json.number("without_pbx", count(status.without_pbx)).number("consoles", count(status.consoles)).end();
    put_agents(json, status);
    std::vector<std::string> off;
    for (const auto& [pbx, how] : status.dialing_off)
        off.push_back(JsonObject()
                          .text_or_null("pbx", pbx)
                          .text("by", how.by)
                          .text("since", utc_time(how.since))
                          .str());
    json.raw("dialing_off", json_list(off));
    json.begin("outbox").number("depth", count(status.outbox.depth));
    put_time(json, "oldest", status.outbox.oldest).number("set_aside", count(status.outbox.set_aside));
    json.text_or_null("last_error", status.outbox.last_error).end();
    json.number("rings_told", count(status.rings_told));
    json.begin("index").flag("loaded", status.index.loaded).number("records", count(status.index.records));
    json.number("numbers", count(status.index.numbers));
    put_time(json, "full_read", status.index.full_read);
    put_time(json, "followed", status.index.followed).end();
    json.number("answers_kept", count(status.answers_kept));
    json.begin("reasons").number("kept", count(status.reasons)).number("most", count(status.reasons_most));
    json.number("bytes", count(status.reason_bytes)).number("bytes_most", count(status.reason_bytes_most));
    json.text("since", utc_time(status.reasons_since)).end();
    return json.str();
}

}  // namespace bridge
