// What the operator sees when the link to the pbx breaks, and click-to-dial from the request on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

namespace {

using namespace desk_test;
using testing::ElementsAre;
using testing::IsEmpty;

void lose_link(Exchange& e) {
    e.keep(e.desk.link_lost(e.now));
    e.now += 5s;
    e.desk.sync_begin(e.now);
}

void synced(Exchange& e) {
    e.event("CoreShowChannelsComplete", {{"ActionID", "s-1"}});
    e.keep(e.desk.sync_end(e.now));
}

TEST(link, a_call_that_ended_in_the_gap_ends_once_as_lost) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    const Millis lost = e.now;
    lose_link(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 lost"));
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::lost);
    EXPECT_GE(*e.row("hq:1.0")->ended, lost);
    EXPECT_LE(*e.row("hq:1.0")->ended, e.now);
    EXPECT_TRUE(e.because(bridge::Why::lost_in_gap));
    e.hangup("1.1", "1.0");  // late events of before
    e.hangup("1.0", "1.0");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 lost"));
    EXPECT_THAT(e.desk.current(), IsEmpty());
}

TEST(link, a_call_that_still_rings_is_not_told_again) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.listed("PJSIP/201-00000001", "1.1", "1.0", "Ringing");
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123");
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    EXPECT_EQ(e.desk.current(anna).size(), 1U);
    e.hangup("1.1", "1.0", 17);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 busy"));
}

TEST(link, a_call_answered_in_the_gap_is_answered_after_it) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.listed("PJSIP/201-00000001", "1.1", "1.0", "Up");
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Up", "+447700900123");
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1"));
    EXPECT_EQ(e.row("hq:1.0")->answered_by, anna);
}

// Answered, hung up: all within the half second in which an end may have begun unseen.
void answered_and_ended_at_once_after_the_gap(Exchange& e, const char* first, const char* second) {
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.listed("PJSIP/201-00000001", "1.1", "1.0", "Ringing");
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123");
    synced(e);
    e.state("1.1", "1.0", "Up");
    e.dial_end("1.0", "1.1", "1.0", "ANSWER");
    e.enter("1.0", "1.0", "b");
    e.enter("1.1", "1.0", "b");
    e.now += 20ms;
    e.hangup_request(first, "1.0");
    e.leave(first, "1.0", "b");
    e.hangup(first, "1.0");
    e.leave(second, "1.0", "b");
    e.hangup(second, "1.0");
}

TEST(link, the_operator_who_hangs_up_right_after_a_gap_hung_up) {
    Exchange e("hq", two_people());
    answered_and_ended_at_once_after_the_gap(e, "1.1", "1.0");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1", "ended 1.1 hangup"));
}

TEST(link, the_caller_who_hangs_up_right_after_a_gap_hung_up) {
    Exchange e("hq", two_people());
    answered_and_ended_at_once_after_the_gap(e, "1.0", "1.1");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1", "ended 1.1 hangup"));
}

TEST(link, a_call_that_began_in_the_gap_pops_with_its_caller_in_any_order_of_the_list) {
    Exchange e("hq", two_people());
    lose_link(e);
    e.listed("PJSIP/201-00000001", "1.1", "1.0", "Ringing");
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123");
    EXPECT_THAT(e.seen.notices, IsEmpty());
    synced(e);
    ASSERT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    EXPECT_EQ(e.seen.notices.front().party_number, "+447700900123");
    EXPECT_EQ(e.seen.notices.front().direction, crm::Direction::inbound);
    EXPECT_THAT(e.seen.lookups, ElementsAre("+447700900123"));
}

TEST(link, an_own_call_in_the_list_is_recognised_in_any_order) {
    Exchange e("hq", two_people());
    lose_link(e);
    e.listed("PJSIP/trunk-00000002", "1.1", "1.0", "Ringing", "07700900460");
    e.event("CoreShowChannel", {{"Channel", "PJSIP/201-00000001"},
                                {"ChannelStateDesc", "Ring"},
                                {"Exten", "07700900460"},
                                {"Uniqueid", "1.0"},
                                {"Linkedid", "1.0"},
                                {"Duration", "00:00:04"},
                                {"ActionID", "s-1"}});
    synced(e);
    ASSERT_FALSE(e.seen.notices.empty());
    EXPECT_EQ(e.told(anna).front(), "dialing 1.0");
    EXPECT_EQ(e.seen.notices.front().direction, crm::Direction::outbound);
    EXPECT_EQ(e.seen.notices.front().party_number, "07700900460");
}

TEST(link, a_ring_that_came_and_went_in_the_gap_is_never_shown) {
    Exchange e("hq", two_people());
    lose_link(e);
    synced(e);
    EXPECT_THAT(e.seen.notices, IsEmpty());
}

TEST(link, a_channel_born_during_the_sync_is_not_lost) {
    Exchange e("hq", two_people());
    lose_link(e);
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
}

TEST(link, a_phone_that_rings_again_after_the_gap_is_a_new_ring) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123");
    e.listed("PJSIP/201-00000002", "1.2", "1.0", "Ringing");
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 lost", "ringing 1.2"));
}

// Of a call that ends between its list and the end of the lists nobody is told any more, but it was talked
// to.
TEST(link, a_call_that_was_up_in_the_lists_and_ended_before_they_were_complete_was_answered) {
    Exchange e("hq", two_people());
    lose_link(e);
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Up", "+447700900123");
    e.listed("PJSIP/201-00000001", "1.1", "1.0", "Up");
    e.hangup("1.1", "1.0");
    e.hangup("1.0", "1.0");
    synced(e);
    e.wait(2s);
    EXPECT_THAT(e.seen.notices, IsEmpty());
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::answered);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, anna);
}

TEST(link, without_a_list_of_channels_nothing_is_ended) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.keep(e.desk.sync_end(e.now));  // both lists were refused
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    e.hangup("1.1", "1.0", 17);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 busy"));
}

TEST(link, a_channel_listed_before_the_link_broke_again_is_known_after_the_next_lists) {
    Exchange e("hq", two_people());
    const auto lists = [&] {
        e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123");
        e.listed("PJSIP/201-00000001", "1.1", "1.0", "Ringing");
    };
    lose_link(e);
    lists();
    lose_link(e);
    lists();
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
}

TEST(link, an_end_that_nobody_saw_has_a_window) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.now += 10s;
    const Millis lost = e.now;
    e.keep(e.desk.link_lost(e.now));
    e.now += 30s;
    e.desk.sync_begin(e.now);
    synced(e);
    const crm::CallRow* row = e.row("hq:1.0");
    EXPECT_EQ(row->ended, lost);
    EXPECT_EQ(row->ended_by, e.now);
    ASSERT_FALSE(e.seen.legs.empty());
    EXPECT_EQ(e.seen.legs.back().ended, lost);
    EXPECT_EQ(e.seen.legs.back().ended_by, e.now);
}

TEST(link, a_caller_left_without_a_ring_in_the_gap_is_not_said_to_be_unanswered) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    lose_link(e);
    e.listed("PJSIP/trunk-00000000", "1.0", "1.0", "Up", "+447700900123");
    synced(e);
    e.now += 10s;
    e.hangup("1.0", "1.0");
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::lost);
}

TEST(link, an_originated_phone_that_went_up_in_the_gap_has_not_reached_anybody) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Down", "07700900480");
    lose_link(e);
    e.listed("PJSIP/201-00000001", "1.0", "1.0", "Up", "07700900480");
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("dialing 1.0"));
    e.channel("PJSIP/trunk-00000002", "1.1", "1.0", "Down");
    e.enter("1.1", "1.0", "b1");
    e.enter("1.0", "1.0", "b1");
    EXPECT_EQ(e.told(anna).back(), "answered 1.0");
}

TEST(link, the_far_end_that_answered_in_the_gap_is_seen_in_its_bridge) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "07700900456");
    e.channel("PJSIP/trunk-00000002", "1.1", "1.0", "Down");
    e.dial_begin("1.0", "1.1", "1.0");
    lose_link(e);
    for (const auto& [device, id] :
         {std::pair("PJSIP/201-00000001", "1.0"), std::pair("PJSIP/trunk-00000002", "1.1")})
        e.event("CoreShowChannel", {{"Channel", device},
                                    {"ChannelStateDesc", "Up"},
                                    {"Uniqueid", id},
                                    {"Linkedid", "1.0"},
                                    {"BridgeId", "b1"},
                                    {"Duration", "00:00:10"}});
    synced(e);
    EXPECT_EQ(e.told(anna).back(), "answered 1.0");
    EXPECT_EQ(e.row("hq:1.0")->answered, e.now);
}

void shown(Exchange& e, const char* device, const char* id, const char* state, const char* application,
           const char* data) {
    e.event("Status", {{"Channel", device},
                       {"ChannelStateDesc", state},
                       {"CallerIDNum", std::string(id) == "1.0" ? "+447700900123" : "201"},
                       {"ConnectedLineNum", std::string(id) == "1.0" ? "<unknown>" : "+447700900123"},
                       {"Uniqueid", id},
                       {"Linkedid", "1.0"},
                       {"DNID", std::string(id) == "1.0" ? "02079460100" : ""},
                       {"Application", application},
                       {"Data", data},
                       {"Seconds", "7"}});
}

TEST(link, the_queue_and_the_wait_of_a_call_that_began_unseen_are_in_the_lists) {
    Exchange e("hq", two_people());
    lose_link(e);
    shown(e, "PJSIP/trunk-00000000", "1.0", "Up", "Queue", "support,tT,,,40");
    shown(e, "PJSIP/201-00000001", "1.1", "Ringing", "AppQueue", "(Outgoing Line)");
    e.event("StatusComplete", {});
    e.event("QueueEntry", {{"Queue", "support"}, {"Uniqueid", "1.0"}, {"Wait", "6"}});
    e.event("QueueStatusComplete", {});
    synced(e);
    ASSERT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    EXPECT_EQ(e.seen.notices.back().queue, "support");
    EXPECT_EQ(e.seen.notices.back().waited, 6);
    EXPECT_EQ(e.seen.notices.back().dialed, "02079460100");
    // who rings it is told by what the two run: a round that times out, not a caller who gives up
    e.dial_end("1.0", "1.1", "1.0", "NOANSWER");
    e.hangup("1.1", "1.0", 0);
    EXPECT_EQ(e.told(anna).back(), "ended 1.1 no-answer");
}

bridge::Dialing dialing() {
    return {.channel_id = "ctd-1",
            .jid = anna,
            .extension = "201",
            .number = "+447700900456",
            .request = "iq-7",
            .module = "Contacts",
            .record = "12",
            .label = "Ann Lee",
            .service = {}};
}

TEST(click_to_dial, the_row_is_there_before_the_phone_rings) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    ASSERT_NE(e.row("hq:ctd-1"), nullptr);
    EXPECT_EQ(e.row("hq:ctd-1")->dialed_number, "+447700900456");
    EXPECT_EQ(e.row("hq:ctd-1")->caller_number, "201");
    EXPECT_EQ(e.row("hq:ctd-1")->record, "12");
    EXPECT_EQ(e.row("hq:ctd-1")->crm_owner, "5");
    EXPECT_EQ(e.row("hq:ctd-1")->request, "iq-7");
    EXPECT_EQ(e.row("hq:ctd-1")->direction, crm::Direction::outbound);
    EXPECT_THAT(e.seen.notices, IsEmpty());
    EXPECT_EQ(e.desk.dials_of(anna), 1U);
    EXPECT_EQ(e.desk.channel_of(anna, "hq:ctd-1", ""), "ctd-1");
}

void own_phone_up(Exchange& e) {
    e.channel("PJSIP/201-00000001", "ctd-1", "ctd-1", "Down", "201");
    e.dial_begin("", "ctd-1", "ctd-1");
    e.state("ctd-1", "ctd-1", "Ringing");
    e.state("ctd-1", "ctd-1", "Up");
    e.event("OriginateResponse", {{"Response", "Success"},
                                  {"Channel", "PJSIP/201-00000001"},
                                  {"Exten", "07700900456"},
                                  {"Reason", "4"},
                                  {"Uniqueid", "ctd-1"}});
}

TEST(click_to_dial, its_notices_are_its_progress) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    own_phone_up(e);
    e.channel("PJSIP/trunk-00000002", "1.1", "ctd-1", "Down");
    e.dial_begin("ctd-1", "1.1", "ctd-1");
    e.state("1.1", "ctd-1", "Ringing");
    EXPECT_EQ(e.seen.notices.back().far_end, "ringing");
    EXPECT_EQ(e.seen.notices.back().request, "iq-7");
    e.state("1.1", "ctd-1", "Up");
    e.dial_end("ctd-1", "1.1", "ctd-1", "ANSWER");
    e.hangup_request("1.1", "ctd-1");
    e.hangup("1.1", "ctd-1");
    e.hangup("ctd-1", "ctd-1");
    EXPECT_THAT(e.told(anna),
                ElementsAre("dialing ctd-1", "dialing ctd-1", "answered ctd-1", "ended ctd-1 hangup"));
    for (const bridge::Notice& notice : e.seen.notices) EXPECT_EQ(notice.party_number, "+447700900456");
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::answered);
    EXPECT_EQ(e.row("hq:ctd-1")->dialed_number, "+447700900456");
    EXPECT_EQ(e.desk.dials_of(anna), 0U);
}

TEST(click_to_dial, a_refusal_is_a_failed_row_and_no_notice) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    e.keep(e.desk.dial_failed("ctd-1", "Extension does not exist.", e.now + 10ms));
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::failed);
    EXPECT_THAT(e.seen.notices, IsEmpty());
    EXPECT_EQ(e.desk.calls(), 0U);
    EXPECT_TRUE(e.because(bridge::Why::originate_refused));
}

TEST(click_to_dial, an_unregistered_phone_ends_it_as_failed) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    e.event("OriginateResponse", {{"Response", "Failure"},
                                  {"Channel", "PJSIP/201"},
                                  {"Exten", "07700900456"},
                                  {"Reason", "0"},
                                  {"Uniqueid", "ctd-1"}});
    EXPECT_THAT(e.told(anna), ElementsAre("ended ctd-1 failed"));
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::failed);
    EXPECT_EQ(e.seen.notices.back().request, "iq-7");
}

TEST(click_to_dial, without_any_answer_it_is_given_up) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    e.wait(10min);
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::failed);
    EXPECT_EQ(e.desk.calls(), 0U);
}

TEST(click_to_dial, in_a_gap_it_ends_once) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    own_phone_up(e);
    e.keep(e.desk.link_lost(e.now));
    e.desk.sync_begin(e.now + 1s);
    e.now += 1s;
    synced(e);
    EXPECT_THAT(e.told(anna), ElementsAre("dialing ctd-1", "ended ctd-1 lost"));
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::lost);
}

TEST(click_to_dial, a_voicemail_that_took_it_is_hung_up) {
    Exchange e("hq", two_people());
    e.keep(e.desk.dial(dialing(), e.now));
    e.channel("Local/201@from-internal-00000001;1", "ctd-1", "ctd-1", "Down");
    e.channel("Local/201@from-internal-00000001;2", "ctd-1;2", "ctd-1", "Ring");
    e.dial_begin("", "ctd-1", "ctd-1");
    e.channel("SIP/201-00000001", "1.1", "ctd-1", "Down");
    e.dial_begin("ctd-1;2", "1.1", "ctd-1");
    e.state("1.1", "ctd-1", "Ringing");
    e.dial_end("ctd-1;2", "1.1", "ctd-1", "BUSY");
    e.hangup("1.1", "ctd-1", 17);
    e.state("ctd-1", "ctd-1", "Up");
    EXPECT_THAT(e.seen.hangups, IsEmpty());
    e.event("OriginateResponse", {{"Response", "Success"},
                                  {"Channel", "Local/201@from-internal-00000001;1"},
                                  {"Reason", "4"},
                                  {"Uniqueid", "ctd-1"}});
    EXPECT_THAT(e.seen.hangups, ElementsAre("ctd-1"));
    e.hangup("ctd-1;2", "ctd-1");
    e.hangup("ctd-1", "ctd-1");
    EXPECT_EQ(e.row("hq:ctd-1")->disposition, crm::Disposition::failed);
    EXPECT_THAT(e.told(anna), ElementsAre("dialing 1.1", "ended 1.1 busy"));
}

TEST(click_to_dial, a_phone_that_is_up_is_not_taken_for_a_voicemail) {
    for (const bool phone_first : {true, false}) {
        Exchange e("hq", two_people());
        e.keep(e.desk.dial(dialing(), e.now));
        e.channel("Local/201@from-internal-00000001;1", "ctd-1", "ctd-1", "Down");
        e.channel("Local/201@from-internal-00000001;2", "ctd-1;2", "ctd-1", "Ring");
        e.dial_begin("", "ctd-1", "ctd-1");
        e.channel("SIP/201-00000001", "1.1", "ctd-1", "Down");
        e.dial_begin("ctd-1;2", "1.1", "ctd-1");
        e.state("1.1", "ctd-1", "Ringing");
        if (phone_first) e.state("1.1", "ctd-1", "Up");
        e.event("OriginateResponse", {{"Response", "Success"},
                                      {"Channel", "Local/201@from-internal-00000001;1"},
                                      {"Reason", "4"},
                                      {"Uniqueid", "ctd-1"}});
        if (!phone_first) e.state("1.1", "ctd-1", "Up");
        e.wait(1s);
        EXPECT_THAT(e.seen.hangups, IsEmpty());
    }
}

TEST(click_to_dial, of_those_who_share_a_phone_only_who_dialled_is_told) {
    Exchange e("hq", {{anna, "5", "hq", "201", {}, true}, {bob, "8", "hq", "201", {}, true}});
    e.keep(e.desk.dial(dialing(), e.now));
    own_phone_up(e);
    EXPECT_THAT(e.told(anna), ElementsAre("dialing ctd-1"));
    EXPECT_THAT(e.told(bob), IsEmpty());
    EXPECT_EQ(e.desk.channel_of(anna, "hq:ctd-1", "ctd-1"), "ctd-1");
    EXPECT_EQ(e.desk.channel_of(bob, "hq:ctd-1", "ctd-1"), std::nullopt);
}

}  // namespace
