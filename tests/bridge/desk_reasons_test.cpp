// Why there was no pop: each situation is said once, with what decided it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

using bridge::Fact;
using bridge::Reason;
using bridge::Why;
using testing::HasSubstr;

namespace desk_test {
namespace {

std::vector<Reason> those(const Exchange& x, Why why) {
    std::vector<Reason> found;
    for (const auto& reason : x.seen.reasons)
        if (reason.why == why) found.push_back(reason);
    return found;
}

// A call that rings a device from its Newchannel to its Hangup.
void ring_and_end(Exchange& x, const std::string& device) {
    x.caller();
    x.ring(device, "1.1");
    x.state("1.1", "1.0", "Ringing");
    x.hangup("1.1", "1.0");
    x.hangup("1.0", "1.0");
    x.wait(1s);
}

struct Situation {
    const char* name;
    std::vector<crm::Operator> people, elsewhere;
    std::string device;
    Why why;
    std::string jid, sentence;
};

void PrintTo(const Situation& one, std::ostream* out) {
    *out << one.name;
}

class nobody_is_told : public testing::TestWithParam<Situation> {};

TEST_P(nobody_is_told, and_the_reason_is_said_once) {
    const auto& situation = GetParam();
    Exchange x("hq", situation.people);
    x.desk.set_people(situation.people, situation.elsewhere);
    ring_and_end(x, situation.device);
    EXPECT_TRUE(x.seen.notices.empty());
    const auto said = those(x, situation.why);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].call, "hq:1.0");
    EXPECT_EQ(said[0].leg, "1.1");
    EXPECT_EQ(said[0].jid, situation.jid);
    EXPECT_THAT(sentence(said[0]), HasSubstr(situation.sentence));
    EXPECT_FALSE(advice(said[0]).empty());
    EXPECT_TRUE(x.because(Why::call_without_operator));
}

INSTANTIATE_TEST_SUITE_P(
    when, nobody_is_told,
    testing::Values(Situation{"no_operator",
                              two_people(),
                              {},
                              "PJSIP/204-01",
                              Why::operator_unknown_extension,
                              "",
                              "Phone 204 (PJSIP/204) was called, and nobody is entered for extension 204."},
                    Situation{"inactive",
                              {{bob, "7", "hq", "204", "Bob", false}},
                              {},
                              "PJSIP/204-01",
                              Why::operator_inactive,
                              bob,
                              "it belongs to bob@example.org, who is not active"},
                    Situation{"without_jid",
                              {{"", "7", "hq", "204", "Bob", true}},
                              {},
                              "PJSIP/204-01",
                              Why::operator_without_jid,
                              "",
                              "it belongs to Bob, somebody without an XMPP address"},
                    Situation{"other_pbx",
                              two_people(),
                              {{bob, "7", "north", "204", "Bob", true}},
                              "PJSIP/204-01",
                              Why::operator_elsewhere,
                              bob,
                              "bob@example.org has it at the exchange `north`"},
                    Situation{"no_pbx_named",
                              two_people(),
                              {{bob, "7", "", "204", "Bob", true}},
                              "PJSIP/204-01",
                              Why::operator_without_pbx,
                              bob,
                              "there are several exchanges and none is named for bob"},
                    Situation{"driver_unknown",
                              two_people(),
                              {},
                              "IAX2/201-01",
                              Why::channel_of_no_phone,
                              "",
                              "no pattern of `channels` fits it"},
                    Situation{
                        "name_for_a_number",
                        two_people(),
                        {},
                        "PJSIP/reception-01",
                        Why::channel_of_no_extension,
                        "",
                        "it fits the pattern PJSIP/{extension}, but reception is no operator's extension"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(desk_reasons, a_pop_says_which_pattern_and_extension_made_it) {
    Exchange x("hq", two_people());
    ring_and_end(x, "PJSIP/201-01");
    const auto found = those(x, Why::operator_found);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].value(Fact::pattern), "PJSIP/{extension}");
    EXPECT_EQ(found[0].value(Fact::extension), "201");
    const auto rang = those(x, Why::ring_recognised);
    ASSERT_EQ(rang.size(), 1U);
    EXPECT_EQ(sentence(rang[0]), "Phone 201 (PJSIP/201) rang; it belongs to anna@example.org.");
}

TEST(desk_reasons, the_caller_is_said_once_with_the_number_dialled) {
    Exchange x("hq", two_people());
    ring_and_end(x, "PJSIP/201-01");
    const auto known = those(x, Why::caller_known);
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(sentence(known[0]), "A call came from +447700900123, the number dialled is 02079460201.");
    EXPECT_EQ(those(x, Why::call_ended).size(), 1U);
}

TEST(desk_reasons, a_phone_of_nobody_that_makes_a_call_is_said) {
    Exchange x("hq", {{bob, "7", "hq", "2044", "Bob", true}, {anna, "5", "hq", "204", "Anna", true}});
    x.desk.set_people({{anna, "5", "hq", "201", "Anna", true}, {"", "", "hq", "204", "", false}});
    x.channel("PJSIP/201-01", "1.0", "1.0", "Ring", "201", "02079460999");
    EXPECT_TRUE(those(x, Why::own_call_of_nobody).empty());
    EXPECT_EQ(those(x, Why::own_call_began).size(), 1U);
    const auto called = those(x, Why::dialed_known);
    ASSERT_EQ(called.size(), 1U);
    EXPECT_EQ(sentence(called[0]), "The number called from phone 201 is 02079460999.");
}

TEST(desk_reasons, the_trunk_of_an_own_call_is_the_far_end_and_no_fault) {
    Exchange x("hq", two_people());
    x.channel("PJSIP/201-01", "1.0", "1.0", "Ring", "201", "02079460999");
    x.ring("PJSIP/provider-02", "1.1");
    EXPECT_TRUE(x.because(Why::far_end_rang));
    for (const auto& reason : x.seen.reasons)
        EXPECT_NE(bridge::weight(reason.why), bridge::Weight::blocker) << to_string(reason.why);
}

TEST(desk_reasons, two_at_one_extension_one_of_them_inactive) {
    Exchange x("hq", {{anna, "5", "hq", "201", "Anna", true}, {bob, "7", "hq", "201", "Bob", false}});
    ring_and_end(x, "PJSIP/201-01");
    EXPECT_EQ(x.told(anna), (std::vector<std::string>{"ringing 1.1", "ended 1.1 cancelled"}));
    const auto said = those(x, Why::operator_inactive);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].jid, bob);
}

TEST(desk_reasons, a_phone_that_never_rang_is_a_reason_for_no_pop) {
    Exchange x("hq", two_people());
    x.caller();
    x.channel("PJSIP/201-01", "1.1", "1.0", "Down");
    x.dial_begin("1.0", "1.1", "1.0");
    x.dial_end("1.0", "1.1", "1.0", "CHANUNAVAIL");
    x.hangup("1.1", "1.0", 20);
    x.hangup("1.0", "1.0");
    x.wait(1s);
    const auto said = those(x, Why::ring_never_rang);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_THAT(sentence(said[0]),
                HasSubstr("Phone 201 of anna@example.org was called and never rang: failed"));
}

}  // namespace
}  // namespace desk_test
