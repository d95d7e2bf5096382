// Who may call whom when: hours, emergency numbers, the rules of services and of operators.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/dialer.hpp"
#include "bridge/hours.hpp"

namespace {

using bridge::Dialer;
using bridge::DialFacts;
using bridge::DialingConfig;
using bridge::DialRequest;
using bridge::Millis;
using bridge::WeekHours;
using xmpp::Condition;

constexpr unsigned minute(unsigned day, unsigned hour, unsigned minutes = 0) {
    return (day * 24 + hour) * 60 + minutes;
}

WeekHours hours(std::initializer_list<std::string_view> lines) {
    WeekHours all;
    for (const auto line : lines) EXPECT_TRUE(all.add(line)) << line;
    return all;
}

TEST(week_hours, are_those_of_the_days_named_and_no_others) {
    const auto office = hours({"mon-fri 08:00-18:00", "sat 09:00-12:30"});
    EXPECT_FALSE(office.contain(minute(0, 7, 59)));
    EXPECT_TRUE(office.contain(minute(0, 8)));
    EXPECT_TRUE(office.contain(minute(4, 17, 59)));
    EXPECT_FALSE(office.contain(minute(4, 18)));
    EXPECT_TRUE(office.contain(minute(5, 12, 29)));
    EXPECT_FALSE(office.contain(minute(5, 12, 30)));
    EXPECT_FALSE(office.contain(minute(6, 12)));
    EXPECT_EQ(office.text(), "mon-fri 08:00-18:00, sat 09:00-12:30");
    EXPECT_TRUE(WeekHours().contain(minute(6, 3)));
}

TEST(week_hours, go_past_midnight_and_past_the_week) {
    const auto night = hours({"fri-sun 22:00-06:00"});
    EXPECT_FALSE(night.contain(minute(4, 21, 59)));
    EXPECT_TRUE(night.contain(minute(4, 22)));
    EXPECT_TRUE(night.contain(minute(5, 5, 59)));
    EXPECT_FALSE(night.contain(minute(5, 6)));
    EXPECT_TRUE(night.contain(minute(0, 5, 59))) << "Monday morning is still Sunday's night";
    EXPECT_FALSE(night.contain(minute(0, 6)));
    EXPECT_FALSE(night.contain(minute(1, 3)));
    const auto around = hours({"sat-mon 10:00-24:00"});
    for (const unsigned day : {5U, 6U, 0U}) EXPECT_TRUE(around.contain(minute(day, 23, 59))) << day;
    EXPECT_FALSE(around.contain(minute(1, 12)));
    EXPECT_TRUE(hours({"daily 00:00-24:00"}).contain(minute(3, 0)));
}

TEST(week_hours, that_nobody_can_read_are_refused) {
    for (const auto* line : {"", "mon", "mon 8-18", "mon 08:00", "08:00-18:00", "xyz 08:00-18:00",
                             "mon 08:00-25:00", "mon 08:60-18:00", "mon 08:00-08:00", "mon 24:00-08:00",
                             "mon-fri 08:00-18:00 x", "mon,tue 08:00-18:00", "mon--fri 08:00-18:00"}) {
        WeekHours all;
        EXPECT_FALSE(all.add(line)) << line;
        EXPECT_TRUE(all.empty());
    }
}

TEST(week_hours, are_told_with_the_minute) {
    EXPECT_EQ(bridge::name_of_minute(minute(5, 10, 5)), "sat 10:05");
    EXPECT_LT(bridge::minute_of_week_now(), WeekHours::week);
}

unsigned sunday_night() {
    return minute(6, 23);
}
unsigned monday_noon() {
    return minute(0, 12);
}

struct Floor {
    crm::Operator anna{.jid = "anna@example.org", .crm_user = "5", .pbx = "hq", .extension = "201"};
    bridge::PbxConfig pbx;
    crm::Service campaign;
    DialingConfig rules;
    DialRequest request{.jid = "anna@example.org",
                        .number = "+44 7700 900456",
                        .service = {},
                        .module = {},
                        .record = {},
                        .request = "iq1"};
    DialFacts facts;
    Millis now{1000000};

    Floor() {
        pbx.name = "hq";
        pbx.dial.context = "from-internal";
        campaign.name = "campaign";
        campaign.direction = crm::Direction::outbound;
        campaign.contexts = {"campaign-out"};
        facts.who = &anna;
        facts.pbx = &pbx;
        facts.link_up = true;
        number("+447700900456");
        rules.hours = hours({"mon-fri 08:00-18:00"});
    }
    Floor(const Floor&) = delete;
    Floor& operator=(const Floor&) = delete;
    void number(const std::string& e164) {
        crm::Number one;
        one.digits = e164.substr(1);
        one.e164 = e164;
        facts.number = one;
    }
    void dials(const std::string& text) {  // of no E.164, as a short number is
        request.number = text;
        facts.number = std::unexpected(std::string("the number is too short"));
    }
    void for_the_campaign() {
        request.service = "campaign";
        facts.service = &campaign;
    }
    [[nodiscard]] std::string verdict(Dialer::Clock clock = monday_noon) {
        Dialer dialer(rules, clock);
        const auto plan = dialer.plan(request, facts, "u-1", now);
        return plan ? "allowed" : plan.error().rule;
    }
};

TEST(dial_policy, nobody_outside_is_called_out_of_hours) {
    Floor floor;
    EXPECT_EQ(floor.verdict(monday_noon), "allowed");
    EXPECT_EQ(floor.verdict(sunday_night), "hours");
    Dialer dialer(floor.rules, sunday_night);
    const auto refused = dialer.plan(floor.request, floor.facts, "u-1", floor.now).error();
    EXPECT_EQ(refused.condition, Condition::not_acceptable);
    EXPECT_EQ(refused.text, "calls are made mon-fri 08:00-18:00; it is sun 23:00");
    EXPECT_EQ(Dialer::refused_row(floor.request, floor.facts, refused, "u-1", floor.now).outcome,
              "refused:hours");
    // nor handed on to
    EXPECT_EQ(dialer.transfer(floor.request, floor.facts, floor.now).error().rule, "hours");
}

TEST(dial_policy, a_colleague_can_be_called_at_any_hour) {
    Floor floor;
    crm::Number inside;
    inside.digits = "202";
    inside.internal = true;
    floor.facts.number = inside;
    EXPECT_EQ(floor.verdict(sunday_night), "allowed");
}

TEST(dial_policy, an_emergency_number_passes_every_rule_but_who_asks) {
    Floor floor;
    floor.rules.allow = {"+44*"};
    floor.rules.deny = {"1*"};
    floor.rules.rewrite = {{"1", "99"}};
    floor.rules.per_minute = 1;
    floor.rules.concurrent = 1;
    floor.rules.emergency = {"112", "999"};
    floor.facts.going_on = 7;
    floor.for_the_campaign();
    Dialer dialer(floor.rules, sunday_night);
    for (const auto* text : {"112", "1 1 2", "tel:112", "999", "112", "112"}) {
        floor.dials(text);
        const auto plan = dialer.plan(floor.request, floor.facts, "u-1", floor.now);
        ASSERT_TRUE(plan) << text << " " << plan.error().text;
        EXPECT_TRUE(plan->originate.exten == "112" || plan->originate.exten == "999");
        EXPECT_EQ(plan->originate.context, "from-internal") << "of no service";
        EXPECT_EQ(plan->row.outcome, "accepted");
        EXPECT_TRUE(dialer.transfer(floor.request, floor.facts, floor.now));
    }
    floor.dials("1122");
    EXPECT_EQ(floor.verdict(), "number");
}

TEST(dial_policy, an_emergency_call_takes_nobody_s_rate) {
    Floor floor;
    floor.rules.per_minute = 1;
    Dialer dialer(floor.rules, monday_noon);
    floor.dials("112");
    ASSERT_TRUE(dialer.plan(floor.request, floor.facts, "u-1", floor.now));
    floor.request.number = "+44 7700 900456";
    floor.number("+447700900456");
    EXPECT_TRUE(dialer.plan(floor.request, floor.facts, "u-2", floor.now));
    EXPECT_EQ(dialer.plan(floor.request, floor.facts, "u-3", floor.now).error().rule, "per_minute");
}

TEST(dial_policy, no_program_dials_an_emergency_number) {
    Floor floor;
    floor.dials("112");
    EXPECT_EQ(floor.verdict(), "allowed");
    floor.request.in_person = false;
    EXPECT_EQ(floor.verdict(), "emergency");
    floor.request.in_person = true;
    floor.anna.role = crm::Role::application;
    EXPECT_EQ(floor.verdict(), "emergency");
    floor.anna.role = crm::Role::agent;
    floor.facts.link_up = false;
    EXPECT_EQ(floor.verdict(), "link");
    floor.anna.extension.clear();
    EXPECT_EQ(floor.verdict(), "phone");
    floor.facts.who = nullptr;
    EXPECT_EQ(floor.verdict(), "operator");
}

TEST(dial_policy, of_an_operator_comes_before_the_service_s_and_that_before_the_general_one) {
    Floor floor;
    floor.rules.allow = {"+44*"};
    floor.rules.deny = {"+4477*"};
    EXPECT_EQ(floor.verdict(), "deny:+4477*");
    floor.rules.services["campaign"].deny = std::vector<std::string>{};
    EXPECT_EQ(floor.verdict(), "deny:+4477*") << "of the campaign only";
    floor.for_the_campaign();
    EXPECT_EQ(floor.verdict(), "allowed");
    EXPECT_EQ(floor.verdict(sunday_night), "hours");
    floor.rules.services["campaign"].hours = hours({"daily 00:00-24:00"});
    EXPECT_EQ(floor.verdict(sunday_night), "allowed");
    floor.rules.operators["anna@example.org"].hours = hours({"mon 09:00-10:00"});
    EXPECT_EQ(floor.verdict(sunday_night), "hours");
    floor.rules.operators["anna@example.org"].hours.reset();
    floor.rules.operators["anna@example.org"].allow = {{"+420*"}};
    EXPECT_EQ(floor.verdict(), "allow");
    floor.rules.operators.erase("anna@example.org");
    floor.rules.operators["boris@example.org"].allow = {{"+420*"}};
    EXPECT_EQ(floor.verdict(), "allowed");
}

TEST(dial_policy, rate_and_number_of_calls_can_be_somebody_s_own) {
    Floor floor;
    floor.rules.per_minute = 1;
    floor.rules.concurrent = 1;
    floor.rules.operators["anna@example.org"].per_minute = 3;
    floor.rules.services["campaign"].concurrent = 2;
    floor.for_the_campaign();
    Dialer dialer(floor.rules, monday_noon);
    floor.facts.going_on = 1;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(dialer.plan(floor.request, floor.facts, "u", floor.now)) << i;
    EXPECT_EQ(dialer.plan(floor.request, floor.facts, "u", floor.now).error().rule, "per_minute");
    floor.facts.going_on = 2;
    EXPECT_EQ(dialer.plan(floor.request, floor.facts, "u", floor.now).error().rule, "concurrent");
}

}  // namespace
