#include "bridge/explain.hpp"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::Data;
using bridge::ExplainQuestion;
using bridge::ExplainWorld;
using bridge::Fact;
using bridge::Millis;
using bridge::Reason;
using bridge::ReasonLog;
using bridge::Why;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = ExplainQuestion::Kind;

namespace {

constexpr Millis noon{1795348800000};  // 2026-11-22T12:00:00Z
const std::string anna = "anna@example.org", boris = "boris@example.org";

class Explain : public testing::Test {
 protected:
    Explain() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
    void decided(Why why, const std::string& call, const std::string& jid = {}, Data data = {},
                 const std::vector<std::string>& numbers = {}) {
        log_.add({.at = now_ += Millis{5},
                  .why = why,
                  .call = call,
                  .leg = {},
                  .jid = jid,
                  .data = std::move(data)},
                 numbers);
    }
    // A call for anna that she was shown, and boris' phone that was nobody's.
    void call(const std::string& id) {
        decided(Why::caller_known, id, {}, {{Fact::number, "+447700900123"}, {Fact::dialed, "02079460201"}},
                {"+447700900123", "02079460201"});
        decided(Why::operator_found, id, anna, {{Fact::channel, "PJSIP/201-1"}, {Fact::extension, "201"}});
        decided(Why::ring_recognised, id, anna, {{Fact::device, "PJSIP/201"}, {Fact::extension, "201"}});
        decided(Why::no_match, id, anna,
                {{Fact::number, "+447700900123"}, {Fact::text, "confirmed by the CRM's database"}});
        decided(Why::pop_to_console, id, anna,
                {{Fact::to, anna + "/web"}, {Fact::state, "ringing"}, {Fact::after_ms, "3"}});
        decided(Why::pop_confirmed, id, anna);
    }
    [[nodiscard]] bridge::Explanation ask(Kind kind, const std::string& asked, bool all = false,
                                          std::size_t most = 5) const {
        return explanation(log_, {.asked = asked, .kind = kind, .keys = {asked}, .all = all, .most = most},
                           world_);
    }

    ReasonLog log_{ReasonLog::Limits{}, noon};
    Millis now_ = noon;
    ExplainWorld world_;
};

TEST_F(Explain, tells_a_call_in_order_of_time_with_its_outcome_first) {
    call("hq:1.0");
    const auto told = ask(Kind::call, "hq:1.0");
    EXPECT_TRUE(told.known);
    EXPECT_EQ(told.text,
              "Call hq:1.0, 2026-11-22:\n"
              "  * anna@example.org was sent the pop (confirmed by the XMPP server).\n"
              "  12:00:00.005  A call came from +447700900123, the number dialled is 02079460201.\n"
              "  12:00:00.015  Phone 201 (PJSIP/201) rang; it belongs to anna@example.org.\n"
              "  12:00:00.020  No record of the CRM has the number +447700900123, confirmed by the CRM's "
              "database.\n"
              "                -> If the caller is in the CRM, look how the number is written there; "
              "`ctibridge lookup "
              "+447700900123` tries it.\n"
              "  12:00:00.025  The pop (ringing) was sent to the console of anna@example.org, "
              "anna@example.org/web, 3 ms "
              "after the event.\n"
              "  12:00:00.030  The XMPP server has confirmed that it got the pop of anna@example.org.\n");
    EXPECT_THAT(ask(Kind::call, "hq:1.0", true).text, HasSubstr("Channel PJSIP/201-1 is phone 201"));
}

TEST_F(Explain, says_why_nobody_was_told_and_what_to_do) {
    decided(Why::operator_unknown_extension, "hq:1.0", {},
            {{Fact::device, "PJSIP/204"}, {Fact::extension, "204"}}, {"204"});
    decided(Why::operator_unknown_extension, "hq:1.0", {},
            {{Fact::device, "PJSIP/204"}, {Fact::extension, "204"}}, {"204"});
    const auto told = ask(Kind::number, "204").text;
    EXPECT_THAT(told, HasSubstr("  * Phone 204 (PJSIP/204) was called, and nobody is entered for extension "
                                "204. Enter an operator"));
    EXPECT_EQ(told.find("  * ", told.find("  * ") + 1), std::string::npos) << "said once in the summary\n"
                                                                           << told;
}

TEST_F(Explain, a_call_without_any_phone_says_so) {
    decided(Why::caller_known, "hq:1.0", {}, {{Fact::number, "1"}});
    EXPECT_THAT(ask(Kind::call, "hq:1.0").text, HasSubstr("No phone of an operator has rung yet"));
    decided(Why::call_ended, "hq:1.0", {}, {{Fact::disposition, "no-answer"}, {Fact::seconds, "2.0"}});
    EXPECT_THAT(ask(Kind::call, "hq:1.0").text,
                HasSubstr("No phone of an operator rang, so nobody was told."));
}

TEST_F(Explain, an_operator_hears_of_their_own_part_of_a_call) {
    call("hq:1.0");
    decided(Why::pop_to_console, "hq:1.0", boris, {{Fact::to, boris}, {Fact::state, "ringing"}});
    EXPECT_THAT(ask(Kind::jid, anna).text, Not(HasSubstr(boris)));
    EXPECT_THAT(ask(Kind::jid, anna, true).text, HasSubstr(boris));
    EXPECT_THAT(ask(Kind::call, "hq:1.0").text, AllOf(HasSubstr(boris), HasSubstr(anna)));
}

TEST_F(Explain, the_newest_calls_are_told_the_oldest_of_them_first) {
    for (int i = 1; i <= 8; ++i) call("hq:" + std::to_string(i));
    const auto told = ask(Kind::jid, anna, false, 3).text;
    EXPECT_THAT(told, AllOf(HasSubstr("5 older calls are left out"), Not(HasSubstr("Call hq:5,"))));
    EXPECT_LT(told.find("Call hq:6,"), told.find("Call hq:7,"));
    EXPECT_LT(told.find("Call hq:7,"), told.find("Call hq:8,"));
}

TEST_F(Explain, calls_that_became_one_are_one_story) {
    decided(Why::caller_known, "hq:1", {}, {{Fact::number, "111"}}, {"111"});
    decided(Why::caller_known, "hq:2", {}, {{Fact::number, "222"}}, {"222"});
    decided(Why::merged, "hq:1", {}, {{Fact::from, "hq:2"}, {Fact::into, "hq:1"}});
    for (const auto* id : {"hq:1", "hq:2"})
        EXPECT_THAT(ask(Kind::call, id).text,
                    AllOf(HasSubstr("from 111"), HasSubstr("from 222"), HasSubstr("Two calls became one")));
    EXPECT_THAT(ask(Kind::number, "222").text, HasSubstr("from 111"));
}

TEST_F(Explain, a_refused_request_is_told_though_it_made_no_call) {
    decided(Why::refused_request, {}, anna,
            {{Fact::rule, "deny:+449*"},
             {Fact::number, "+449"},
             {Fact::text, "+449 may not be called from here"}},
            {"+449"});
    for (const auto& told : {ask(Kind::jid, anna).text, ask(Kind::number, "+449").text})
        EXPECT_THAT(told, AllOf(HasSubstr("Requests, 2026-11-22:"),
                                HasSubstr("was refused by the rule `deny:+449*`")));
}

TEST_F(Explain, a_link_that_failed_within_the_call_is_part_of_its_story) {
    decided(Why::link_down, {}, {}, {{Fact::link, "crm"}});
    call("hq:1");
    decided(Why::link_down, {}, {}, {{Fact::link, "xmpp"}, {Fact::text, "reset"}});
    decided(Why::call_ended, "hq:1", {}, {{Fact::disposition, "answered"}, {Fact::seconds, "9"}});
    const auto told = ask(Kind::call, "hq:1").text;
    EXPECT_THAT(told, AllOf(HasSubstr("The link xmpp went down: reset."), Not(HasSubstr("The link crm"))));
}

TEST_F(Explain, an_endless_story_is_cut_in_its_middle) {
    decided(Why::caller_known, "hq:1", {}, {{Fact::number, "111"}});
    for (int i = 0; i < 900; ++i)
        decided(Why::ring_recognised, "hq:1", anna,
                {{Fact::extension, std::to_string(i)}, {Fact::device, "PJSIP/x"}});
    const auto told = ask(Kind::call, "hq:1").text;
    EXPECT_THAT(told,
                AllOf(HasSubstr("from 111"), HasSubstr("... 601 left out ..."), HasSubstr("Phone 899 ")));
}

TEST_F(Explain, where_nothing_is_known_it_says_since_when_and_what_to_look_at) {
    world_.links = {{"pbx:hq", true, noon, {}, Millis{0}}, {"xmpp", false, noon, "connection refused", noon}};
    const auto told = ask(Kind::number, "+440");
    EXPECT_FALSE(told.known);
    EXPECT_THAT(told.text,
                AllOf(HasSubstr("Nothing was decided about +440 since 2026-11-22 12:00:00"),
                      HasSubstr("The link xmpp is down since 2026-11-22 12:00:00: connection refused."),
                      Not(HasSubstr("pbx:hq")), HasSubstr("`ctibridge check` tells")));
    world_.is_extension = true;
    EXPECT_THAT(ask(Kind::number, "204").text, HasSubstr("nobody is entered for this extension"));
    world_.similar = anna;
    EXPECT_THAT(
        ask(Kind::jid, "ana@example.org").text,
        AllOf(HasSubstr("ana@example.org is no operator here"), HasSubstr("Did you mean anna@example.org?")));
    EXPECT_THAT(ask(Kind::call, "hq:7").text, HasSubstr("Is the id whole"));
}

TEST_F(Explain, an_operator_is_shown_as_they_stand_now) {
    world_.who = bridge::OperatorView{.jid = anna,
                                      .name = "Anna",
                                      .pbx = "hq",
                                      .extension = "201",
                                      .active = true,
                                      .pbx_known = true,
                                      .consoles = {anna + "/web"},
                                      .sparks = {},
                                      .rings = {},
                                      .agent = {}};
    EXPECT_THAT(ask(Kind::jid, anna).text,
                AllOf(HasSubstr("anna@example.org (Anna) is an operator, phone 201 at the exchange `hq`."),
                      HasSubstr("Known clients: anna@example.org/web (console).")));
    world_.who->active = false;
    world_.who->pbx.clear();
    world_.who->consoles.clear();
    EXPECT_THAT(ask(Kind::jid, anna).text,
                AllOf(HasSubstr("not active and gets no pops"), HasSubstr("no exchange is named"),
                      HasSubstr("No console and no Spark")));
}

TEST_F(Explain, an_agent_is_shown_with_the_queues_that_refused) {
    using Service = bridge::AgentPicture::Service;
    world_.who = bridge::OperatorView{};
    world_.who->jid = anna;
    world_.who->agent = bridge::AgentPicture{.jid = anna,
                                             .seat = "4",
                                             .state = bridge::AgentState::talking,
                                             .reason = "lunch",
                                             .pending = "not-ready",
                                             .by = "pbx"};
    world_.who->agent->services = {
        Service{.name = "help", .state = Service::State::in},
        Service{.name = "ghost", .state = Service::State::failed, .text = "No such\nqueue"}};
    const auto told = ask(Kind::jid, anna);
    EXPECT_THAT(
        told.text,
        HasSubstr("Agent state: talking (lunch), not-ready is asked for, by pbx, on seat 4; services: "
                  "help in, ghost failed (No such\\x0Aqueue)."));
    EXPECT_THAT(told.json, HasSubstr(R"("agent": {"state": "talking", "reason": "lunch", "pending": )"
                                     R"("not-ready", "by": "pbx", "seat": "4", "services": [)"));
}

TEST_F(Explain, json_has_each_decision_with_its_data) {
    call("hq:1.0");
    const auto json = ask(Kind::call, "hq:1.0").json;
    EXPECT_THAT(
        json,
        AllOf(HasSubstr(R"("kind": "call", "known": true)"),
              HasSubstr(R"("at": "2026-11-22T12:00:00.005Z", "why": "caller_known")"),
              HasSubstr(R"("data": {"to": "anna@example.org/web", "state": "ringing", "after_ms": "3"})"),
              HasSubstr(R"("operator": null)")));
}

TEST_F(Explain, foreign_text_stays_on_its_line) {
    decided(Why::caller_known, "hq:1\n", {}, {{Fact::number, "1\n* forged"}, {Fact::name, "\x1b[2J"}});
    const auto told = ask(Kind::call, "hq:1\n");
    EXPECT_THAT(told.text, AllOf(Not(HasSubstr("\n* forged")), Not(HasSubstr("\x1b"))));
    EXPECT_THAT(told.json, Not(HasSubstr("\x1b")));
}

}  // namespace
