#include "bridge/dialer.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::Dialer;
using bridge::DialFacts;
using bridge::DialingConfig;
using bridge::DialRequest;
using bridge::Millis;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using xmpp::Condition;

namespace {

struct Scene {
    crm::Operator anna{.jid = "anna@example.org",
                       .crm_user = "5",
                       .pbx = "hq",
                       .extension = "201",
                       .name = "Anna",
                       .active = true};
    bridge::PbxConfig pbx;
    DialingConfig rules;
    DialRequest request{.jid = "anna@example.org",
                        .number = "+44 7700 900456",
                        .service = {},
                        .module = {},
                        .record = {},
                        .request = "iq1"};
    DialFacts facts;
    Millis now{1000000};

    Scene() {
        pbx.name = "hq";
        facts.who = &anna;
        facts.pbx = &pbx;
        facts.link_up = true;
        number("+447700900456");
    }
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;
    void number(const std::string& e164) {
        crm::Number n;
        n.digits = e164.substr(1);
        n.e164 = e164;
        facts.number = n;
    }
    void digits(const std::string& text, bool internal = false) {
        crm::Number n;
        n.digits = text;
        n.internal = internal;
        facts.number = n;
    }
    auto plan() { return Dialer(rules).plan(request, facts, "u-1", now); }
};

}  // namespace

TEST(dialer, a_service_chooses_context_and_number_and_refuses_by_name) {
    crm::Service campaign;
    campaign.name = "campaign";
    campaign.direction = crm::Direction::outbound;
    campaign.contexts = {"dial-campaign", "other"};
    campaign.caller_id = "Campaign <0207946{extension}>";
    Scene s;
    s.pbx.dial.context = "ctd";
    s.request.service = "campaign";
    const auto refusal = [&] {
        const auto plan = s.plan();
        return plan ? std::string("allowed") : plan.error().rule + ": " + plan.error().text;
    };
    EXPECT_THAT(refusal(), HasSubstr("service: there is no service \"campaign\""));
    s.facts.service = &campaign;
    auto plan = s.plan();
    ASSERT_TRUE(plan) << plan.error().text;
    EXPECT_EQ(plan->originate.context, "dial-campaign");
    EXPECT_EQ(plan->originate.caller_id, "Campaign <0207946201>");
    EXPECT_EQ(plan->dialing.service, "campaign");
    EXPECT_EQ(plan->row.service, "campaign");
    campaign.contexts.clear();
    campaign.caller_id.clear();
    plan = s.plan();
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->originate.context, "ctd");
    EXPECT_EQ(plan->originate.caller_id, "201");
    campaign.operators = {{"boris@example.org", 0, false}};
    EXPECT_THAT(refusal(), HasSubstr("service: you do not work for"));
    campaign.operators.push_back({"anna@example.org", 0, false});
    EXPECT_EQ(refusal(), "allowed");
    campaign.direction = crm::Direction::inbound;
    EXPECT_THAT(refusal(), HasSubstr("service: \"campaign\" takes calls"));
}

TEST(dialer, an_allowed_call_becomes_a_plan) {
    Scene s;
    s.rules.rewrite = {{"+44", "0"}};
    s.pbx.dial.context = "ctd";
    s.pbx.dial.timeout = Millis{20000};
    s.pbx.dial.auto_answer = {{"Call-Info", "<sip:x>;answer-after=0"}};
    s.request.module = "Contacts";
    s.request.record = "12";
    auto plan = s.plan();
    ASSERT_TRUE(plan) << plan.error().text;
    EXPECT_EQ(plan->pbx, "hq");
    EXPECT_FALSE(plan->internal);
    EXPECT_EQ(plan->originate.channel, "PJSIP/201");
    EXPECT_EQ(plan->originate.context, "ctd");
    EXPECT_EQ(plan->originate.exten, "07700900456");
    EXPECT_EQ(plan->originate.caller_id, "201");
    EXPECT_EQ(plan->originate.timeout, Millis{20000});
    EXPECT_EQ(plan->originate.channel_id, "ctd-u-1");
    EXPECT_THAT(
        plan->originate.variables,
        ElementsAre(Pair("PJSIP_HEADER(add,Call-Info)", "<sip:x>;answer-after=0"), Pair("CDR(crmid)", "12")));
    EXPECT_EQ(plan->dialing.channel_id, "ctd-u-1");
    EXPECT_EQ(plan->dialing.number, "+447700900456");
    EXPECT_EQ(plan->dialing.request, "iq1");
    EXPECT_EQ(plan->dialing.record, "12");
    EXPECT_EQ(plan->row.id, "ctd-u-1");
    EXPECT_EQ(plan->row.dialed, "07700900456");
    EXPECT_EQ(plan->row.number, "+44 7700 900456");
    EXPECT_EQ(plan->row.outcome, "accepted");
    EXPECT_TRUE(ami::encode(ami::originate(plan->originate), "x"));
}

TEST(dialer, the_found_record_is_used_when_none_is_named) {
    Scene s;
    s.facts.module = "Leads";
    s.facts.record = "77";
    s.facts.label = "Ann";
    auto plan = s.plan();
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->dialing.record, "77");
    EXPECT_EQ(plan->dialing.label, "Ann");
    EXPECT_THAT(plan->originate.variables, ElementsAre(Pair("CDR(crmid)", "77")));
    s.request.module = "Contacts";
    s.request.record = "12";
    plan = s.plan();
    EXPECT_EQ(plan->dialing.record, "12");
    EXPECT_EQ(plan->dialing.label, "") << "the label belongs to the other record";
}

TEST(dialer, internal_numbers_are_not_rewritten) {
    Scene s;
    s.rules.rewrite = {{"2", "9"}};
    s.digits("202", true);
    auto plan = s.plan();
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->internal);
    EXPECT_EQ(plan->originate.exten, "202");
}

TEST(dialer, chan_sip_gets_its_own_header_variables) {
    Scene s;
    s.pbx.channels = {"SIP/{extension}"};
    s.pbx.dial.auto_answer = {{"Call-Info", "a"}, {"Alert-Info", "b"}};
    EXPECT_THAT(s.plan()->originate.variables,
                ElementsAre(Pair("SIPADDHEADER01", "Call-Info: a"), Pair("SIPADDHEADER02", "Alert-Info: b")));
}

TEST(dialer, every_check_refuses_with_its_rule) {
    struct Case {
        void (*spoil)(Scene&);
        const char* rule;
        Condition condition;
        const char* text;
    };
    const Case cases[] = {
        {[](Scene& s) { s.facts.who = nullptr; }, "operator", Condition::forbidden, "is not an operator"},
        {[](Scene& s) { s.anna.active = false; }, "active", Condition::forbidden, "not active"},
        {[](Scene& s) { s.facts.pbx = nullptr; }, "phone", Condition::not_acceptable,
         "no telephone exchange"},
        {[](Scene& s) { s.anna.extension = ""; }, "phone", Condition::not_acceptable, "no usable extension"},
        {[](Scene& s) { s.anna.extension = "201&PJSIP/202"; }, "phone", Condition::not_acceptable,
         "no usable extension"},
        {[](Scene& s) { s.anna.extension = "201@x"; }, "phone", Condition::not_acceptable,
         "no usable extension"},
        {[](Scene& s) { s.facts.number = std::unexpected("letters are no number"); }, "number",
         Condition::bad_request, "letters are no number"},
        {[](Scene& s) { s.digits(""); }, "number", Condition::bad_request, "is no telephone number"},
        {[](Scene& s) { s.digits("20;1"); }, "number", Condition::bad_request, "is no telephone number"},
        {[](Scene& s) { s.digits(std::string(41, '1')); }, "number", Condition::bad_request,
         "is no telephone number"},
        {[](Scene& s) { s.digits("1+1"); }, "number", Condition::bad_request, "is no telephone number"},
        {[](Scene& s) { s.digits("201", true); }, "number", Condition::bad_request, "your own extension"},
        {[](Scene& s) {
             s.request.record = "1,x";
             s.request.module = "Contacts";
         },
         "record", Condition::bad_request, "no name and id"},
        {[](Scene& s) { s.request.record = "12"; }, "record", Condition::bad_request,
         "its module and its id"},
        {[](Scene& s) { s.rules.deny = {"+447*"}; }, "deny:+447*", Condition::not_acceptable,
         "+447700900456 may not be called"},
        {[](Scene& s) { s.rules.allow = {"2??"}; }, "allow", Condition::not_acceptable, "may not be called"},
        {[](Scene& s) { s.facts.going_on = 2; }, "concurrent", Condition::resource_constraint,
         "2 of your calls"},
        {[](Scene& s) { s.facts.link_up = false; }, "link", Condition::service_unavailable,
         "cannot be reached"},
    };
    for (const auto& c : cases) {
        Scene s;
        c.spoil(s);
        auto plan = s.plan();
        ASSERT_FALSE(plan) << c.rule;
        EXPECT_EQ(plan.error().rule, c.rule);
        EXPECT_EQ(plan.error().condition, c.condition) << c.rule;
        EXPECT_THAT(plan.error().text, HasSubstr(c.text));
        auto row = Dialer::refused_row(s.request, s.facts, plan.error(), "u", Millis{5});
        EXPECT_EQ(row.outcome, std::string("refused:") + c.rule);
        EXPECT_EQ(row.at, Millis{5});
    }
}

TEST(dialer, ten_calls_a_minute_and_each_operator_for_himself) {
    Scene s;
    s.rules.per_minute = 3;
    Dialer dialer(s.rules);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(dialer.plan(s.request, s.facts, "u", s.now + Millis{i * 10000}));
    auto refused = dialer.plan(s.request, s.facts, "u", s.now + Millis{30000});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().rule, "per_minute");
    EXPECT_EQ(refused.error().condition, Condition::resource_constraint);
    EXPECT_THAT(refused.error().text, HasSubstr("try again in 31 s"));
    auto other = s.request;
    other.jid = "ben@example.org";
    EXPECT_TRUE(dialer.plan(other, s.facts, "u", s.now + Millis{30000}));
    EXPECT_TRUE(dialer.plan(s.request, s.facts, "u", s.now + Millis{60000}));
    EXPECT_FALSE(dialer.plan(s.request, s.facts, "u", s.now + Millis{60001}));
}

TEST(dialer, refused_requests_do_not_count_for_the_rate) {
    Scene s;
    s.rules.per_minute = 1;
    Dialer dialer(s.rules);
    s.facts.link_up = false;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(dialer.plan(s.request, s.facts, "u", s.now).error().rule, "link");
    s.facts.link_up = true;
    EXPECT_TRUE(dialer.plan(s.request, s.facts, "u", s.now));
}

TEST(patterns, the_longest_decides_and_at_equal_length_deny) {
    struct Case {
        std::vector<std::string> allow, deny;
        const char* number;
        bool allowed;
        const char* rule;
    };
    const Case cases[] = {
        {{}, {}, "+1", true, "allow"},
        {{}, {"+1*"}, "+12", false, "deny:+1*"},
        {{}, {"+1*"}, "+22", true, "allow"},
        {{"+44*"}, {}, "+4420", true, "allow:+44*"},
        {{"+44*"}, {}, "+4320", false, "allow"},
        {{"+44*"}, {"+449*"}, "+44920", false, "deny:+449*"},
        {{"+44*", "+44900*"}, {"+449*"}, "+4490012", true, "allow:+44900*"},
        {{"+44*"}, {"+44*"}, "+4420", false, "deny:+44*"},
        {{"2??"}, {}, "201", true, "allow:2??"},
        {{"2??"}, {}, "2011", false, "allow"},
        {{"*"}, {"+4?9*"}, "+44900", false, "deny:+4?9*"},
    };
    for (const auto& c : cases) {
        DialingConfig config;
        config.allow = c.allow;
        config.deny = c.deny;
        auto verdict = bridge::judge(config, c.number);
        EXPECT_EQ(verdict.allowed, c.allowed) << c.number << " " << c.rule;
        EXPECT_EQ(verdict.rule, c.rule);
    }
}

TEST(patterns, globs) {
    EXPECT_TRUE(bridge::matches_pattern("*", ""));
    EXPECT_TRUE(bridge::matches_pattern("+4*9?", "+4412399"));
    EXPECT_FALSE(bridge::matches_pattern("+4*9?", "+44123"));
    EXPECT_TRUE(bridge::matches_pattern("a*b*c", "aXbYbZc"));
    EXPECT_FALSE(bridge::matches_pattern("", "1"));
    EXPECT_FALSE(bridge::matches_pattern("?", ""));
    EXPECT_FALSE(bridge::matches_pattern("*1*1*1*1*1*1*1*1*1*1*2", std::string(40, '1')));
}

TEST(dialer, rewriting_takes_the_first_rule_that_fits) {
    std::vector<bridge::DialRewrite> rules{{"+44", "0"}, {"+", "00"}, {"0", "9"}};
    EXPECT_EQ(bridge::rewritten(rules, "+442079"), "02079");
    EXPECT_EQ(bridge::rewritten(rules, "+420222"), "00420222");
    EXPECT_EQ(bridge::rewritten(rules, "0123"), "9123");
    EXPECT_EQ(bridge::rewritten(rules, "112"), "112");
    EXPECT_EQ(bridge::filled("\"{number}\" <{extension}> {x}", "201", "1"), "\"1\" <201> {x}");
}

TEST(dialer, asterisk_refusals_have_their_condition) {
    EXPECT_EQ(bridge::condition_of("Extension does not exist."), Condition::item_not_found);
    EXPECT_EQ(bridge::condition_of("Permission denied"), Condition::forbidden);
    EXPECT_EQ(bridge::condition_of("Originate Access Forbidden: app or data blacklisted"),
              Condition::forbidden);
    EXPECT_EQ(bridge::condition_of("Asterisk is shutting down"), Condition::service_unavailable);
    EXPECT_EQ(bridge::condition_of("Invalid channel"), Condition::undefined_condition);
}

TEST(dialer, uuids_are_unique_and_well_formed) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        auto uuid = bridge::new_uuid();
        EXPECT_THAT(uuid, testing::MatchesRegex(
                              "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        EXPECT_TRUE(seen.insert(uuid).second);
    }
}

TEST(dialer, a_transfer_goes_where_a_dial_may_go_and_counts_for_the_rate) {
    Scene s;
    s.rules.allow = {"+44*", "2??"};
    s.rules.deny = {"+449*"};
    s.rules.rewrite = {{"+44", "0"}};
    s.rules.per_minute = 2;
    s.rules.concurrent = 1;
    s.facts.going_on = 1;  // the call that is transferred is no reason against it
    Dialer dialer(s.rules);
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).value(), "07700900456");
    s.number("+449123456789");
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).error().rule, "deny:+449*");
    s.digits("201", true);
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).error().rule, "number");
    s.digits("202", true);
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).value(), "202");
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).error().rule, "per_minute");
    s.facts.link_up = false;
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now + std::chrono::minutes(2)).error().rule, "link");
    s.facts.who = nullptr;
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).error().rule, "operator");
}

TEST(dialer, nothing_is_dialled_or_transferred_while_it_is_switched_off) {
    Scene s;
    s.facts.switched_off = "dialling is switched off since noon";
    const auto plan = s.plan();
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().rule, "switched-off");
    EXPECT_EQ(plan.error().condition, Condition::not_acceptable);
    EXPECT_EQ(plan.error().text, "dialling is switched off since noon");
    Dialer dialer(s.rules);
    EXPECT_EQ(dialer.transfer(s.request, s.facts, s.now).error().rule, "switched-off");
    s.facts.switched_off.clear();
    EXPECT_TRUE(s.plan());
}
