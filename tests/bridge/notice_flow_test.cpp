#include "bridge/notice_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/call_book.hpp"
#include "bridge/row_memory.hpp"

using bridge::Millis;
using bridge::Notice;
using bridge::RingState;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

crm::Lookup found(const std::string& label, crm::Quality quality = crm::Quality::exact) {
    crm::Lookup lookup;
    lookup.reason = crm::LookupReason::matched;
    crm::Match match;
    match.module = "Contacts";
    match.id = "1" + label;
    match.label = label;
    match.quality = quality;
    lookup.matches.push_back(match);
    return lookup;
}

struct Flow {
    struct Asked {
        std::string number, pbx, user;
        std::function<void(crm::Lookup)> answer;
    };
    std::vector<Asked> asked;
    std::vector<std::string> sent;  // "jid leg state label"
    bridge::NoticeFlow flow{
        Millis{150},
        [this](const std::string& number, const std::string& pbx, const std::string& user,
               std::function<void(crm::Lookup)> answer) {
            asked.push_back({number, pbx, user, std::move(answer)});
        },
        [](std::string_view, std::string_view, std::string_view) { return found("index"); },
        [this](const Notice& n, const crm::Lookup& l) {
            sent.push_back(n.to + " " + n.leg + " " +
                           (n.state == RingState::ended     ? "ended"
                            : n.state == RingState::ringing ? "ringing"
                                                            : "answered") +
                           " " + (l.matches.empty() ? "-" : l.matches[0].label));
        }};
};

Notice notice(const std::string& to, const std::string& leg, RingState state,
              const std::string& number = "+441") {
    Notice n;
    n.to = to;
    n.pbx = "hq";
    n.leg = leg;
    n.state = state;
    n.party_number = number;
    return n;
}

}  // namespace

TEST(notice_flow, a_pop_waits_for_its_match) {
    Flow f;
    f.flow.add(notice("a", "1", RingState::ringing), "5", Millis{1000});
    EXPECT_THAT(f.sent, IsEmpty());
    ASSERT_EQ(f.asked.size(), 1U);
    EXPECT_EQ(f.asked[0].user, "5");
    EXPECT_EQ(f.flow.next_deadline(), Millis{1150});
    f.asked[0].answer(found("Ann"));
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing Ann"));
    EXPECT_EQ(f.flow.next_deadline(), Millis::max());
}

TEST(notice_flow, but_never_longer_than_the_budget) {
    Flow f;
    f.flow.add(notice("a", "1", RingState::ringing), "", Millis{1000});
    f.flow.tick(Millis{1149});
    EXPECT_THAT(f.sent, IsEmpty());
    f.flow.tick(Millis{1150});
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing index"));
    f.asked[0].answer(found("Ann"));  // late: for the next notice
    f.flow.add(notice("a", "1", RingState::answered), "", Millis{2000});
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing index", "a 1 answered Ann"));
    EXPECT_EQ(f.asked.size(), 1U);
}

TEST(notice_flow, no_notice_overtakes_an_earlier_one_of_its_jid) {
    Flow f;
    f.flow.add(notice("a", "1", RingState::ringing, "+441"), "", Millis{0});
    f.flow.add(notice("a", "2", RingState::ringing, "+442"), "", Millis{1});
    f.flow.add(notice("a", "1", RingState::ended, "+441"), "", Millis{2});
    f.flow.add(notice("b", "3", RingState::ringing, "+442"), "", Millis{3});
    f.asked[1].answer(found("Two"));
    EXPECT_THAT(f.sent, ElementsAre("b 3 ringing Two"));
    f.asked[0].answer(found("One"));
    EXPECT_THAT(f.sent,
                ElementsAre("b 3 ringing Two", "a 1 ringing One", "a 2 ringing Two", "a 1 ended One"));
}

TEST(notice_flow, the_lookup_begins_before_the_ring) {
    Flow f;
    f.flow.prefetch("+441", "hq", Millis{0});
    ASSERT_EQ(f.asked.size(), 1U);
    f.asked[0].answer(found("Ann"));
    f.flow.add(notice("a", "1", RingState::ringing), "", Millis{300});
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing Ann"));
    EXPECT_EQ(f.asked.size(), 1U);
    // Somebody with fewer rights is asked for separately.
    f.flow.add(notice("b", "2", RingState::ringing), "7", Millis{300});
    EXPECT_EQ(f.asked.size(), 2U);
    EXPECT_EQ(f.asked[1].user, "7");
}

TEST(notice_flow, a_new_call_of_the_same_number_is_asked_anew) {
    Flow f;
    f.flow.prefetch("+441", "hq", Millis{0});
    f.flow.prefetch("+441", "hq", Millis{1});
    EXPECT_EQ(f.asked.size(), 1U) << "an answer is on its way";
    f.asked[0].answer(found("Old"));
    f.flow.prefetch("+441", "hq", Millis{60000});
    ASSERT_EQ(f.asked.size(), 2U);
    f.flow.add(notice("a", "1", RingState::ringing), "", Millis{60001});
    EXPECT_THAT(f.sent, IsEmpty());
    f.asked[1].answer(found("New"));
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing New"));
}

TEST(notice_flow, what_the_database_did_not_confirm_is_asked_anew_for_the_next_ring) {
    Flow f;
    f.flow.add(notice("anna", "1.1", RingState::ringing), "5", Millis{0});
    crm::Lookup late = found("late");
    late.asked = crm::Asked::too_late;
    f.asked.at(0).answer(late);
    f.flow.add(notice("anna", "1.1", RingState::answered), "5", Millis{300});
    EXPECT_EQ(f.asked.size(), 1U);  // a later notice of the ring takes what there is
    f.flow.add(notice("anna", "2.1", RingState::ringing), "5", Millis{400});
    ASSERT_EQ(f.asked.size(), 2U);
    crm::Lookup confirmed = found("confirmed");
    confirmed.asked = crm::Asked::confirmed;
    f.asked.at(1).answer(confirmed);
    f.flow.add(notice("anna", "3.1", RingState::ringing), "5", Millis{500});
    EXPECT_EQ(f.asked.size(), 2U);
    EXPECT_THAT(f.sent, ElementsAre("anna 1.1 ringing late", "anna 1.1 answered late",
                                    "anna 2.1 ringing confirmed", "anna 3.1 ringing confirmed"));
}

TEST(notice_flow, withheld_and_empty_numbers_are_never_asked) {
    Flow f;
    auto withheld = notice("a", "1", RingState::ringing, "+441");
    withheld.withheld = true;
    f.flow.add(withheld, "", Millis{0});
    f.flow.add(notice("a", "2", RingState::ringing, ""), "", Millis{0});
    EXPECT_THAT(f.asked, IsEmpty());
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing -", "a 2 ringing -"));
}

TEST(notice_flow, later_notices_do_not_wait) {
    Flow f;
    f.flow.add(notice("a", "1", RingState::ended), "", Millis{0});
    EXPECT_THAT(f.sent, ElementsAre("a 1 ended index"));
}

TEST(notice_flow, release_sends_what_waits) {
    Flow f;
    f.flow.add(notice("a", "1", RingState::ringing), "", Millis{0});
    f.flow.add(notice("a", "1", RingState::ended), "", Millis{0});
    f.flow.release();
    EXPECT_THAT(f.sent, ElementsAre("a 1 ringing index", "a 1 ended index"));
    EXPECT_EQ(f.flow.waiting(), 0U);
}

TEST(notice_flow, answers_are_bounded_and_survive_the_flow) {
    std::function<void(crm::Lookup)> late;
    {
        Flow f;
        for (int i = 0; i < 12000; ++i) f.flow.prefetch("+44" + std::to_string(i), "hq", Millis{i});
        EXPECT_LE(f.flow.known(), 5000U);
        f.asked.front().answer(found("x"));  // of an entry that went
        late = f.asked.back().answer;
    }
    late(found("x"));
}

TEST(call_book, whichever_comes_later_completes_the_row) {
    bridge::CallBook book;
    crm::CallRow row;
    row.id = "hq:1";
    row.pbx = "hq";
    EXPECT_EQ(book.row(row, "+441").record, "");
    EXPECT_THAT(book.found("north", "+441", found("Ann")), IsEmpty());
    EXPECT_THAT(book.found("hq", "+442", found("Ann")), IsEmpty());
    EXPECT_THAT(book.found("hq", "+441", found("Guess", crm::Quality::suffix)), IsEmpty());
    EXPECT_THAT(book.found("hq", "+441", crm::Lookup{}), IsEmpty());
    auto changed = book.found("hq", "+441", found("Ann"));
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed[0].label, "Ann");
    EXPECT_EQ(changed[0].module, "Contacts");
    EXPECT_THAT(book.found("hq", "+441", found("Other")), IsEmpty()) << "once is enough";
    row.ended = crm::Millis{5};
    EXPECT_EQ(book.row(row, "+441").record, "1Ann") << "the desk's row keeps the match";
    book.tick(crm::Millis{10});
    EXPECT_EQ(book.size(), 1U);
    book.tick(crm::Millis{700000});
    EXPECT_EQ(book.size(), 0U);
}

TEST(call_book, a_note_stays_in_the_rows_to_come_and_people_follow_their_call) {
    bridge::CallBook book;
    crm::CallRow row;
    row.id = "hq:1";
    book.row(row, "");
    crm::LegRow leg;
    leg.call = "hq:1";
    leg.jid = "anna@example.org";
    book.leg(leg);
    auto noted = *book.find("hq:1");
    noted.note = "call back";
    noted.code = "sale";
    book.noted(noted);
    EXPECT_EQ(book.row(row, "").note, "call back");
    EXPECT_TRUE(book.took_part("hq:1", "anna@example.org"));
    EXPECT_FALSE(book.took_part("hq:1", "boris@example.org"));
    EXPECT_FALSE(book.took_part("hq:9", "anna@example.org"));
    EXPECT_EQ(book.find("hq:9"), nullptr);
    crm::CallRow older;
    older.id = "hq:0";
    book.row(older, "");
    row.merged_into = "hq:0";
    book.row(row, "");
    EXPECT_EQ(book.find("hq:1")->id, "hq:0");
    EXPECT_TRUE(book.took_part("hq:1", "anna@example.org"));
}

TEST(call_book, a_record_that_the_operator_named_stays) {
    bridge::CallBook book;
    crm::CallRow row;
    row.id = "hq:1";
    row.pbx = "hq";
    row.record = "77";
    book.row(row, "+441");
    EXPECT_THAT(book.found("hq", "+441", found("Ann")), IsEmpty());
}

TEST(call_book, a_restart_ends_what_ended_meanwhile_and_remembers_the_rest) {
    auto call = [](const char* id, const char* pbx) {
        crm::CallRow row;
        row.id = id;
        row.pbx = pbx;
        row.started = crm::Millis{1000};
        row.answered = crm::Millis{2000};
        row.answered_by = "anna";
        row.caller_number = "+441";
        row.record = "7";
        return row;
    };
    bridge::CallBook book;
    for (const auto& row : {call("hq:1", "hq"), call("hq:2", "hq"), call("north:1", "north")}) {
        auto owed = bridge::owed_row(row);
        EXPECT_TRUE(bridge::is_row(owed));
        book.restore(bridge::recalled_call(owed).value());
    }
    crm::LegRow leg{.call = "hq:1",
                    .uniqueid = "1.2",
                    .jid = "anna",
                    .extension = "201",
                    .offered = crm::Millis{1500},
                    .answered = crm::Millis{2000},
                    .ended = {},
                    .cause = {}};
    book.restore(bridge::recalled_leg(bridge::owed_row(leg, "hq")).value(), "hq");
    leg.call = "hq:2";
    leg.uniqueid = "2.2";
    book.restore(bridge::recalled_leg(bridge::owed_row(leg, "hq")).value(), "hq");

    // The desk saw call 2 in the lists, as if it began now.
    crm::CallRow seen;
    seen.id = "hq:2";
    seen.pbx = "hq";
    seen.started = crm::Millis{9000};
    auto row = book.row(seen, "");
    EXPECT_EQ(row.started, crm::Millis{1000});
    EXPECT_EQ(row.answered, crm::Millis{2000});
    EXPECT_EQ(row.record, "7");
    EXPECT_EQ(row.caller_number, "+441");
    crm::LegRow seen_leg{.call = "hq:2",
                         .uniqueid = "2.2",
                         .jid = "anna",
                         .extension = "201",
                         .offered = crm::Millis{9000},
                         .answered = {},
                         .ended = {},
                         .cause = {}};
    EXPECT_EQ(book.leg(seen_leg).offered, crm::Millis{1500});

    auto rows = book.unfinished("hq", crm::Millis{4000}, crm::Millis{9500});
    ASSERT_EQ(rows.calls.size(), 1U);
    EXPECT_EQ(rows.calls[0].id, "hq:1");
    EXPECT_EQ(rows.calls[0].disposition, crm::Disposition::answered) << "that much was known";
    EXPECT_EQ(rows.calls[0].ended, crm::Millis{4000}) << "it was still seen then";
    EXPECT_EQ(rows.calls[0].ended_by, crm::Millis{9500});
    EXPECT_EQ(rows.calls[0].talk, crm::Millis{2000});
    EXPECT_EQ(rows.calls[0].answered_by, "anna");
    ASSERT_EQ(rows.legs.size(), 1U);
    EXPECT_EQ(rows.legs[0].call, "hq:1");
    EXPECT_EQ(rows.legs[0].cause, "lost");
    EXPECT_EQ(rows.legs[0].ended, crm::Millis{4000});
    EXPECT_EQ(rows.legs[0].ended_by, crm::Millis{9500});
    EXPECT_THAT(book.unfinished("hq", {}, crm::Millis{9600}).calls, IsEmpty()) << "once";

    // It ends, is forgotten, and the next sync does not end it again.
    seen.ended = crm::Millis{10000};
    EXPECT_EQ(book.row(seen, "").talk, crm::Millis{8000});
    EXPECT_EQ(book.row(seen, "").disposition, crm::Disposition::answered) << "the run before saw the answer";
    book.tick(crm::Millis{100000});
    EXPECT_THAT(book.unfinished("hq", {}, crm::Millis{100000}).calls, IsEmpty());
    EXPECT_EQ(book.unfinished("north", {}, crm::Millis{100000}).calls.size(), 1U);
}

TEST(call_book, a_call_whose_leg_goes_on_in_another_one_after_a_restart_was_merged_into_that) {
    bridge::CallBook book;
    crm::CallRow young;
    young.id = "hq:5";
    young.pbx = "hq";
    young.started = crm::Millis{1000};
    book.restore(young);
    crm::LegRow taker{.call = "hq:5",
                      .uniqueid = "5.2",
                      .jid = "boris",
                      .extension = {},
                      .offered = {},
                      .answered = {},
                      .ended = {},
                      .cause = {}};
    crm::LegRow giver = taker;
    giver.uniqueid = "5.1";
    giver.jid = "anna";
    book.restore(taker, "hq");
    book.restore(giver, "hq");

    crm::CallRow older;
    older.id = "hq:1";
    older.pbx = "hq";
    book.row(older, "");
    taker.call = "hq:1";
    EXPECT_EQ(book.leg(taker).call, "hq:1");
    EXPECT_TRUE(book.open("hq"));
    EXPECT_FALSE(book.open("north"));
    const auto rows = book.unfinished("hq", crm::Millis{2000}, crm::Millis{3000});
    ASSERT_EQ(rows.calls.size(), 1U);
    EXPECT_EQ(rows.calls[0].merged_into, "hq:1");
    EXPECT_EQ(rows.calls[0].disposition, crm::Disposition::none) << "it is not lost";
    ASSERT_EQ(rows.legs.size(), 1U);
    EXPECT_EQ(rows.legs[0].uniqueid, "5.1");
    EXPECT_EQ(rows.legs[0].call, "hq:1") << "the older call has its legs";
}

TEST(row_memory, how_long_calls_were_followed_is_kept) {
    const auto owed = bridge::owed_alive("hq", crm::Millis{1795300576074});
    EXPECT_TRUE(bridge::is_row(owed));
    EXPECT_EQ(bridge::recalled_alive(owed), crm::Millis{1795300576074});
    EXPECT_FALSE(bridge::recalled_call(owed));
}

TEST(row_memory, what_is_no_row_is_nothing) {
    EXPECT_FALSE(bridge::recalled_alive({{}, "hq", "alive", "", "<alive/>"}));
    EXPECT_FALSE(bridge::recalled_call({{}, "hq", "call x", "x", "garbage <"}));
    EXPECT_FALSE(bridge::recalled_leg({{}, "hq", "leg x", "x", "<call/>"}));
    EXPECT_FALSE(bridge::is_row({"anna@example.org", "hq", "1", "hq:1", "<ring/>"}));
    EXPECT_FALSE(bridge::recalled_call({"anna@example.org", "hq", "1", "hq:1", "<call/>"}));
}
