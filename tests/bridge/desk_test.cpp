#include "bridge/desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/json.hpp"
#include "desk_events.hpp"

namespace {

using namespace desk_test;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(desk, two_devices_of_one_operator_are_one_ring) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.ring("SIP/201-00000001", "1.2");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    e.state("1.2", "1.0", "Up");
    e.dial_end("1.0", "1.2", "1.0", "ANSWER");
    e.hangup("1.1", "1.0", 26);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1"));
    e.hangup_request("1.2", "1.0");
    e.hangup("1.2", "1.0");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1", "ended 1.1 hangup"));
    EXPECT_THAT(e.causes(), ElementsAre("1.1 answered-elsewhere", "1.2 hangup"));
}

TEST(desk, a_ring_ends_when_its_last_device_ends) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.ring("SIP/201-00000001", "1.2");
    e.hangup("1.1", "1.0", 17);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1"));
    e.dial_end("1.0", "1.2", "1.0", "NOANSWER");
    e.hangup("1.2", "1.0");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 no-answer"));
}

TEST(desk, a_new_round_is_a_new_ring) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.dial_end("1.0", "1.1", "1.0", "NOANSWER");
    e.hangup("1.1", "1.0", 0);
    e.ring("PJSIP/201-00000002", "1.2");
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 no-answer", "ringing 1.2"));
}

TEST(desk, operators_who_share_an_extension_all_get_the_pop_and_nobody_is_the_answerer) {
    Exchange e("hq", {{anna, "5", "hq", "201", {}, true}, {bob, "8", "hq", "201", {}, true}});
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.dial_end("1.0", "1.1", "1.0", "ANSWER");
    for (const std::string& jid : {anna, bob})
        EXPECT_THAT(e.told(jid), ElementsAre("ringing 1.1", "answered 1.1"));
    EXPECT_TRUE(e.seen.notices.back().shared);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, "");
    EXPECT_TRUE(e.row("hq:1.0")->answered);
    EXPECT_TRUE(e.because(bridge::Why::shared_extension));
    e.hangup_request("1.1", "1.0");
    e.hangup("1.1", "1.0");
    e.hangup("1.0", "1.0");
    for (const std::string& jid : {anna, bob}) EXPECT_EQ(e.told(jid).back(), "ended 1.1 hangup");
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::answered);
}

TEST(desk, equal_uniqueids_and_extensions_on_two_pbx_stay_apart) {
    Exchange hq("hq", {{anna, "5", "hq", "201", {}, true}});
    Exchange branch("branch", {{bob, "8", "branch", "201", {}, true}});
    for (Exchange* e : {&hq, &branch}) {
        e->caller();
        e->ring("PJSIP/201-00000001", "1.1");
    }
    branch.hangup("1.1", "1.0", 17);
    EXPECT_THAT(hq.told(anna), ElementsAre("ringing 1.1"));
    EXPECT_THAT(hq.told(bob), IsEmpty());
    EXPECT_THAT(branch.told(bob), ElementsAre("ringing 1.1", "ended 1.1 busy"));
    EXPECT_EQ(hq.seen.notices.front().id, "hq:1.0");
    EXPECT_EQ(branch.seen.notices.front().id, "branch:1.0");
    EXPECT_EQ(branch.seen.notices.front().pbx, "branch");
}

TEST(desk, people_of_another_pbx_get_nothing) {
    Exchange e("hq", {{bob, "8", "branch", "201", {}, true}});
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_THAT(e.seen.notices, IsEmpty());
}

TEST(desk, inactive_operators_get_no_pop_and_the_reason_says_so) {
    Exchange e("hq", {{anna, "5", "hq", "201", {}, false}});
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_THAT(e.seen.notices, IsEmpty());
    EXPECT_TRUE(e.because(bridge::Why::operator_inactive));
}

TEST(desk, events_after_the_hangup_revive_nothing) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.hangup("1.1", "1.0", 17);
    e.hangup("1.0", "1.0");
    const auto before = e.seen.notices.size();
    const auto rows = e.seen.calls.size();
    e.event("NewConnectedLine",
            {{"Channel", "PJSIP/201-00000001"}, {"Uniqueid", "1.1"}, {"Linkedid", "1.0"}});
    e.state("1.1", "1.0", "Ringing");
    e.channel("PJSIP/201-00000001", "1.1", "1.0", "Ringing");
    e.enter("1.1", "1.0", "b1");
    e.hangup("1.1", "1.0");
    EXPECT_EQ(e.seen.notices.size(), before);
    EXPECT_EQ(e.seen.calls.size(), rows);
    EXPECT_EQ(e.desk.calls(), 0U);
    EXPECT_TRUE(e.because(bridge::Why::late_event_ignored));
}

TEST(desk, hostile_names_are_carried_as_text) {
    for (const std::string& name :
         {std::string("\\\"OR/**/1=1#"), std::string("<script>alert(1)</script>"),
          std::string("\xff\xfe\x80"), std::string("a\\nb"), std::string("\xe2\x80\xae\xd7\xa9"),
          std::string("\xf0\x9f\x98\x80"), std::string(10000, 'N'), std::string("\x01\x1f\x7f", 3),
          std::string("\\")}) {
        Exchange e("hq", two_people());
        e.channel("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123", "02079460201", name);
        e.ring("PJSIP/201-00000001", "1.1");
        ASSERT_EQ(e.seen.notices.size(), 1U);
        EXPECT_FALSE(e.seen.notices.front().party_name.empty());
        EXPECT_EQ(e.seen.notices.front().party_number, "+447700900123");
    }
}

TEST(desk, names_are_unescaped_once) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123", "02079460201",
              R"(\"Zoja\" \\ x)");
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_EQ(e.seen.notices.front().party_name, R"("Zoja" \ x)");
}

TEST(desk, a_name_that_is_the_number_is_no_name) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", "+447700900123", "02079460201", "+447700900123");
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_EQ(e.seen.notices.front().party_name, "");
}

TEST(desk, the_lookup_starts_with_the_callers_channel) {
    Exchange e("hq", two_people());
    e.caller();
    EXPECT_THAT(e.seen.lookups, ElementsAre("+447700900123"));
    EXPECT_THAT(e.seen.notices, IsEmpty());
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_THAT(e.seen.lookups, ElementsAre("+447700900123"));
}

TEST(desk, withheld_numbers_are_never_looked_up) {
    for (const char* number : {"anonymous", "Anonymous", "<unknown>", "", "unknown", "Restricted"}) {
        Exchange e("hq", two_people());
        e.caller("1.0", number);
        e.ring("PJSIP/201-00000001", "1.1");
        EXPECT_THAT(e.seen.lookups, IsEmpty()) << number;
        ASSERT_EQ(e.seen.notices.size(), 1U);
        EXPECT_TRUE(e.seen.notices.front().withheld) << number;
    }
}

TEST(desk, a_prohibited_presentation_hides_a_number_that_is_there) {
    Exchange by_event("hq", two_people());
    by_event.caller();
    by_event.event("NewCallerid", {{"Uniqueid", "1.0"},
                                   {"Linkedid", "1.0"},
                                   {"CallerIDNum", "+447700900123"},
                                   {"CID-CallingPres", "32 (Presentation Prohibited, Not Screened)"}});
    Exchange by_variable("hq", two_people());
    by_variable.caller();
    by_variable.event("VarSet", {{"Uniqueid", "1.0"},
                                 {"Linkedid", "1.0"},
                                 {"Variable", "__CALLINGNUMPRES_SV"},
                                 {"Value", "prohib_not_screened"}});
    for (Exchange* e : {&by_event, &by_variable}) {
        e->ring("PJSIP/201-00000001", "1.1");
        EXPECT_EQ(e->seen.notices.front().party_number, "anonymous");
        EXPECT_TRUE(e->seen.notices.front().withheld);
        EXPECT_TRUE(e->because(bridge::Why::withheld));
        e->hangup_request("1.0", "1.0");
        e->hangup("1.1", "1.0");
        e->hangup("1.0", "1.0");
        EXPECT_EQ(e->row("hq:1.0")->caller_number, "anonymous");
    }
}

TEST(desk, the_number_of_the_dialplan_is_taken_when_the_channel_has_none) {
    Exchange e("hq", two_people());
    e.channel("SIP/provider-00000000", "1.0", "1.0", "Down", "+447700900123", "s");
    e.event("VarSet",
            {{"Uniqueid", "1.0"}, {"Linkedid", "1.0"}, {"Variable", "__FROM_DID"}, {"Value", "02079460201"}});
    e.ring("PJSIP/201-00000001", "1.1");
    EXPECT_EQ(e.seen.notices.front().dialed, "02079460201");
}

TEST(desk, a_phone_that_never_rang_gives_no_pop_but_a_row) {
    Exchange e("hq", two_people());
    e.caller();
    e.channel("PJSIP/201-00000001", "1.1", "1.0", "Down");
    e.dial_begin("1.0", "1.1", "1.0");
    e.hangup("1.1", "1.0", 17);
    EXPECT_THAT(e.seen.notices, IsEmpty());
    EXPECT_THAT(e.causes(), ElementsAre("1.1 busy"));
    EXPECT_TRUE(e.because(bridge::Why::ring_never_rang));
}

TEST(desk, an_unclear_end_waits_for_the_caller) {
    Exchange gave_up("hq", two_people());
    gave_up.caller();
    gave_up.ring("PJSIP/201-00000001", "1.1");
    gave_up.hangup("1.1", "1.0", 16);
    EXPECT_THAT(gave_up.told(anna), ElementsAre("ringing 1.1"));
    gave_up.hangup_request("1.0", "1.0");
    EXPECT_THAT(gave_up.told(anna), ElementsAre("ringing 1.1", "ended 1.1 cancelled"));

    Exchange rang_out("hq", two_people());
    rang_out.caller();
    rang_out.ring("PJSIP/201-00000001", "1.1");
    rang_out.hangup("1.1", "1.0", 16);
    const Millis ended = rang_out.now;
    rang_out.wait(150ms);
    EXPECT_THAT(rang_out.told(anna), ElementsAre("ringing 1.1", "ended 1.1 no-answer"));
    EXPECT_EQ(rang_out.seen.notices.back().at, ended);
    EXPECT_EQ(rang_out.desk.sizes().waiting, 0U);
}

TEST(desk, since_when_they_talk_is_kept_while_somebody_is_held) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.wait(3000ms);
    e.state("1.1", "1.0", "Up");
    const Millis answered = e.now;
    e.wait(5000ms);
    e.event("Hold", {{"Uniqueid", "1.1"}, {"Linkedid", "1.0"}});
    e.wait(5000ms);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "answered 1.1", "held 1.1"));
    EXPECT_FALSE(e.seen.notices.front().answered);
    EXPECT_EQ(e.seen.notices.at(1).answered, answered);
    EXPECT_EQ(e.seen.notices.back().answered, answered);
    EXPECT_EQ(e.desk.current(anna).front().answered, answered);  // what is asked for after a reload
}

TEST(desk, an_unhold_right_before_a_transfer_is_not_shown) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.event("Hold", {{"Uniqueid", "1.1"}, {"Linkedid", "1.0"}});
    e.event("Unhold", {{"Uniqueid", "1.1"}, {"Linkedid", "1.0"}});
    e.event("BlindTransfer",
            {{"Result", "Success"}, {"TransfererUniqueid", "1.1"}, {"TransfereeUniqueid", "1.0"}});
    e.wait(200ms);
    e.hangup("1.1", "1.0");
    EXPECT_THAT(e.told(anna),
                ElementsAre("ringing 1.1", "answered 1.1", "held 1.1", "ended 1.1 transferred"));
}

TEST(desk, a_merge_names_the_old_and_the_replaced_call) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.now += 2s;
    e.channel("PJSIP/202-00000002", "3.0", "3.0", "Ring", "202", "*8");
    e.state("3.0", "3.0", "Up");
    e.event("Pickup",
            {{"Uniqueid", "3.0"}, {"Linkedid", "3.0"}, {"TargetUniqueid", "1.1"}, {"TargetLinkedid", "1.0"}});
    e.event("DialEnd", {{"Uniqueid", "1.0"},
                        {"Linkedid", "1.0"},
                        {"DestUniqueid", "3.0"},
                        {"DestLinkedid", "3.0"},
                        {"DialStatus", "ANSWER"}});
    e.enter("3.0", "3.0", "b1");
    e.enter("1.0", "1.0", "b1");
    e.hangup("1.1", "1.0", 16);
    EXPECT_THAT(e.told(anna), ElementsAre("ringing 1.1", "ended 1.1 answered-elsewhere"));
    EXPECT_THAT(e.told(zofia), ElementsAre("dialing 3.0", "answered 3.0", "answered 3.0"));
    const bridge::Notice merged = e.desk.current(zofia).at(0);
    EXPECT_EQ(merged.id, "hq:1.0");
    EXPECT_EQ(merged.replaces, "hq:3.0");
    EXPECT_EQ(merged.party_number, "+447700900123");
    EXPECT_EQ(e.row("hq:3.0")->merged_into, "hq:1.0");
    EXPECT_EQ(e.row("hq:1.0")->answered_by, zofia);
}

TEST(desk, a_conference_merges_nothing) {
    Exchange e("hq", two_people());
    e.caller();
    e.enter("1.0", "1.0", "conf", "base");
    e.channel("PJSIP/201-00000001", "2.0", "2.0", "Ring", "201", "660");
    e.state("2.0", "2.0", "Up");
    e.enter("2.0", "2.0", "conf", "base");
    EXPECT_EQ(e.desk.calls(), 2U);
}

TEST(desk, a_later_party_is_told) {
    Exchange e("hq", two_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    // 201 asks 202 by feature code: a Local pair with the same Linkedid
    e.channel("Local/202@internal-00000001;1", "1.2", "1.0", "Down");
    e.channel("Local/202@internal-00000001;2", "1.3", "1.0", "Ring");
    e.channel("PJSIP/202-00000002", "1.4", "1.0", "Down");
    e.event("NewConnectedLine", {{"Uniqueid", "1.4"}, {"Linkedid", "1.0"}, {"ConnectedLineNum", "201"}});
    e.dial_begin("1.3", "1.4", "1.0");
    e.event("Newstate", {{"Uniqueid", "1.4"},
                         {"Linkedid", "1.0"},
                         {"ChannelStateDesc", "Ringing"},
                         {"ConnectedLineNum", "201"}});
    EXPECT_EQ(e.seen.notices.back().party_number, "201");
    EXPECT_EQ(e.seen.notices.back().party_name, "Anna");
    e.event("NewConnectedLine",
            {{"Uniqueid", "1.4"}, {"Linkedid", "1.0"}, {"ConnectedLineNum", "+447700900123"}});
    EXPECT_EQ(e.seen.notices.back().to, zofia);
    EXPECT_EQ(e.seen.notices.back().party_number, "+447700900123");
}

TEST(desk, internal_calls_and_calls_without_operator_stay_out_of_the_crm) {
    Exchange internal("hq", two_people());
    internal.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "202");
    internal.ring("PJSIP/202-00000002", "1.1");
    EXPECT_FALSE(internal.row("hq:1.0")->to_crm);
    EXPECT_EQ(internal.row("hq:1.0")->direction, crm::Direction::internal);
    EXPECT_EQ(internal.seen.notices.back().party_number, "201");
    EXPECT_EQ(internal.seen.notices.back().party_name, "Anna");

    Exchange nobody("hq", two_people());
    nobody.caller();
    nobody.hangup("1.0", "1.0");
    EXPECT_FALSE(nobody.row("hq:1.0")->to_crm);
    EXPECT_TRUE(nobody.because(bridge::Why::call_without_operator));

    Exchange missed("hq", two_people());
    missed.caller();
    missed.ring("PJSIP/201-00000001", "1.1");
    missed.hangup_request("1.0", "1.0");
    missed.hangup("1.1", "1.0");
    missed.hangup("1.0", "1.0");
    EXPECT_TRUE(missed.row("hq:1.0")->to_crm);
    EXPECT_EQ(missed.row("hq:1.0")->crm_owner, "5");
}

TEST(desk, a_short_number_that_leaves_by_a_trunk_is_no_internal_call) {
    Exchange e("hq", two_people());
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "112");
    EXPECT_EQ(e.seen.notices.back().direction, crm::Direction::internal);
    e.channel("PJSIP/trunk-00000002", "1.1", "1.0", "Down");
    e.dial_begin("1.0", "1.1", "1.0");
    e.state("1.1", "1.0", "Ringing");
    EXPECT_EQ(e.seen.notices.back().direction, crm::Direction::outbound);
}

TEST(desk, a_caller_who_waits_for_hours_costs_no_memory) {
    Exchange e("hq", two_people());
    e.caller();
    for (int round = 0; round < 2000; ++round) {
        const std::string id = "1." + std::to_string(round + 1);
        e.ring("PJSIP/201-0000" + std::to_string(round), id);
        e.dial_end("1.0", id, "1.0", "NOANSWER");
        e.hangup(id, "1.0", 0);
        e.now += 15s;
        if (round == 0) continue;
        ASSERT_EQ(e.seen.notices.size(), static_cast<std::size_t>(2 * round + 2));
    }
    e.ring("PJSIP/202-00000001", "2.1");
    e.state("2.1", "1.0", "Up");
    EXPECT_THAT(e.told(zofia), ElementsAre("ringing 2.1", "answered 2.1"));
    e.hangup_request("2.1", "1.0");
    e.hangup("2.1", "1.0");
    e.hangup("1.0", "1.0");
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::answered);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, zofia);
    EXPECT_EQ(e.desk.calls(), 0U);
}

TEST(json, any_bytes_become_text) {
    EXPECT_EQ(bridge::json_text("a\"\\\n\x7f"), "\"a\\\"\\\\\\u000a\\u007f\"");
    EXPECT_EQ(bridge::json_text("\xc5\xbd\xf0\x9f\x98\x80"), "\"\xc5\xbd\xf0\x9f\x98\x80\"");
    EXPECT_EQ(bridge::json_text("\xff|\xc3|\xed\xa0\x80|\xf5\x80\x80\x80|\xc0\xaf"),
              "\"\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\"");
    EXPECT_EQ(bridge::json_text(std::string(1, '\0')), "\"\\u0000\"");
}

}  // namespace
