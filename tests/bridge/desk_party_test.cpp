// Whom an operator is shown: the other side, at each moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

namespace {

using namespace desk_test;

const std::string peter = "peter@example.org";

std::vector<crm::Operator> three_people() {
    auto people = two_people();
    people.push_back({peter, "7", "hq", "203", "Peter", true});
    return people;
}

// 202 calls 201, who answers: legs 1.0 and 1.1.
struct InternalCall : Exchange {
    InternalCall() : Exchange("hq", three_people()) {
        channel("PJSIP/202-00000001", "1.0", "1.0", "Ring", "202", "201");
        ring("PJSIP/201-00000002", "1.1");
        state("1.1", "1.0", "Up");
        dial_end("1.0", "1.1", "1.0", "ANSWER");
        state("1.0", "1.0", "Up");
        talk("1.1", "1.0", "b1");
    }
    void talk(const std::string& one, const std::string& other, const std::string& bridge) {
        enter(one, "1.0", bridge);
        enter(other, "1.0", bridge);
    }
    void transfer_away(const std::string& leg, const std::string& other) {
        event("BlindTransfer", {{"Result", "Success"}, {"TransfererUniqueid", leg}});
        leave(leg, "1.0", "b1");
        leave(other, "1.0", "b1");
        hangup(leg, "1.0");
    }
    void connect(const std::string& leg, const std::string& number) {
        event("NewConnectedLine", {{"Uniqueid", leg}, {"Linkedid", "1.0"}, {"ConnectedLineNum", number}});
    }
    // 203 is rung by `from`, answers and talks.
    void on_to_peter(const std::string& from, const std::string& shown) {
        channel("PJSIP/203-00000003", "1.2", "1.0", "Down");
        connect("1.2", shown);
        dial_begin(from, "1.2", "1.0");
        for (const char* phase : {"Ringing", "Up"})
            event("Newstate", {{"Uniqueid", "1.2"},
                               {"Linkedid", "1.0"},
                               {"ChannelStateDesc", phase},
                               {"ConnectedLineNum", shown}});
        dial_end(from, "1.2", "1.0", "ANSWER");
        event("BridgeEnter", {{"BridgeUniqueid", "b2"},
                              {"BridgeType", "basic"},
                              {"Uniqueid", "1.2"},
                              {"Linkedid", "1.0"},
                              {"ConnectedLineNum", shown}});
        enter(from, "1.0", "b2");
    }
    [[nodiscard]] std::vector<std::string> parties(const std::string& jid) const {
        std::vector<std::string> lines;
        for (const bridge::Notice& notice : seen.notices)
            if (notice.to == jid)
                lines.push_back(std::string(to_string(notice.state)) + ' ' + notice.party_number + ' ' +
                                notice.party_name);
        return lines;
    }
};

TEST(party, of_an_internal_call_is_the_colleague_by_name) {
    InternalCall call;
    EXPECT_THAT(call.parties(zofia),
                testing::ElementsAre("dialing 201 Anna", "dialing 201 Anna", "answered 201 Anna"));
    EXPECT_THAT(call.parties(anna), testing::ElementsAre("ringing 202 Zofia", "answered 202 Zofia"));
}

TEST(party, changes_for_who_called_when_the_called_colleague_hands_them_on) {
    InternalCall call;
    call.transfer_away("1.1", "1.0");
    call.on_to_peter("1.0", "202");
    EXPECT_EQ(call.parties(zofia).back(), "answered 203 Peter");
    EXPECT_THAT(call.parties(peter), testing::ElementsAre("ringing 202 Zofia", "answered 202 Zofia"));
    EXPECT_EQ(call.parties(anna).back(), "ended 202 Zofia");
    call.leave("1.2", "1.0", "b2");
    call.leave("1.0", "1.0", "b2");
    call.hangup_request("1.2", "1.0");
    call.hangup("1.2", "1.0");
    call.hangup("1.0", "1.0");
    EXPECT_EQ(call.parties(zofia).back(), "ended 203 Peter");
    EXPECT_EQ(call.parties(peter).back(), "ended 202 Zofia");
}

TEST(party, changes_for_who_was_called_when_the_caller_hands_them_on) {
    InternalCall call;
    call.transfer_away("1.0", "1.1");
    call.on_to_peter("1.1", "201");
    EXPECT_EQ(call.parties(zofia).back(), "ended 201 Anna");
    EXPECT_THAT(call.parties(peter), testing::ElementsAre("ringing 201 Anna", "answered 201 Anna"));
    EXPECT_EQ(call.parties(anna).back(), "answered 203 Peter");
}

TEST(party, of_an_own_call_that_somebody_picks_up_is_who_picked_up) {
    Exchange e("hq", three_people());
    e.channel("PJSIP/202-00000001", "1.0", "1.0", "Ring", "202", "201");
    e.ring("PJSIP/201-00000002", "1.1");
    e.channel("PJSIP/203-00000003", "3.0", "3.0", "Ring", "203", "*8");
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
    e.hangup("1.1", "1.0", 26);
    EXPECT_EQ(e.desk.current(zofia).at(0).party_number, "203");
    EXPECT_EQ(e.desk.current(zofia).at(0).party_name, "Peter");
    EXPECT_EQ(e.desk.current(peter).at(0).party_number, "202");
}

TEST(party, of_a_group_of_local_members_is_who_answered) {
    Exchange e("hq", three_people());
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "620");
    e.channel("Local/203@internal-00000001;1", "1.1", "1.0", "Down");
    e.channel("Local/203@internal-00000001;2", "1.2", "1.0", "Ring");
    e.dial_begin("1.0", "1.1", "1.0");
    e.ring("PJSIP/203-00000003", "1.3");
    e.dial_begin("1.2", "1.3", "1.0");
    EXPECT_EQ(e.desk.current(anna).at(0).party_number, "620");
    e.state("1.3", "1.0", "Up");
    e.dial_end("1.2", "1.3", "1.0", "ANSWER");
    e.enter("1.3", "1.0", "b1");
    e.enter("1.2", "1.0", "b1");
    e.dial_end("1.0", "1.1", "1.0", "ANSWER");
    e.enter("1.1", "1.0", "b2");
    e.enter("1.0", "1.0", "b2");
    EXPECT_EQ(e.desk.current(anna).at(0).party_number, "203");
    EXPECT_EQ(e.desk.current(anna).at(0).party_name, "Peter");
    EXPECT_EQ(e.desk.current(peter).at(0).party_number, "201");
}

// 201 called a customer and hands them to 202; the dialplan gave the trunk's channel a name.
TEST(party, of_a_customer_who_was_called_and_is_handed_on_is_the_customer) {
    Exchange e("hq", three_people());
    const std::string customer = "07700900456";
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", customer);
    e.channel("PJSIP/trunk-00000002", "1.1", "1.0", "Down");
    e.dial_begin("1.0", "1.1", "1.0");
    e.state("1.1", "1.0", "Up");
    e.dial_end("1.0", "1.1", "1.0", "ANSWER");
    e.enter("1.1", "1.0", "b1");
    e.enter("1.0", "1.0", "b1");
    e.event("BlindTransfer", {{"Result", "Success"}, {"TransfererUniqueid", "1.0"}});
    e.leave("1.0", "1.0", "b1");
    e.leave("1.1", "1.0", "b1");
    e.hangup("1.0", "1.0");
    e.channel("PJSIP/202-00000003", "1.2", "1.0", "Down");
    e.dial_begin("1.1", "1.2", "1.0");
    e.event("Newstate", {{"Uniqueid", "1.2"},
                         {"Linkedid", "1.0"},
                         {"ChannelStateDesc", "Ringing"},
                         {"ConnectedLineNum", customer},
                         {"ConnectedLineName", "CID:02079460100"}});
    EXPECT_EQ(e.told(anna).back(), "ended 1.0 transferred");
    EXPECT_EQ(e.seen.notices.back().to, zofia);
    EXPECT_EQ(e.seen.notices.back().party_number, customer);
    EXPECT_EQ(e.seen.notices.back().party_name, "");
}

TEST(party, of_a_held_call_stays_while_a_colleague_is_asked_on_the_same_line) {
    Exchange e("hq", three_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.enter("1.1", "1.0", "b1");
    e.enter("1.0", "1.0", "b1");
    e.event("Hold", {{"Uniqueid", "1.1"}, {"Linkedid", "1.0"}});
    e.channel("Local/202@internal-00000001;1", "1.2", "1.0", "Down");
    e.channel("Local/202@internal-00000001;2", "1.3", "1.0", "Ring");
    e.ring("PJSIP/202-00000002", "1.4");
    e.dial_begin("1.3", "1.4", "1.0");
    e.enter("1.2", "1.0", "b2");
    e.leave("1.1", "1.0", "b1");
    e.enter("1.1", "1.0", "b2");
    e.state("1.4", "1.0", "Up");
    e.enter("1.4", "1.0", "b3");
    e.enter("1.3", "1.0", "b3");
    EXPECT_EQ(e.desk.current(anna).at(0).party_number, "+447700900123");
    EXPECT_EQ(e.desk.current(zofia).at(0).party_number, "201");
}

TEST(party, that_waits_in_a_queue_after_a_transfer_waits_from_then_on) {
    Exchange e("hq", three_people());
    e.caller();
    e.ring("PJSIP/201-00000001", "1.1");
    e.state("1.1", "1.0", "Up");
    e.now += 60s;
    e.event("BlindTransfer", {{"Result", "Success"}, {"TransfererUniqueid", "1.1"}});
    e.hangup("1.1", "1.0");
    e.event("QueueCallerJoin", {{"Uniqueid", "1.0"}, {"Linkedid", "1.0"}, {"Queue", "support"}});
    e.now += 7s;
    e.ring("PJSIP/202-00000002", "1.2");
    EXPECT_EQ(e.seen.notices.back().queue, "support");
    EXPECT_EQ(e.seen.notices.back().waited, 7);
    e.state("1.2", "1.0", "Up");
    e.now += 9s;
    e.event("Hold", {{"Uniqueid", "1.2"}, {"Linkedid", "1.0"}});
    EXPECT_EQ(e.seen.notices.back().waited, 7);
}

TEST(party, without_a_name_of_ours_has_the_one_of_the_exchange) {
    Exchange e("hq", {{anna, "5", "hq", "201", {}, true}});
    e.channel("PJSIP/201-00000001", "1.0", "1.0", "Ring", "201", "02079460500", "Anna K");
    EXPECT_EQ(e.row("hq:1.0")->caller_name, "Anna K");
    // the dialplan names the trunk's own line: nobody's name
    e.event("NewConnectedLine", {{"Uniqueid", "1.0"},
                                 {"Linkedid", "1.0"},
                                 {"ConnectedLineNum", "02079460500"},
                                 {"ConnectedLineName", "CID:02079460100"}});
    e.channel("PJSIP/trunk-00000002", "1.1", "1.0", "Down");
    e.dial_begin("1.0", "1.1", "1.0");
    e.state("1.1", "1.0", "Ringing");
    EXPECT_EQ(e.desk.current(anna).at(0).party_name, "");
}

TEST(party, who_hides_the_number_has_no_name_either) {
    for (const char* number : {"anonymous", "Restricted"}) {
        Exchange e("hq", two_people());
        e.channel("PJSIP/trunk-00000000", "1.0", "1.0", "Ring", number, "02079460201", "Anonymous");
        e.ring("PJSIP/201-00000001", "1.1");
        EXPECT_EQ(e.seen.notices.front().party_number, "anonymous");
        EXPECT_EQ(e.seen.notices.front().party_name, "");
        EXPECT_EQ(e.row("hq:1.0")->caller_name, "");
    }
}

TEST(conference, a_caller_is_answered_when_an_operator_is_there) {
    Exchange e("hq", two_people());
    e.caller();
    e.enter("1.0", "1.0", "conf", "base", "softmix");
    e.channel("PJSIP/trunk-00000001", "2.0", "2.0", "Ring", "+447700900124", "02079460660");
    e.enter("2.0", "2.0", "conf", "base", "softmix");
    EXPECT_FALSE(e.row("hq:1.0")->answered);
    e.now += 3s;
    e.channel("PJSIP/201-00000001", "3.0", "3.0", "Ring", "201", "660");
    e.state("3.0", "3.0", "Up");
    e.enter("3.0", "3.0", "conf", "base", "softmix");
    for (const char* id : {"hq:1.0", "hq:2.0"}) {
        EXPECT_EQ(e.row(id)->answered, e.now) << id;
        EXPECT_EQ(e.row(id)->answered_by, "") << id;
    }
    EXPECT_EQ(e.desk.current(anna).at(0).party_number, "660");
}

TEST(conference, a_parking_lot_is_none) {
    Exchange e("hq", two_people());
    e.caller();
    e.enter("1.0", "1.0", "lot", "parking", "holding_bridge");
    e.channel("PJSIP/201-00000001", "3.0", "3.0", "Ring", "201", "700");
    e.state("3.0", "3.0", "Up");
    e.enter("3.0", "3.0", "lot", "parking", "holding_bridge");
    EXPECT_FALSE(e.row("hq:1.0")->answered);
}

}  // namespace
