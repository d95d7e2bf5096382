// Calls as large as they come, and very many of them: correct, and nothing of them is kept.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

namespace {

using namespace desk_test;
using bridge::Desk;

std::string jid(int extension) {
    return fmt::format("op{}@example.org", extension);
}
std::string phone(int extension, int channel) {
    return fmt::format("PJSIP/{}-{:08x}", extension, channel);
}

std::vector<crm::Operator> staff(int count) {
    std::vector<crm::Operator> people;
    for (int i = 0; i < count; ++i)
        people.push_back({jid(200 + i), std::to_string(i), "hq", std::to_string(200 + i), {}, true});
    return people;
}

std::string id(int channel) {
    return fmt::format("1.{}", channel);
}

// Everything that grows is empty; graves are bounded.
void expect_nothing_kept(const Desk& desk) {
    const Desk::Sizes sizes = desk.sizes();
    EXPECT_EQ(sizes.talks, 0U);
    EXPECT_EQ(sizes.rings, 0U);
    EXPECT_EQ(sizes.waiting, 0U);
    EXPECT_EQ(sizes.listed, 0U);
    EXPECT_EQ(sizes.suspects, 0U);
    EXPECT_EQ(sizes.model.legs, 0U);
    EXPECT_EQ(sizes.model.calls, 0U);
    EXPECT_EQ(sizes.model.merged, 0U);
    EXPECT_EQ(sizes.model.bridges, 0U);
    EXPECT_EQ(sizes.model.locals, 0U);
    EXPECT_LE(sizes.model.graves, 20000U);
}

int ended(const Exchange& e, const std::string& to, const std::string& cause) {
    int count = 0;
    for (const bridge::Notice& notice : e.seen.notices)
        count +=
            notice.to == to && notice.state == bridge::RingState::ended && to_string(notice.cause) == cause;
    return count;
}

TEST(big_calls, fifty_operators_ring_at_once_and_one_answers) {
    constexpr int operators = 50, answerer = 223;
    Exchange e("hq", staff(operators));
    e.caller("1.0");
    for (int i = 0; i < operators; ++i) e.channel(phone(200 + i, i + 1), id(i + 1), "1.0", "Down");
    for (int i = 0; i < operators; ++i) e.dial_begin("1.0", id(i + 1), "1.0");
    for (int i = 0; i < operators; ++i) e.state(id(i + 1), "1.0", "Ringing");
    EXPECT_EQ(e.desk.current().size(), 50U);
    const std::string answered = id(answerer - 199);
    e.state(answered, "1.0", "Up");
    e.dial_end("1.0", answered, "1.0", "ANSWER");
    for (int i = 0; i < operators; ++i)
        if (id(i + 1) != answered) {
            e.dial_end("1.0", id(i + 1), "1.0", "CANCEL");
            e.hangup(id(i + 1), "1.0", i % 2 == 0 ? 26 : 16);
        }
    EXPECT_EQ(e.desk.current().size(), 1U);
    for (int i = 0; i < operators; ++i)
        EXPECT_EQ(ended(e, jid(200 + i), "answered-elsewhere"), 200 + i == answerer ? 0 : 1) << i;
    e.hangup_request(answered, "1.0");
    e.hangup(answered, "1.0");
    e.hangup("1.0", "1.0");
    EXPECT_EQ(e.row("hq:1.0")->answered_by, jid(answerer));
    EXPECT_EQ(ended(e, jid(answerer), "hangup"), 1);
    EXPECT_EQ(e.seen.notices.size(), 101U);  // 50 pops, one answer, 50 ends
    expect_nothing_kept(e.desk);
}

TEST(big_calls, two_hundred_rounds_of_a_queue_keep_only_the_last_ones) {
    constexpr int rounds = 200, members = 5;
    Exchange e("hq", staff(members));
    e.caller("1.0");
    e.event("QueueCallerJoin", {{"Uniqueid", "1.0"}, {"Linkedid", "1.0"}, {"Queue", "support"}});
    int channel = 0;
    std::size_t most = 0;
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < members; ++i) e.ring(phone(200 + i, channel + i + 1), id(channel + i + 1), "1.0");
        e.wait(15s);
        for (int i = 0; i < members; ++i) {
            e.dial_end("1.0", id(channel + i + 1), "1.0", "NOANSWER");
            e.hangup(id(channel + i + 1), "1.0", 0);
        }
        e.wait(5s);
        channel += members;
        most = std::max(most, e.desk.sizes().model.legs);
    }
    EXPECT_LE(most, 220U);
    EXPECT_LE(e.desk.sizes().rings, 220U);
    for (int i = 0; i < members; ++i) EXPECT_EQ(ended(e, jid(200 + i), "no-answer"), rounds);
    e.hangup_request("1.0", "1.0");
    e.event("QueueCallerAbandon", {{"Uniqueid", "1.0"}, {"Linkedid", "1.0"}});
    e.hangup("1.0", "1.0");
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::abandoned);
    EXPECT_EQ(e.seen.notices.size(), std::size_t{2} * rounds * members);
    expect_nothing_kept(e.desk);
}

TEST(big_calls, twenty_blind_transfers) {
    constexpr int transfers = 20;
    Exchange e("hq", staff(transfers + 1));
    e.caller("1.0");
    for (int i = 0; i <= transfers; ++i) {
        const std::string leg = id(i + 1), bridge = fmt::format("b{}", i);
        e.ring(phone(200 + i, i + 1), leg, "1.0");
        e.state(leg, "1.0", "Up");
        e.dial_end("1.0", leg, "1.0", "ANSWER");
        e.enter(leg, "1.0", bridge);
        e.enter("1.0", "1.0", bridge);
        e.wait(10s);
        if (i == transfers) break;
        e.event("BlindTransfer", {{"Result", "Success"}, {"TransfererUniqueid", leg}});
        for (const std::string& who : {std::string("1.0"), leg})
            e.event("BridgeLeave", {{"BridgeUniqueid", bridge}, {"Uniqueid", who}, {"Linkedid", "1.0"}});
        e.hangup(leg, "1.0");
        EXPECT_EQ(ended(e, jid(200 + i), "transferred"), 1);
    }
    e.hangup_request("1.0", "1.0");
    e.hangup(id(transfers + 1), "1.0");
    e.hangup("1.0", "1.0");
    EXPECT_EQ(ended(e, jid(200 + transfers), "hangup"), 1);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, jid(200));
    EXPECT_EQ(e.row("hq:1.0")->disposition, crm::Disposition::answered);
    expect_nothing_kept(e.desk);
}

TEST(big_calls, twenty_attended_transfers_are_one_call) {
    constexpr int transfers = 20;
    Exchange e("hq", staff(transfers + 1));
    e.caller("1.0");
    e.ring(phone(200, 1), "1.1", "1.0");
    e.state("1.1", "1.0", "Up");
    e.enter("1.1", "1.0", "b0");
    e.enter("1.0", "1.0", "b0");
    std::string talking = "1.1", bridge = "b0";
    for (int i = 1; i <= transfers; ++i) {
        const std::string own = id(100 + 2 * i), other = id(101 + 2 * i), talk = fmt::format("b{}", i);
        e.wait(5s);
        e.event("Hold", {{"Uniqueid", talking}, {"Linkedid", "1.0"}});
        e.channel(phone(199 + i, 100 + 2 * i), own, own, "Ring", std::to_string(199 + i),
                  std::to_string(200 + i));
        e.ring(phone(200 + i, 101 + 2 * i), other, own);
        e.state(other, own, "Up");
        e.dial_end(own, other, own, "ANSWER");
        e.enter(other, own, talk);
        e.enter(own, own, talk);
        e.wait(5s);
        // REFER with Replaces: the caller goes into the other bridge, the younger call into the older one
        e.event("BridgeLeave", {{"BridgeUniqueid", bridge}, {"Uniqueid", "1.0"}, {"Linkedid", "1.0"}});
        e.enter("1.0", "1.0", talk);
        e.event(
            "AttendedTransfer",
            {{"Result", "Success"}, {"OrigTransfererUniqueid", talking}, {"SecondTransfererUniqueid", own}});
        e.hangup(talking, "1.0");
        e.hangup(own, "1.0");
        EXPECT_EQ(e.row("hq:" + own)->merged_into, "hq:1.0");
        EXPECT_GE(ended(e, jid(199 + i), "transferred"), 1);
        EXPECT_LE(e.desk.sizes().model.merged, static_cast<std::size_t>(i));
        talking = other;
        bridge = talk;
    }
    e.hangup_request("1.0", "1.0");
    e.hangup(talking, "1.0");
    e.hangup("1.0", "1.0");
    EXPECT_EQ(ended(e, jid(200 + transfers), "hangup"), 1);
    EXPECT_EQ(e.row("hq:1.0")->answered_by, jid(200));
    expect_nothing_kept(e.desk);
}

TEST(big_calls, ten_thousand_calls_with_pickup_one_after_the_other) {
    Exchange e("hq", staff(2));
    int channel = 0;
    for (int call = 0; call < 10000; ++call) {
        const std::string caller = id(channel++), rung = id(channel++), picker = id(channel++);
        e.caller(caller);
        e.ring(phone(200, channel), rung, caller);
        // picked up by the other operator: the younger call merges
        e.channel(phone(201, channel + 1), picker, picker, "Ring", "201", "*8");
        e.state(picker, picker, "Up");
        e.event("Pickup", {{"Uniqueid", picker}, {"Linkedid", picker}, {"TargetUniqueid", rung}});
        e.dial_end(caller, picker, caller, "ANSWER");
        e.state(caller, caller, "Up");
        e.hangup(rung, caller, 26);
        e.enter(picker, picker, "b");
        e.enter(caller, caller, "b");
        e.hangup_request(picker, caller);
        e.leave(picker, caller, "b");
        e.leave(caller, caller, "b");
        e.hangup(picker, caller);
        e.hangup(caller, caller);
        e.wait(1s);
        ASSERT_EQ(e.row("hq:" + caller)->answered_by, jid(201)) << call;
        expect_nothing_kept(e.desk);
        e.seen = {};
    }
    EXPECT_EQ(e.desk.sizes().model.graves, 20000U);
}

}  // namespace
