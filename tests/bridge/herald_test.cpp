#include "bridge/herald.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/notice_memory.hpp"

using bridge::Cause;
using bridge::Herald;
using bridge::Millis;
using bridge::Notice;
using bridge::RingState;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

// A house with a disk that answers when told to and a server whose marks are answered when told to.
struct House {
    std::vector<std::string> sent, settled, owed, became;
    std::vector<std::function<void(bool)>> disk, marks;
    bool disk_is_quick = true, connected = true;
    Millis now{1000};
    Herald herald{Herald::Ports{
        .render =
            [](const Notice& n, const crm::Lookup&) {
                return std::vector<std::string>{
                    n.leg + " " + std::string(to_string(n.state)) +
                    (n.state == RingState::ended ? " " + std::string(to_string(n.cause)) : "") + " #" +
                    std::to_string(n.seq)};
            },
        .send =
            [this](std::string_view stanza) {
                if (connected) sent.emplace_back(stanza);
                return connected;
            },
        .mark = [this](std::function<void(bool)> read) { marks.push_back(std::move(read)); },
        .owe =
            [this](const crm::Owed& debt, std::function<void(bool)> durable) {
                owed.push_back(debt.leg);
                if (disk_is_quick)
                    durable(true);
                else
                    disk.push_back(std::move(durable));
            },
        .settle =
            [this](std::string_view jid, std::string_view pbx, std::string_view leg) {
                settled.push_back(std::string(jid) + " " + std::string(pbx) + " " + std::string(leg));
            },
        .keep = [](const Notice& n) { return bridge::remembered(n); },
        .recall =
            [](const crm::Owed& debt) {
                return bridge::recalled(debt.jid, debt.pbx, debt.leg, debt.id, debt.stanza);
            },
        .now = [this] { return now; },
        .told =
            [this](const Notice& n, bridge::Told told) {
                static constexpr const char* names[] = {
                    "sent",          "refused",         "xmpp_down",       "end_owed",
                    "end_of_unseen", "begin_confirmed", "begin_uncertain", "end_confirmed"};
                became.push_back(n.leg + " " + names[static_cast<std::size_t>(told)]);
            }}};

    void tell(const std::string& leg, RingState state, Cause cause = Cause::none,
              const std::string& to = "anna") {
        herald.notice(make(leg, state, cause, to), {});
    }
    static Notice make(const std::string& leg, RingState state, Cause cause = Cause::none,
                       const std::string& to = "anna") {
        Notice n;
        n.to = to;
        n.pbx = "hq";
        n.leg = leg;
        n.id = "hq:" + leg;
        n.state = state;
        n.cause = cause;
        return n;
    }
    void pass(int ms) {
        now += Millis{ms};
        herald.tick(now);
    }
    void lose_link() {
        connected = false;
        herald.down();
        auto all = std::exchange(marks, {});
        for (auto& mark : all) mark(false);
    }
    void regain_link() {
        connected = true;
        herald.up();
    }
};

}  // namespace

TEST(herald, a_ring_is_owed_before_it_is_shown_and_settled_after_it_was_read) {
    House h;
    h.disk_is_quick = false;
    h.herald.up();
    h.tell("1", RingState::ringing);
    EXPECT_THAT(h.sent, IsEmpty()) << "not before the disk has it";
    EXPECT_THAT(h.owed, ElementsAre("1"));
    h.disk.at(0)(true);
    EXPECT_THAT(h.sent, ElementsAre("1 ringing #1"));
    h.tell("1", RingState::answered);
    h.tell("1", RingState::ended, Cause::hangup);
    EXPECT_THAT(h.sent, ElementsAre("1 ringing #1", "1 answered #2", "1 ended hangup #3"));
    EXPECT_THAT(h.settled, IsEmpty()) << "written is not read";
    h.pass(149);
    EXPECT_THAT(h.marks, IsEmpty());
    h.pass(1);
    ASSERT_EQ(h.marks.size(), 1U);
    h.marks[0](true);
    EXPECT_THAT(h.settled, ElementsAre("anna hq 1"));
    EXPECT_EQ(h.herald.open(), 0U);
}

TEST(herald, what_follows_waits_behind_the_disk) {
    House h;
    h.disk_is_quick = false;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.tell("1", RingState::answered);
    h.tell("2", RingState::ringing);
    h.tell("3", RingState::ringing, Cause::none, "ben");
    h.tell("1", RingState::ended, Cause::hangup);
    EXPECT_THAT(h.sent, IsEmpty());
    h.disk.at(2)(true);
    EXPECT_THAT(h.sent, ElementsAre("3 ringing #1")) << "another JID does not wait";
    h.disk.at(1)(true);
    EXPECT_EQ(h.sent.size(), 1U);
    h.disk.at(0)(false);  // a full disk must not stop a pop
    EXPECT_THAT(h.sent, ElementsAre("3 ringing #1", "1 ringing #1", "1 answered #2", "2 ringing #3",
                                    "1 ended hangup #4"));
}

TEST(herald, ended_goes_out_once_only) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.tell("1", RingState::ended, Cause::cancelled);
    h.tell("1", RingState::ended, Cause::hangup);
    h.tell("1", RingState::answered);
    EXPECT_THAT(h.sent, ElementsAre("1 ringing #1", "1 ended cancelled #2"));
}

TEST(herald, a_ring_never_shown_gets_no_end_but_a_gap) {
    House h;
    h.tell("1", RingState::ringing);  // XMPP is down
    h.tell("1", RingState::ended, Cause::cancelled);
    h.regain_link();
    EXPECT_THAT(h.sent, IsEmpty());
    EXPECT_THAT(h.owed, IsEmpty());
    EXPECT_EQ(h.herald.seq("anna"), 2U);
}

TEST(herald, an_end_during_an_outage_is_sent_afterwards_with_its_cause) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.lose_link();
    h.tell("1", RingState::answered);
    h.tell("1", RingState::ended, Cause::hangup);
    EXPECT_EQ(h.sent.size(), 1U);
    h.regain_link();
    ASSERT_EQ(h.sent.size(), 2U);
    EXPECT_THAT(h.sent[1], testing::StartsWith("1 ended hangup"));
    h.pass(200);
    h.marks.at(0)(true);
    EXPECT_THAT(h.settled, ElementsAre("anna hq 1"));
}

TEST(herald, an_end_that_was_not_read_is_sent_again) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.tell("1", RingState::ended, Cause::hangup);
    h.pass(200);
    ASSERT_EQ(h.marks.size(), 1U);
    h.lose_link();
    EXPECT_THAT(h.settled, IsEmpty());
    h.regain_link();
    EXPECT_EQ(h.sent.size(), 3U);
    EXPECT_THAT(h.sent.back(), testing::StartsWith("1 ended hangup"));
    h.pass(200);
    h.marks.at(0)(true);
    EXPECT_THAT(h.settled, ElementsAre("anna hq 1"));
}

TEST(herald, what_waits_for_the_disk_is_stale_after_an_outage) {
    House h;
    h.disk_is_quick = false;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.lose_link();
    h.disk.at(0)(true);
    EXPECT_THAT(h.sent, IsEmpty());
    h.regain_link();
    EXPECT_THAT(h.sent, IsEmpty());
    // It goes on: the owner sends the current snapshot, and its end is owed already.
    h.tell("1", RingState::answered);
    h.tell("1", RingState::ended, Cause::hangup);
    EXPECT_THAT(h.sent,
                ElementsAre(testing::StartsWith("1 answered"), testing::StartsWith("1 ended hangup")));
    EXPECT_THAT(h.owed, ElementsAre("1"));
}

TEST(herald, a_restart_pays_what_the_last_run_owed) {
    House h;
    auto gone = House::make("1", RingState::answered), alive = House::make("2", RingState::ringing),
         elsewhere = House::make("3", RingState::ringing);
    elsewhere.pbx = "north";
    std::vector<crm::Owed> owed;
    for (const auto& n : {gone, alive, elsewhere})
        owed.push_back({n.to, n.pbx, n.leg, n.id, bridge::remembered(n)});
    h.herald.restore(owed);
    h.herald.up();
    EXPECT_THAT(h.sent, IsEmpty()) << "nobody knows yet whether they are over";
    h.herald.reconcile("hq", {alive});
    EXPECT_THAT(h.sent, ElementsAre("1 ended lost #1"));
    h.tell("2", RingState::ended, Cause::cancelled);
    EXPECT_THAT(h.sent, ElementsAre("1 ended lost #1", "2 ended cancelled #2"));
    EXPECT_EQ(h.herald.open(), 3U);
    h.pass(200);
    h.marks.at(0)(true);
    EXPECT_EQ(h.herald.open(), 1U) << "the pbx in the north has not been heard yet";
}

TEST(herald, reconcile_while_xmpp_is_down_sends_the_end_later) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.lose_link();
    h.herald.reconcile("hq", {});
    EXPECT_EQ(h.sent.size(), 1U);
    h.regain_link();
    EXPECT_THAT(h.sent.back(), testing::StartsWith("1 ended lost"));
}

TEST(herald, what_an_answer_to_calls_showed_is_owed_too) {
    House h;
    h.tell("1", RingState::ringing);  // XMPP was down
    h.regain_link();
    h.herald.shown(House::make("1", RingState::ringing));
    EXPECT_THAT(h.owed, ElementsAre("1"));
    h.tell("1", RingState::ended, Cause::hangup);
    EXPECT_THAT(h.sent, ElementsAre(testing::StartsWith("1 ended hangup")));
}

TEST(herald, says_what_became_of_each_notice) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.pass(200);
    h.marks.at(0)(true);
    EXPECT_THAT(h.became, ElementsAre("1 sent", "1 begin_confirmed"));
    h.became.clear();
    h.tell("1", RingState::answered);
    h.tell("1", RingState::ended, Cause::hangup);
    h.pass(200);
    h.marks.at(1)(true);
    EXPECT_THAT(h.became, ElementsAre("1 sent", "1 sent", "1 end_confirmed"));
    h.became.clear();
    h.tell("2", RingState::ringing);
    h.lose_link();
    h.tell("2", RingState::ended, Cause::hangup);
    h.tell("3", RingState::ringing);
    h.tell("3", RingState::ended, Cause::cancelled);
    EXPECT_THAT(h.became,
                ElementsAre("2 sent", "2 begin_uncertain", "2 end_owed", "3 xmpp_down", "3 end_of_unseen"));
    h.became.clear();
    h.regain_link();
    EXPECT_THAT(h.became, ElementsAre("2 sent"));
}

TEST(herald, a_mark_of_before_the_outage_confirms_no_later_pop) {
    House h;
    h.herald.up();
    h.tell("1", RingState::ringing);  // its mark was not asked for yet
    h.lose_link();
    h.regain_link();
    h.tell("2", RingState::ringing);
    h.became.clear();
    h.pass(200);
    h.marks.at(0)(true);
    EXPECT_THAT(h.became, ElementsAre("2 begin_confirmed"));
}

TEST(herald, a_stream_that_takes_nothing_is_told) {
    House h;
    h.herald.up();
    h.connected = false;
    h.tell("1", RingState::ringing);
    EXPECT_THAT(h.became, ElementsAre("1 refused"));
    EXPECT_EQ(h.herald.next_deadline(), Millis::max());
}

TEST(herald, a_pop_dropped_behind_the_disk_is_told) {
    House h;
    h.disk_is_quick = false;
    h.herald.up();
    h.tell("1", RingState::ringing);
    h.lose_link();
    EXPECT_THAT(h.became, ElementsAre("1 xmpp_down"));
}

TEST(notice_memory, a_notice_survives_the_disk) {
    auto n = House::make("1<&>", RingState::held);
    n.direction = bridge::Direction::outbound;
    n.extension = "201";
    n.started = Millis{1795187329303};
    n.party_number = "+447700900123";
    n.party_name = "<b>\"O'x & \x01\xff";
    n.dialed = "0207";
    n.shared = true;
    auto back = bridge::recalled(n.to, n.pbx, n.leg, n.id, bridge::remembered(n));
    EXPECT_EQ(back.state, RingState::held);
    EXPECT_EQ(back.direction, bridge::Direction::outbound);
    EXPECT_EQ(back.leg, "1<&>");
    EXPECT_EQ(back.started, n.started);
    EXPECT_EQ(back.party_number, n.party_number);
    EXPECT_EQ(back.party_name, "<b>\"O'x & \xEF\xBF\xBD");
    EXPECT_TRUE(back.shared);
    n.withheld = true;
    back = bridge::recalled(n.to, n.pbx, n.leg, n.id, bridge::remembered(n));
    EXPECT_EQ(back.party_number, "") << "a withheld number is not kept";
    EXPECT_EQ(bridge::recalled("a", "b", "c", "d", "no xml <").state, RingState::ringing);
}
