// A call centre for tests: Agents on one side, the queues of an exchange on the other, and a wire between
// them whose faults a test chooses.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/bridge/queue_exchange.hpp"

namespace agents_test {

using namespace std::chrono_literals;
using bridge::AgentRequest;
using bridge::AgentState;
using bridge::Millis;
using bridge::RingState;

inline const std::string anna = "anna@example.org", ben = "ben@example.org", boss = "boss@example.org",
                         chief = "chief@example.org";

// Anna: support (penalty 1, 30 s of work after a call) and sales (penalty 2). Ben: support. The boss
// supervises support and sits on no phone.
inline std::vector<crm::Operator> people() {
    return {{.jid = anna, .pbx = "hq", .extension = "201", .name = "Anna Kováčová"},
            {.jid = ben, .pbx = "hq", .extension = "202", .name = "Ben Fox"},
            {.jid = boss, .pbx = "hq", .name = "Boss"}};
}
inline std::vector<crm::Service> services() {
    return {{.name = "support-line",
             .queue = "support",
             .wrap_up = 30s,
             .operators = {{.jid = anna, .penalty = 1},
                           {.jid = ben, .penalty = 3},
                           {.jid = boss, .supervisor = true}}},
            {.name = "sales-line", .queue = "sales", .operators = {{.jid = anna, .penalty = 2}}}};
}
inline std::vector<crm::Seat> seats() {
    return {{.id = "4", .pbx = "hq", .extension = "204", .keys = {"desk-four"}},
            {.id = "5", .pbx = "hq", .extension = "205"}};
}
inline bridge::AgentsConfig config() {
    bridge::AgentsConfig config;
    config.reasons = {{"lunch", "Lunch break", 1}, {"meeting", "Meeting", 2}};
    return config;
}

// What the wire does to an action.
enum class Fate : std::uint8_t { normal, event_first, no_event, late, lost, lost_after };

class Floor {
 public:
    explicit Floor(bridge::AgentsConfig given = config(), std::vector<crm::Service> of = services())
        : services_of(std::move(of)), agents(std::move(given)) {
        exchange.queues = {{"support", {}}, {"sales", {}}};
        take(agents.set_roster(people(), services_of, seats(), now));
        take(agents.messenger_back(now));
        sync();
    }

    // ---- the wire ----
    void take(bridge::AgentOutcome&& outcome) {
        for (const auto& action : outcome.actions) send(action);
        for (auto& answer : outcome.answers) {
            EXPECT_TRUE(open.erase(answer.token) == 1) << "answered twice or unasked: " << answer.token;
            answers[answer.token] = std::move(answer);
        }
        for (auto& picture : outcome.pictures) {
            told.push_back(picture);
            shown[picture.jid] = std::move(picture);
        }
        for (auto& event : outcome.events) events.push_back(std::move(event));
        for (auto& move : outcome.moves) moves.push_back(std::move(move));
        for (auto& memory : outcome.memories) memories[memory.jid] = std::move(memory);
        for (auto& ping : outcome.pings) pings.push_back(std::move(ping));
        for (auto& reason : outcome.reasons) reasons.push_back(std::move(reason));
    }

    void send(const bridge::AgentAction& action) {
        sent.push_back(action.action);
        EXPECT_TRUE(ami::encode(action.action, "t-1").has_value());
        const auto kind = fate ? fate(action.action) : Fate::normal;
        if (kind == Fate::lost)
            return reply(action.ticket, bridge::AgentReply::timeout, "Asterisk did not answer", 5s);
        auto result = exchange.perform(action.action);
        if (kind == Fate::lost_after)
            reply(action.ticket, bridge::AgentReply::timeout, "Asterisk did not answer", 5s);
        const auto said = result.ok ? bridge::AgentReply::success : bridge::AgentReply::refused;
        const Millis late = kind == Fate::late ? 3s : 0s;
        const bool first = kind == Fate::event_first || action.list;
        if (kind != Fate::lost_after && !first) reply(action.ticket, said, result.text, late);
        if (kind != Fate::no_event || action.list)
            for (auto& event : result.events) show(std::move(event), late);
        // A list's answer is complete behind its last item, however late that is.
        const Millis behind = action.list ? std::max(late, last_event - now) : late;
        if (kind != Fate::lost_after && first) reply(action.ticket, said, result.text, behind);
    }

    void reply(std::uint64_t ticket, bridge::AgentReply said, const std::string& text, Millis after) {
        wire.emplace(now + after,
                     [this, ticket, said, text] { take(agents.replied(ticket, said, text, now)); });
    }
    void show(Headers headers, Millis after = 0s) {
        // Events keep their order, however late.
        last_event = std::max(last_event, now + after);
        wire.emplace(last_event, [this, headers = std::move(headers)] { hear(headers); });
    }
    void hear(const Headers& headers) {
        std::vector<ami::Header> flat;
        for (const auto& [name, value] : headers) flat.push_back({name, value});
        take(agents.apply(ami::Message(ami::Message::Kind::event, flat), now));
    }

    // Delivers what is due; `until` far away: everything, with all deadlines.
    void run(Millis span = 0s) {
        const auto until = now + span;
        for (;;) {
            const auto next = wire.empty() ? Millis::max() : wire.begin()->first;
            const auto deadline = agents.next_deadline();
            const auto at = std::min(next, deadline);
            if (at > until) break;
            now = std::max(now, at);
            if (next <= deadline) {
                const auto what = std::move(wire.begin()->second);
                wire.erase(wire.begin());
                what();
            } else {
                take(agents.tick(now));
            }
        }
        now = until;
    }

    // ---- the link ----
    void sync() {
        agents.sync_begin(now);
        for (const auto& item : exchange.perform({"QueueStatus", {}}).events) hear(item);
        take(agents.sync_end(now));
        run();
    }
    void cut() {
        wire.clear();
        last_event = now;
        take(agents.link_lost(now));
    }

    // ---- what people and programs do ----
    std::uint64_t ask(AgentRequest request) {
        request.token = ++tokens;
        if (request.by.empty()) request.by = request.jid;
        open.insert(request.token);
        take(agents.request(request, now));
        return request.token;
    }
    // The answer as "ok" or its condition; "none" while it is open.
    std::string answer(std::uint64_t token) const {
        const auto found = answers.find(token);
        if (found == answers.end()) return "none";
        return found->second.fault ? std::string(to_string(found->second.fault->refusal)) : "ok";
    }
    std::string text(std::uint64_t token) const {
        const auto found = answers.find(token);
        return found != answers.end() && found->second.fault ? found->second.fault->text : "";
    }
    std::string asked(const std::string& jid, AgentRequest::Kind kind, const std::string& reason = {}) {
        const auto token = ask({.jid = jid, .kind = kind, .reason = reason});
        run();
        return answer(token);
    }
    void call(const std::string& jid, RingState state, const std::string& leg = "1.1",
              const std::string& service = "support-line") {
        bridge::Notice notice;
        notice.to = jid;
        notice.pbx = "hq";
        notice.leg = leg;
        notice.state = state;
        notice.service = service;
        take(agents.notice(notice, now));
        run();
    }
    void client(const std::string& full, const std::string& show = {}) {
        take(agents.client_here(full, show, now));
        run();
    }
    void gone(const std::string& full) {
        take(agents.client_gone(full, now));
        run();
    }
    // Somebody else's action: its events come to us too.
    void others(const ami::Action& action) {
        for (auto& event : exchange.perform(action).events) show(std::move(event));
        run();
    }

    // ---- what is seen ----
    bridge::AgentPicture picture(const std::string& jid) const { return *agents.picture(jid); }
    // "talking", "talking>not-ready", "not-ready(lunch)"
    std::string state(const std::string& jid) const {
        const auto now_shown = picture(jid);
        std::string text(to_string(now_shown.state));
        if (now_shown.state == AgentState::not_ready && !now_shown.reason.empty())
            text += "(" + now_shown.reason + ")";
        if (!now_shown.pending.empty()) text += ">" + now_shown.pending;
        return text;
    }
    // Of the exchange: "sales:2 support:1" with "/lunch" behind a paused one.
    std::string queues(const std::string& interface) const {
        std::string text;
        for (const auto& [name, members] : exchange.queues) {
            const auto found = members.find(interface);
            if (found == members.end()) continue;
            text += (text.empty() ? "" : " ") + name + ":" + std::to_string(found->second.penalty);
            if (found->second.paused) text += "/" + found->second.reason;
        }
        return text;
    }
    bool because(bridge::Why why) const {
        for (const auto& reason : reasons)
            if (reason.why == why) return true;
        return false;
    }

    // What the desk says and what the exchange does are the same; called when nothing is under way.
    void expect_equal(const std::string& jid) const {
        const auto shown_now = picture(jid);
        const auto interface = "PJSIP/" + shown_now.extension;
        bool in = false, called = false;
        for (const auto& [name, members] : exchange.queues)
            if (const auto found = members.find(interface); found != members.end()) {
                in = true;
                called |= !found->second.paused;
            }
        const auto words = state(jid) + " in " + queues(interface);
        switch (shown_now.state) {
            case AgentState::logged_out:
                EXPECT_FALSE(in) << words;
                break;
            case AgentState::ready:
                EXPECT_TRUE(called) << words;
                break;
            case AgentState::not_ready:
            case AgentState::wrap_up:
                EXPECT_TRUE(in && !called) << words;
                break;
            default:
                EXPECT_TRUE(in) << words;
        }
        const bool in_call = shown_now.state == AgentState::ringing ||
                             shown_now.state == AgentState::talking || shown_now.state == AgentState::held;
        if (!in_call) {
            EXPECT_EQ(shown_now.pending, "") << words;
        }
        for (const auto& service : shown_now.services) {
            if (service.state == bridge::AgentPicture::Service::State::failed) continue;
            const auto known = std::ranges::find(services_of, service.name, &crm::Service::name);
            const bool member = exchange.find(known->queue, interface) != nullptr;
            EXPECT_EQ(service.state == bridge::AgentPicture::Service::State::in, member)
                << service.name << words;
        }
    }

    std::vector<crm::Service> services_of;
    QueueExchange exchange;
    bridge::Agents agents;
    Millis now{1'000'000}, last_event{0};
    std::function<Fate(const ami::Action&)> fate;
    std::multimap<Millis, std::function<void()>> wire;
    std::uint64_t tokens = 0;
    std::set<std::uint64_t> open;
    std::map<std::uint64_t, bridge::AgentAnswer> answers;
    std::map<std::string, bridge::AgentPicture> shown;
    std::map<std::string, bridge::AgentMemory> memories;
    std::vector<bridge::AgentPicture> told;
    std::vector<bridge::AgentEvent> events;
    std::vector<bridge::AgentMove> moves;
    std::vector<std::string> pings;
    std::vector<bridge::Reason> reasons;
    std::vector<ami::Action> sent;
};

}  // namespace agents_test
