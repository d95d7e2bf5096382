// Every state of an agent times everything that can happen: the outcome of each pair is a row of this table,
// and after each the exchange's queues agree with what the desk shows.
#include "tests/bridge/agents_floor.hpp"

namespace agents_test {

namespace {

using Kind = AgentRequest::Kind;

struct Happening {
    std::string name;
    std::function<std::string(Floor&)> happen;  // the answer, "" where nobody asked
};

std::string ask(Floor& floor, AgentRequest request) {
    request.jid = anna;
    const auto token = floor.ask(std::move(request));
    floor.run();
    return floor.answer(token);
}

void everywhere(Floor& floor, const ami::Action& action) {
    for (const std::string queue : {"support", "sales"}) {
        auto one = action;
        one.headers.emplace_back("Queue", queue);
        floor.others(one);
    }
}

const std::vector<Happening> happenings{
    {"login", [](Floor& f) { return ask(f, {.kind = Kind::login}); }},
    {"ready", [](Floor& f) { return ask(f, {.kind = Kind::ready}); }},
    {"not-ready meeting", [](Floor& f) { return ask(f, {.kind = Kind::not_ready, .reason = "meeting"}); }},
    {"not-ready, no reason", [](Floor& f) { return ask(f, {.kind = Kind::not_ready}); }},
    {"not-ready, bad reason", [](Floor& f) { return ask(f, {.kind = Kind::not_ready, .reason = "x"}); }},
    {"logged-out", [](Floor& f) { return ask(f, {.kind = Kind::logged_out}); }},
    {"extend", [](Floor& f) { return ask(f, {.kind = Kind::extend, .extend = 60s}); }},
    {"seat", [](Floor& f) { return ask(f, {.kind = Kind::seat, .seat = "4"}); }},
    {"unknown seat", [](Floor& f) { return ask(f, {.kind = Kind::seat, .seat = "99"}); }},
    {"a stranger's ready", [](Floor& f) { return ask(f, {.by = ben, .kind = Kind::ready}); }},
    {"supervisor's lunch",
     [](Floor& f) { return ask(f, {.by = boss, .kind = Kind::not_ready, .reason = "lunch"}); }},
    {"administrator's logout",
     [](Floor& f) { return ask(f, {.by = chief, .administrator = true, .kind = Kind::logged_out}); }},
    {"a second call rings", [](Floor& f) { return f.call(anna, RingState::ringing, "2.1"), ""; }},
    {"a second call is dialled", [](Floor& f) { return f.call(anna, RingState::dialing, "2.1"), ""; }},
    {"a second call is talked", [](Floor& f) { return f.call(anna, RingState::answered, "2.1"), ""; }},
    {"a second call is held", [](Floor& f) { return f.call(anna, RingState::held, "2.1"), ""; }},
    {"the call ends", [](Floor& f) { return f.call(anna, RingState::ended), ""; }},
    {"client gone, back within grace",
     [](Floor& f) {
         f.gone(anna + "/desk");
         f.run(9s);
         f.client(anna + "/desk");
         f.run(9s);
         return "";
     }},
    {"client gone", [](Floor& f) { return f.gone(anna + "/desk"), f.run(10s), ""; }},
    {"client gone for long", [](Floor& f) { return f.gone(anna + "/desk"), f.run(11min), ""; }},
    {"client silent", [](Floor& f) { return f.run(41s), ""; }},
    {"others pause",
     [](Floor& f) {
         everywhere(f, {"QueuePause", {{"Interface", "PJSIP/201"}, {"Paused", "true"}, {"Reason", "fire"}}});
         return "";
     }},
    {"others resume",
     [](Floor& f) {
         everywhere(f, {"QueuePause", {{"Interface", "PJSIP/201"}, {"Paused", "false"}}});
         return "";
     }},
    {"others take out",
     [](Floor& f) { return everywhere(f, {"QueueRemove", {{"Interface", "PJSIP/201"}}}), ""; }},
    {"others add",
     [](Floor& f) {
         f.others({"QueueAdd", {{"Queue", "support"}, {"Interface", "PJSIP/201"}}});
         return "";
     }},
    {"link lost and back", [](Floor& f) { return f.cut(), f.run(3s), f.sync(), ""; }},
    {"Asterisk restarted", [](Floor& f) { return f.cut(), f.exchange.restart(), f.sync(), ""; }},
    {"others take out in a gap",
     [](Floor& f) {
         f.cut();
         for (auto& [name, queue] : f.exchange.queues) queue.clear();
         f.sync();
         return "";
     }},
    {"others pause in a gap",
     [](Floor& f) {
         f.cut();
         f.exchange.perform(
             {"QueuePause", {{"Interface", "PJSIP/201"}, {"Paused", "true"}, {"Reason", "fire"}}});
         f.sync();
         return "";
     }},
    {"messenger lost for long",
     [](Floor& f) {
         f.take(f.agents.messenger_lost(f.now));
         f.run(1h);
         f.take(f.agents.messenger_back(f.now));
         f.take(f.agents.pinged(anna + "/desk", bridge::PingResult::here, f.now));
         f.run();
         return "";
     }},
    {"half a minute passes",
     [](Floor& f) {
         for (int i = 0; i < 3; ++i) {
             f.run(10s);
             f.take(f.agents.pinged(anna + "/desk", bridge::PingResult::here, f.now));
         }
         f.run();
         return "";
     }},
    {"a service is added",
     [](Floor& f) {
         f.exchange.queues["vip"];
         f.services_of.push_back(
             {.name = "vip-line", .queue = "vip", .operators = {{.jid = anna, .penalty = 0}}});
         f.take(f.agents.set_roster(people(), f.services_of, seats(), f.now));
         f.run();
         return "";
     }},
    {"a service is taken away",
     [](Floor& f) {
         f.services_of.pop_back();
         f.take(f.agents.set_roster(people(), f.services_of, seats(), f.now));
         f.run();
         return "";
     }},
    {"operator made inactive",
     [](Floor& f) {
         auto all = people();
         all.front().active = false;
         f.take(f.agents.set_roster(all, f.services_of, seats(), f.now));
         f.run();
         return "";
     }},
    {"the daemon stops", [](Floor& f) { return f.take(f.agents.stop(f.now)), f.run(), ""; }},
};

const std::vector<std::string> states{"logged-out", "ready", "not-ready", "ringing",
                                      "talking",    "held",  "wrap-up"};

void bring(Floor& floor, const std::string& state) {
    floor.client(anna + "/desk");
    if (state == "logged-out") return;
    ASSERT_EQ(floor.asked(anna, Kind::ready), "ok");
    if (state == "not-ready") {
        ASSERT_EQ(floor.asked(anna, Kind::not_ready, "lunch"), "ok");
    }
    if (state == "ready" || state == "not-ready") return;
    floor.call(anna, RingState::ringing);
    if (state == "ringing") return;
    floor.call(anna, RingState::answered);
    if (state == "held") floor.call(anna, RingState::held);
    if (state == "wrap-up") floor.call(anna, RingState::ended);
}

// Per happening: the state after it for each state before, in the order of `states`; `!` and a condition
// where the request was refused. `=` is the state before.
const std::map<std::string, std::vector<std::string>> outcomes{
    {"login", {"ready", "=", "=", "=", "=", "=", "="}},
    {"ready", {"ready", "=", "ready", "ringing>ready", "talking>ready", "held>ready", "ready"}},
    {"not-ready meeting",
     {"not-ready(meeting)", "not-ready(meeting)", "not-ready(meeting)", "ringing>not-ready",
      "talking>not-ready", "held>not-ready", "not-ready(meeting)"}},
    {"not-ready, no reason",
     {"not-ready", "not-ready", "not-ready", "ringing>not-ready", "talking>not-ready", "held>not-ready",
      "not-ready"}},
    {"not-ready, bad reason",
     {"=!not-acceptable", "=!not-acceptable", "=!not-acceptable", "=!not-acceptable", "=!not-acceptable",
      "=!not-acceptable", "=!not-acceptable"}},
    {"logged-out",
     {"=", "logged-out", "logged-out", "ringing>logged-out", "talking>logged-out", "held>logged-out",
      "logged-out"}},
    {"extend", {"=!conflict", "=!conflict", "=!conflict", "=!conflict", "=!conflict", "=!conflict", "="}},
    {"seat", {"=", "=", "=", "=!conflict", "=!conflict", "=!conflict", "ready"}},
    {"unknown seat",
     {"=!item-not-found", "=!item-not-found", "=!item-not-found", "=!item-not-found", "=!item-not-found",
      "=!item-not-found", "=!item-not-found"}},
    {"a stranger's ready",
     {"=!forbidden", "=!forbidden", "=!forbidden", "=!forbidden", "=!forbidden", "=!forbidden",
      "=!forbidden"}},
    {"supervisor's lunch",
     {"not-ready(lunch)", "not-ready(lunch)", "=", "ringing>not-ready", "talking>not-ready", "held>not-ready",
      "not-ready(lunch)"}},
    {"administrator's logout",
     {"=", "logged-out", "logged-out", "ringing>logged-out", "talking>logged-out", "held>logged-out",
      "logged-out"}},
    {"a second call rings", {"=", "ringing", "ringing", "=", "=", "=", "ringing"}},
    {"a second call is dialled", {"=", "ringing", "ringing", "=", "=", "=", "ringing"}},
    {"a second call is talked", {"=", "talking", "talking", "talking", "=", "talking", "talking"}},
    {"a second call is held", {"=", "held", "held", "held", "=", "=", "held"}},
    {"the call ends", {"=", "=", "=", "ready", "wrap-up", "wrap-up", "="}},
    {"client gone, back within grace", {"=", "=", "=", "=", "=", "=", "="}},
    {"client gone",
     {"=", "not-ready(client-gone)", "=", "ringing>not-ready", "talking>not-ready", "held>not-ready",
      "not-ready(client-gone)"}},
    {"client gone for long",
     {"=", "logged-out", "logged-out", "ringing>logged-out", "talking>logged-out", "held>logged-out",
      "logged-out"}},
    {"client silent",
     {"=", "not-ready(client-silent)", "=", "ringing>not-ready", "talking>not-ready", "held>not-ready",
      "not-ready(client-silent)"}},
    {"others pause", {"=", "not-ready(fire)", "not-ready(fire)", "=", "=", "=", "not-ready(fire)"}},
    {"others resume", {"=", "=", "ready", "=", "=", "=", "ready"}},
    {"others take out",
     {"=", "logged-out", "logged-out", "logged-out", "logged-out", "logged-out", "logged-out"}},
    {"others add", {"ready", "=", "=", "=", "=", "=", "="}},
    {"link lost and back", {"=", "=", "=", "=", "=", "=", "="}},
    {"Asterisk restarted", {"=", "=", "=", "=", "=", "=", "="}},
    {"others take out in a gap", {"=", "=", "=", "=", "=", "=", "="}},
    {"others pause in a gap", {"=", "not-ready(fire)", "not-ready(fire)", "=", "=", "=", "not-ready(fire)"}},
    {"messenger lost for long", {"=", "=", "=", "=", "=", "=", "ready"}},
    {"half a minute passes", {"=", "=", "=", "=", "=", "=", "ready"}},
    {"a service is added", {"=", "=", "=", "=", "=", "=", "="}},
    {"a service is taken away", {"=", "=", "=", "=", "=", "=", "="}},
    {"operator made inactive",
     {"=", "logged-out", "logged-out", "ringing>logged-out", "talking>logged-out", "held>logged-out",
      "logged-out"}},
    {"the daemon stops",
     {"=", "not-ready(bridge-stopped)", "=", "ringing>not-ready", "talking>not-ready", "held>not-ready",
      "not-ready(bridge-stopped)"}},
};

struct Cell {
    std::size_t happening = 0, state = 0;
    friend void PrintTo(const Cell& cell, std::ostream* out) {
        *out << states[cell.state] << ", " << happenings[cell.happening].name;
    }
};

class agent_table : public testing::TestWithParam<Cell> {};

TEST_P(agent_table, ends_as_the_table_says_and_the_queues_agree) {
    const auto& happening = happenings[GetParam().happening];
    Floor floor;
    bring(floor, states[GetParam().state]);
    if (HasFatalFailure()) return;
    const auto before = floor.state(anna);
    floor.expect_equal(anna);

    auto seen = happening.happen(floor);
    floor.run();
    seen = floor.state(anna) + (seen.empty() || seen == "ok" ? "" : "!" + seen);

    auto expected = outcomes.at(happening.name).at(GetParam().state);
    if (expected.starts_with("=")) expected = before + expected.substr(1);
    EXPECT_EQ(seen, expected);
    floor.expect_equal(anna);
    EXPECT_TRUE(floor.open.empty());  // every request was answered
    EXPECT_EQ(floor.agents.in_flight(), 0U);
    EXPECT_EQ(floor.queues("PJSIP/202"), "");  // nobody else's business
}

std::vector<Cell> cells() {
    std::vector<Cell> all;
    for (std::size_t h = 0; h < happenings.size(); ++h)
        for (std::size_t s = 0; s < states.size(); ++s) all.push_back({h, s});
    return all;
}

INSTANTIATE_TEST_SUITE_P(every, agent_table, testing::ValuesIn(cells()), [](const auto& cell) {
    auto name = happenings[cell.param.happening].name + "_when_" + states[cell.param.state];
    std::erase_if(name, [](char c) { return c == ',' || c == '\''; });
    for (auto& c : name)
        if (c == ' ' || c == '-') c = '_';
    return name;
});

TEST(agents, the_table_has_every_happening_in_every_state) {
    for (const auto& happening : happenings) {
        ASSERT_TRUE(outcomes.contains(happening.name)) << happening.name;
        EXPECT_EQ(outcomes.at(happening.name).size(), bridge::agent_states.size()) << happening.name;
    }
    EXPECT_EQ(outcomes.size(), happenings.size());
}

}  // namespace

}  // namespace agents_test
