// Defects the property tests of order_test.cpp found, as fixed cases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

namespace {

using namespace desk_test;
using testing::ElementsAre;

TEST(desk_order, an_originate_that_failed_waits_for_what_was_to_be_dialled) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/201-00000001", "dup-1", "dup-1", "Down");
    e.dial_begin("", "dup-1", "dup-1");
    e.state("dup-1", "dup-1", "Ringing");
    e.hangup("dup-1", "dup-1", 19);
    e.event("OriginateResponse", {{"Response", "Failure"},
                                  {"Reason", "3"},
                                  {"Channel", "PJSIP/201"},
                                  {"Exten", "202"},
                                  {"Uniqueid", "dup-1"}});
    EXPECT_THAT(e.told(anna), ElementsAre("dialing dup-1", "ended dup-1 no-answer"));
    EXPECT_EQ(e.row("hq:dup-1")->dialed_number, "202");

    Exchange silent("hq", two_people());
    silent.channel("PJSIP/201-00000001", "dup-1", "dup-1", "Down");
    silent.dial_begin("", "dup-1", "dup-1");
    silent.state("dup-1", "dup-1", "Ringing");
    silent.hangup("dup-1", "dup-1", 19);
    silent.wait(1s);
    EXPECT_THAT(silent.told(anna), ElementsAre("dialing dup-1", "ended dup-1 no-answer"));
}

TEST(desk_order, a_name_set_for_a_trunk_is_not_the_callers) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123", "02079460201", "ACME Ltd");
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.event("NewCallerid", {{"Uniqueid", "1.0"},
                            {"Linkedid", "1.0"},
                            {"CallerIDNum", "02079460100"},
                            {"CallerIDName", "<unknown>"}});
    e.hangup_request("1.1", "1.0");
    e.hangup("1.1", "1.0");
    EXPECT_EQ(e.seen.notices.back().party_name, "ACME Ltd");
    EXPECT_EQ(e.row("hq:1.0")->caller_name, "ACME Ltd");
}

TEST(desk_order, an_internal_call_is_answered_when_the_colleagues_phone_is_up) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "202");
    e.ring("PJSIP/202-00000002", "1.1");
    e.state("1.1", "1.0", "Up");  // and neither DialEnd nor BridgeEnter
    EXPECT_THAT(e.told(anna), ElementsAre("dialing 1.0", "dialing 1.0", "answered 1.0"));
    EXPECT_EQ(e.row("hq:1.0")->answered_by, zofia);
    EXPECT_TRUE(e.row("hq:1.0")->answered);
}

TEST(desk_order, a_call_from_a_phone_without_an_operator_is_answered_too) {
    Exchange e("hq", two_people(), {"2??"});
    e.channel("PJSIP/209-00000001", "1.0", "1.0", "Ring", "209", "202");
    e.ring("PJSIP/202-00000002", "1.1");
    e.state("1.1", "1.0", "Up");
    e.dial_end("1.0", "1.1", "1.0", "ANSWER");
    e.hangup("1.1", "1.0");
    e.hangup("1.0", "1.0");
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::answered);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, zofia);
}

// ---- A Hangup that never comes

std::vector<std::string> nobody() {
    return {};
}

TEST(desk_unheard, a_silent_channel_is_asked_for_and_ends_as_lost) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    const Millis heard = e.now;
    e.wait(119s);
    EXPECT_FALSE(e.seen.ask_channels);
    e.wait(2s);
    EXPECT_TRUE(e.seen.ask_channels);
    e.keep(e.desk.channels_listed(nobody(), e.now));
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));  // its Hangup may be behind the list
    e.wait(6s);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 lost"));
    EXPECT_EQ(e.seen.notices.back().at, heard);
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::lost);
    EXPECT_EQ(e.row("hq:1.0")->ended, heard);
    EXPECT_EQ(e.desk.calls(), 0U);
    EXPECT_TRUE(e.because(bridge::Why::lost_in_gap));
}

TEST(desk_unheard, a_quiet_talk_goes_on) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    int lists = 0;
    for (int minute = 0; minute < 60; ++minute) {
        e.seen.ask_channels = false;
        e.wait(60s);
        if (!e.seen.ask_channels) continue;
        ++lists;
        e.keep(e.desk.channels_listed(std::vector<std::string>{"1.0", "1.1", "9.9"}, e.now));
    }
    EXPECT_GT(lists, 25);
    EXPECT_LE(lists, 30);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1"));
}

TEST(desk_unheard, the_hangup_behind_the_list_tells_the_true_cause) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.wait(121s);
    e.keep(e.desk.channels_listed(std::vector<std::string>{"1.0"}, e.now));
    e.hangup("1.1", "1.0", 21);
    e.wait(10s);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 rejected"));
}

TEST(desk_unheard, without_an_answer_it_is_asked_again_and_nothing_ends) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.wait(121s);
    e.keep(e.desk.channels_listed(std::nullopt, e.now));
    e.seen.ask_channels = false;
    e.wait(121s);
    EXPECT_TRUE(e.seen.ask_channels);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
}

TEST(desk_unheard, an_answer_nobody_asked_for_ends_nothing) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.keep(e.desk.channels_listed(nobody(), e.now));
    e.wait(10s);
    e.wait(120s);
    e.keep(e.desk.link_lost(e.now));  // the sync will tell
    e.keep(e.desk.channels_listed(nobody(), e.now));
    e.wait(10s);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
}

}  // namespace
