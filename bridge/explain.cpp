#include "bridge/explain.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "bridge/json.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

using Found = ReasonLog::Found;
using Key = ReasonLog::Key;
using Kind = ExplainQuestion::Kind;

// One call of the answer; id empty: requests that made no call.
struct Story {
    std::string id;
    std::vector<const Reason*> reasons;
    std::vector<std::string> summary;
    std::size_t left_out = 0;  // from its middle
};

constexpr std::size_t longest_story = 300, story_begin = 50;

bool same(const Found& a, const Found& b) {
    return a.order == b.order;
}

void sort_and_join(std::vector<Found>& all) {
    std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.order < b.order; });
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
}

// Every reason of a call, and of those that became part of it.
std::vector<Found> of_call(const ReasonLog& log, const std::string& id) {
    std::vector<Found> all;
    std::set<std::string, std::less<>> done;
    std::vector<std::string> open{id};
    while (!open.empty() && done.size() < 20) {
        const std::string call = open.back();
        open.pop_back();
        if (call.empty() || !done.insert(call).second) continue;
        for (const auto& one : log.find(Key::call, call)) {
            all.push_back(one);
            if (one.reason->why != Why::merged) continue;
            for (const auto fact : {Fact::from, Fact::into}) open.emplace_back(one.reason->value(fact));
        }
    }
    sort_and_join(all);
    return all;
}

void add_links(const ReasonLog& log, std::vector<Found>& all) {
    if (all.empty()) return;
    const auto from = all.front().order, to = all.back().order;
    for (const auto& one : log.find(Key::link, "all"))
        if (one.order > from && one.order < to) all.push_back(one);
    sort_and_join(all);
}

bool is_pop(Why why) {
    return why >= Why::pop_to_console && why <= Why::pop_by_mode;
}

void put_once(std::vector<std::string>& lines, std::string line) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
}

// What the help desk says first: who was told, and why somebody was not.
std::vector<std::string> summary_of(const std::vector<const Reason*>& reasons, bool is_call) {
    std::map<std::string, std::string> shown;  // JID -> how it stands
    std::vector<std::string> order, lines;
    bool over = false;
    for (const Reason* one : reasons) {
        over = over || one->why == Why::call_ended;
        if (is_pop(one->why) && shown.try_emplace(one->jid, "not confirmed by the XMPP server").second)
            order.push_back(one->jid);
        const auto found = shown.find(one->jid);
        if (found == shown.end()) continue;
        if (one->why == Why::pop_confirmed) found->second = "confirmed by the XMPP server";
        if (one->why == Why::pop_unconfirmed)
            found->second = "the XMPP link was lost before it was confirmed";
    }
    for (const auto& jid : order)
        lines.push_back(fmt::format("{} was sent the pop ({}).", printable(jid), shown[jid]));
    for (const Reason* one : reasons)
        if (weight(one->why) == Weight::blocker) put_once(lines, sentence(*one) + " " + advice(*one));
    if (lines.empty() && is_call)
        lines.emplace_back(over ? "No phone of an operator rang, so nobody was told."
                                : "No phone of an operator has rung yet, so nobody was told.");
    return lines;
}

Story story_of(const ReasonLog& log, const ExplainQuestion& question, const std::string& id,
               std::vector<Found> found) {
    if (!id.empty()) add_links(log, found);
    Story story{id, {}, {}, 0};
    for (const auto& one : found) {
        const bool others = question.kind == Kind::jid && !one.reason->jid.empty() &&
                            one.reason->jid != question.keys.front();
        if (others && !question.all) continue;
        if (question.all || weight(one.reason->why) != Weight::detail) story.reasons.push_back(one.reason);
    }
    story.summary = summary_of(story.reasons, !id.empty());
    if (story.reasons.size() > longest_story) {
        story.left_out = story.reasons.size() - longest_story;
        const auto from = story.reasons.begin() + story_begin;
        story.reasons.erase(from, from + static_cast<std::ptrdiff_t>(story.left_out));
    }
    return story;
}

std::vector<Found> asked_for(const ReasonLog& log, const ExplainQuestion& question) {
    std::vector<Found> all;
    for (const auto& key : question.keys) {
        const auto take = [&](Key kind) {
            const auto found = log.find(kind, key);
            all.insert(all.end(), found.begin(), found.end());
        };
        if (question.kind == Kind::jid) take(Key::jid);
        if (question.kind == Kind::number) take(Key::number);
        if (question.kind == Kind::call) {
            take(Key::call);
            take(Key::leg);
        }
    }
    sort_and_join(all);
    return all;
}

struct Stories {
    std::vector<Story> stories;  // oldest first
    std::size_t left_out = 0;    // older calls
};

Stories stories_of(const ReasonLog& log, const ExplainQuestion& question) {
    const auto found = asked_for(log, question);
    std::vector<std::string> calls;  // newest first
    std::vector<Found> without;
    for (auto it = found.rbegin(); it != found.rend(); ++it) {
        if (it->reason->call.empty())
            without.insert(without.begin(), *it);
        else if (std::find(calls.begin(), calls.end(), it->reason->call) == calls.end())
            calls.push_back(it->reason->call);
    }
    Stories answer;
    std::set<std::uint64_t> told;
    for (const auto& id : calls) {
        if (answer.stories.size() == question.most) {
            ++answer.left_out;
            continue;
        }
        auto all = of_call(log, id);
        if (!told.insert(all.front().order).second) continue;  // merged into one that is told already
        answer.stories.insert(answer.stories.begin(), story_of(log, question, id, std::move(all)));
    }
    if (!without.empty()) {
        if (without.size() > 20) without.erase(without.begin(), without.end() - 20);
        answer.stories.push_back(story_of(log, question, {}, std::move(without)));
    }
    return answer;
}

// ---- the present, and what may be wrong ----

std::string agent_line(const AgentPicture& agent) {
    std::string line = fmt::format("Agent state: {}", to_string(agent.state));
    if (!agent.reason.empty()) line += fmt::format(" ({})", printable(agent.reason));
    if (!agent.pending.empty()) line += fmt::format(", {} is asked for", agent.pending);
    if (agent.since.count() > 0) line += fmt::format(", since {}", local_time(agent.since, true));
    if (!agent.by.empty()) line += fmt::format(", by {}", printable(agent.by));
    if (!agent.seat.empty()) line += fmt::format(", on seat {}", printable(agent.seat));
    std::string queues;
    for (const auto& service : agent.services) {
        queues += fmt::format("{}{} {}", queues.empty() ? "" : ", ", printable(service.name),
                              to_string(service.state));
        if (!service.text.empty()) queues += fmt::format(" ({})", printable(service.text, 200));
    }
    return line + (queues.empty() ? "." : fmt::format("; services: {}.", queues));
}

std::vector<std::string> present_of(const ExplainWorld& world) {
    std::vector<std::string> lines;
    if (!world.who) return lines;
    const auto& who = *world.who;
    std::string line = fmt::format(
        "{}{} is {}", printable(who.jid), who.name.empty() ? "" : fmt::format(" ({})", printable(who.name)),
        who.active ? "an operator" : "an operator who is not active and gets no pops");
    line += who.extension.empty() ? ", without an extension, so without pops"
                                  : fmt::format(", phone {}", printable(who.extension));
    if (who.pbx.empty())
        line += "; no exchange is named for them, so they get no pops";
    else
        line += fmt::format(" at the exchange `{}`{}", printable(who.pbx),
                            who.pbx_known ? "" : ", which the configuration does not have, so no pops");
    lines.push_back(line + ".");
    std::string clients;
    for (const auto& jid : who.consoles)
        clients += fmt::format("{}{} (console)", clients.empty() ? "" : ", ", printable(jid));
    for (const auto& jid : who.sparks)
        clients += fmt::format("{}{} (Spark)", clients.empty() ? "" : ", ", printable(jid));
    lines.push_back(
        clients.empty()
            ? "No console and no Spark of theirs is known; pops go to every client signed in at the "
              "address, and nobody sees them if none is."
            : fmt::format("Known clients: {}.", clients));
    if (who.agent) lines.push_back(agent_line(*who.agent));
    for (const auto& ring : who.rings)
        lines.push_back(fmt::format("Now: {} on phone {}, call {}.", to_string(ring.state),
                                    printable(ring.extension), printable(ring.id)));
    return lines;
}

std::vector<std::string> links_of(const ExplainWorld& world) {
    std::vector<std::string> lines;
    for (const auto& link : world.links)
        if (!link.up)
            lines.push_back(
                fmt::format("The link {} is down since {}{}.", link.name, local_time(link.since, true),
                            link.error.empty() ? "" : fmt::format(": {}", printable(link.error, 200))));
    return lines;
}

std::vector<std::string> causes_of(const ExplainQuestion& question, const ExplainWorld& world) {
    auto lines = links_of(world);
    switch (question.kind) {
        case Kind::jid:
            if (!world.who)
                lines.push_back(fmt::format(
                    "{} is no operator here: neither the table cti_operator nor a user of the CRM gives this "
                    "address.{}",
                    printable(question.asked),
                    world.similar.empty() ? "" : fmt::format(" Did you mean {}?", printable(world.similar))));
            else
                lines.emplace_back(
                    "No call has reached their phone since then, as far as this exchange told us.");
            break;
        case Kind::number:
            if (world.is_extension && !world.who)
                lines.push_back(fmt::format("{} is internal, and nobody is entered for this extension.",
                                            printable(question.asked)));
            lines.emplace_back(
                "If a call with this number rang since then, this ctibridge did not see it: is it another "
                "exchange's, or may the AMI user not read the class `call`? `ctibridge check` tells.");
            break;
        case Kind::call:
            lines.emplace_back(
                "Is the id whole, like hq:1795187329.0? The call may be older, or another ctibridge's.");
            break;
    }
    return lines;
}

// ---- the answer ----

std::string text_of(const Story& story) {
    std::string text;
    const bool is_call = !story.id.empty();
    if (!story.reasons.empty())
        text += fmt::format("{}, {}:\n", is_call ? "Call " + printable(story.id) : "Requests",
                            local_time(story.reasons.front()->at, true).substr(0, 10));
    for (const auto& line : story.summary) text += fmt::format("  * {}\n", line);
    for (std::size_t i = 0; i < story.reasons.size(); ++i) {
        const Reason* one = story.reasons[i];
        if (story.left_out > 0 && i == story_begin)
            text += fmt::format("  ... {} left out ...\n", story.left_out);
        text += fmt::format("  {}  {}\n", local_time(one->at, false), sentence(*one));
        if (const auto todo = advice(*one); !todo.empty() && weight(one->why) == Weight::story)
            text += fmt::format("                -> {}\n", todo);
    }
    return text + "\n";
}

std::string json_of(const Reason& reason) {
    static constexpr std::string_view weights[] = {"detail", "story", "blocker"};
    JsonObject json;
    json.text("at", utc_time(reason.at))
        .text("why", to_string(reason.why))
        .text("weight", weights[static_cast<std::size_t>(weight(reason.why))])
        .text_or_null("call", reason.call)
        .text_or_null("leg", reason.leg)
        .text_or_null("jid", reason.jid)
        .text("sentence", sentence(reason))
        .text_or_null("advice", advice(reason))
        .begin("data");
    for (const auto& one : reason.data)
        if (!one.value.empty()) json.text(to_string(one.fact), one.value);
    return json.end().str();
}

std::string json_texts(const std::vector<std::string>& lines) {
    std::vector<std::string> values;
    for (const auto& line : lines) values.push_back(json_text(line));
    return json_list(values);
}

std::string json_of(const Story& story) {
    std::vector<std::string> reasons;
    for (const Reason* one : story.reasons) reasons.push_back(json_of(*one));
    return JsonObject()
        .text_or_null("call", story.id)
        .raw("summary", json_texts(story.summary))
        .number("left_out", static_cast<std::int64_t>(story.left_out))
        .raw("reasons", json_list(reasons))
        .str();
}

std::string json_of(const AgentPicture& agent) {
    std::vector<std::string> services;
    for (const auto& service : agent.services)
        services.push_back(JsonObject()
                               .text("name", service.name)
                               .text("state", to_string(service.state))
                               .text_or_null("text", service.text)
                               .str());
    JsonObject json;
    json.text("state", to_string(agent.state)).text_or_null("reason", agent.reason);
    json.text_or_null("pending", agent.pending).text_or_null("by", agent.by);
    return json.text_or_null("seat", agent.seat).raw("services", json_list(services)).str();
}

std::string json_of(const OperatorView& who) {
    std::vector<std::string> rings;
    for (const auto& ring : who.rings)
        rings.push_back(JsonObject()
                            .text("call", ring.id)
                            .text("leg", ring.leg)
                            .text("state", to_string(ring.state))
                            .str());
    return JsonObject()
        .text("jid", who.jid)
        .text_or_null("name", who.name)
        .text_or_null("pbx", who.pbx)
        .text_or_null("extension", who.extension)
        .flag("active", who.active)
        .raw("consoles", json_texts(who.consoles))
        .raw("sparks", json_texts(who.sparks))
        .raw("rings", json_list(rings))
        .raw("agent", who.agent ? json_of(*who.agent) : "null")
        .str();
}

}  // namespace

std::string local_time(Millis at, bool with_date) {
    const std::time_t seconds = at.count() / 1000;
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return with_date ? fmt::format("{:%Y-%m-%d %H:%M:%S}", parts)
                     : fmt::format("{:%H:%M:%S}.{:03}", parts, at.count() % 1000);
}

std::string utc_time(Millis at) {
    const std::time_t seconds = at.count() / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, at.count() % 1000);
}

Explanation explanation(const ReasonLog& log, const ExplainQuestion& question, const ExplainWorld& world) {
    const auto answer = stories_of(log, question);
    const auto present = present_of(world);
    const auto causes = answer.stories.empty() ? causes_of(question, world) : links_of(world);
    Explanation out;
    out.known = !answer.stories.empty();
    for (const auto& line : present) out.text += line + "\n";
    if (!present.empty()) out.text += "\n";
    if (!out.known)
        out.text += fmt::format("Nothing was decided about {} since {}: reasons are kept from then on.\n",
                                printable(question.asked), local_time(log.since(), true));
    if (answer.left_out > 0)
        out.text += fmt::format("{} older calls are left out (--last N shows more).\n\n", answer.left_out);
    for (const auto& story : answer.stories) out.text += text_of(story);
    for (const auto& line : causes) out.text += fmt::format("* {}\n", line);
    while (out.text.ends_with("\n\n")) out.text.pop_back();

    static constexpr std::string_view kinds[] = {"call", "jid", "number"};
    std::vector<std::string> stories;
    for (const auto& story : answer.stories) stories.push_back(json_of(story));
    JsonObject json;
    json.text("asked", question.asked)
        .text("kind", kinds[static_cast<std::size_t>(question.kind)])
        .flag("known", out.known)
        .text("since", utc_time(log.since()))
        .number("older_calls", static_cast<std::int64_t>(answer.left_out))
        .raw("calls", json_list(stories))
        .raw("hints", json_texts(causes));
    if (world.who)
        json.raw("operator", json_of(*world.who));
    else
        json.null("operator");
    out.json = json.str();
    return out;
}

}  // namespace bridge
