#include "bridge/status.hpp"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::Millis;
using bridge::StatusView;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr Millis noon{1795348800000};  // 2026-11-22T12:00:00Z

StatusView healthy() {
    StatusView view;
    view.version = "1.2";
    view.pid = 77;
    view.started = noon;
    view.now = noon + std::chrono::hours(3);
    view.links = {{"pbx:hq", true, noon, {}, Millis{0}}, {"xmpp", true, noon, {}, Millis{0}}};
    view.calls = {{"hq", 2}};
    view.agents = {{.pbx = "hq", .states = {{"ready", 2}, {"not-ready", 1}, {"logged-out", 7}}}};
    view.operators = 3;
    view.active = 2;
    view.consoles = 1;
    view.index = {
        .loaded = true, .records = 10, .numbers = 20, .full_read = noon, .followed = view.now - Millis{2000}};
    view.reasons = 5;
    view.reasons_most = 20000;
    view.reason_bytes = 1U << 20U;
    view.reason_bytes_most = 16U << 20U;
    view.reasons_since = noon;
    return view;
}

TEST(status, says_where_dialling_is_switched_off_and_by_whom) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    auto view = healthy();
    view.dialing_off = {{"", {"admin@example.org", noon}}, {"hq", {"the control socket", noon}}};
    EXPECT_THAT(status_text(view), HasSubstr("Dialling   OFF everywhere since 2026-11-22 12:00:00 by "
                                             "admin@example.org; OFF at hq since"));
    EXPECT_THAT(status_json(view),
                HasSubstr(R"("dialing_off": [{"pbx": null, "by": "admin@example.org", "since": )"
                          R"("2026-11-22T12:00:00.000Z"}, {"pbx": "hq")"));
}

TEST(status, is_read_at_a_glance) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    EXPECT_EQ(status_text(healthy()),
              "ctibridge 1.2, pid 77, runs since 2026-11-22 12:00:00 (3 h 0 min)\n"
              "Links\n"
              "  pbx:hq       up    since 2026-11-22 12:00:00 (3 h 0 min)\n"
              "  xmpp         up    since 2026-11-22 12:00:00 (3 h 0 min)\n"
              "Calls      2\n"
              "People     3 operators, 2 active; 1 consoles signed in\n"
              "Agents     1 not-ready, 2 ready\n"
              "Dialling   on\n"
              "Outbox     0 facts wait\n"
              "Rings      0 shown, whose end is still to be told\n"
              "Index      10 records, 20 numbers; read in full 3 h 0 min ago, followed 2 s ago\n"
              "Reasons    5 of at most 20000 (1.0 of 16 MiB), since 2026-11-22 12:00:00\n");
    EXPECT_TRUE(all_up(healthy()));
}

TEST(status, agents_are_counted_by_state_and_who_is_missing_somewhere_stands_out) {
    using bridge::AgentPicture;
    using bridge::AgentState;
    AgentPicture half{.jid = "a@x", .state = AgentState::ready};
    half.services = {{.name = "one", .state = AgentPicture::Service::State::in},
                     {.name = "two", .state = AgentPicture::Service::State::failed, .text = "No such queue"}};
    auto view = healthy();
    view.agents = {
        bridge::agents_view("hq", {half, {.jid = "b@x"}, {.jid = "c@x", .state = AgentState::talking}}, 3),
        bridge::agents_view("north", {{.jid = "d@x"}}, 0)};
    EXPECT_THAT(status_text(view),
                HasSubstr("Agents     hq: 1 ready, 1 talking; 1 NOT IN EVERY QUEUE of theirs; 3 actions on "
                          "their way; north: nobody is signed in\n"));
    EXPECT_THAT(status_json(view),
                HasSubstr(R"("agents": {"hq": {"logged-out": 1, "ready": 1, "talking": 1, )"
                          R"("not_in_every_queue": 1, "in_flight": 3}, "north": )"));
}

TEST(status, what_is_wrong_stands_out) {
    auto view = healthy();
    view.links[1] = {"xmpp", false, noon, "connection\nrefused", view.now - Millis{5000}};
    view.calls = {{"hq", 2}, {"north", 1}};
    view.without_pbx = 1;
    view.outbox.depth = 4;
    view.outbox.oldest = view.now - Millis{90000};
    view.outbox.set_aside = 2;
    view.outbox.last_error = "server has gone away";
    view.index = {};
    const auto text = status_text(view);
    EXPECT_FALSE(all_up(view));
    EXPECT_THAT(text, AllOf(HasSubstr("xmpp         DOWN  since"),
                            HasSubstr("last error 5 s ago: connection\\x0Arefused"),
                            HasSubstr("3 (hq 2, north 1)"), HasSubstr("1 for whom no exchange is named"),
                            HasSubstr("4 facts wait, the oldest from 90 s ago; 2 SET ASIDE"),
                            HasSubstr("gone away"), HasSubstr("not read yet")));
}

TEST(status, json_has_the_same) {
    auto view = healthy();
    EXPECT_THAT(
        status_json(view),
        AllOf(
            HasSubstr(R"("version": "1.2", "pid": 77)"), HasSubstr(R"("all_up": true)"),
            HasSubstr(
                R"({"name": "xmpp", "state": "up", "since": "2026-11-22T12:00:00.000Z", "last_error": null, "last_error_at": null})"),
            HasSubstr(R"("calls": {"hq": 2})"),
            HasSubstr(R"("outbox": {"depth": 0, "oldest": null, "set_aside": 0, "last_error": null})"),
            HasSubstr(R"("full_read": "2026-11-22T12:00:00.000Z")"), HasSubstr(R"("bytes_most": 16777216)")));
}

TEST(status, spans_are_short) {
    using namespace std::chrono_literals;
    EXPECT_EQ(bridge::span_text(45s), "45 s");
    EXPECT_EQ(bridge::span_text(10min), "10 min");
    EXPECT_EQ(bridge::span_text(3h + 12min), "3 h 12 min");
    EXPECT_EQ(bridge::span_text(72h), "3 days");
}

}  // namespace
