// Random histories of calls, delivered the way a crash and a returning host deliver them: again, and older
// ones after newer ones, over a link that breaks. What is left must be what the newest fact of each call
// says. A failure prints its seed.
#include <algorithm>
#include <random>

#include "call_log_fixture.hpp"
#include "crm/applier.hpp"
#include "cutting_proxy.hpp"

namespace {

using crm::Disposition;
using test::CuttingProxy;

class CallLogProperty : public test::CallLogTest {
 protected:
    struct History {
        std::string id;
        std::vector<crm::CallRow> facts;  // in the order they happened
    };

    static crm::CallRow next_fact(crm::CallRow row, std::mt19937& random) {
        const auto pick = [&](auto... values) {
            const std::array all = {values...};
            return all[random() % all.size()];
        };
        switch (random() % 8) {
            case 0:
                return answered(row);
            case 1:
                return ended(row, pick(Disposition::answered, Disposition::busy, Disposition::no_answer,
                                       Disposition::abandoned, Disposition::failed, Disposition::lost));
            case 2:
                row.crm_owner = pick("", "5", "6", "11", "0", "nobody", "99999");
                return row;
            case 3:
                row.record = pick("", "179", "178", "187", "12x");
                return row;
            case 4:
                row.module = pick("", "Contacts", "Accounts", "Leads");
                return row;
            case 5:
                row.note = pick("", "called back", "\xF0\x9F\x98\x80 \xff'");
                return row;
            case 6:
                row.caller_name = pick("", "A LEE", "\"OR/**/1=1#");
                return row;
            default:
                row.to_crm = pick(true, true, false);
                return row;
        }
    }
    History random_history(std::mt19937& random) {
        History out{new_id(), {}};
        auto row = inbound(out.id);
        if (random() % 3 == 0) row.direction = crm::Direction::outbound;
        const auto length = 1 + random() % 7;
        for (unsigned i = 0; i < length; ++i) {
            out.facts.push_back(row);
            row = next_fact(row, random);
        }
        if (random() % 5 == 0) out.facts.back().merged_into = "hq:older";
        return out;
    }
    // Applied at last, however often the link breaks.
    void apply(crm::Applier& applier, const crm::StoredFact& stored) {
        for (int attempt = 0; attempt < 5; ++attempt) {
            if (!applier.connected() && !applier.connect()) continue;
            const auto done = applier.apply(stored);
            if (done) return;
            ASSERT_TRUE(done.error().fault == crm::SqlFault::lost ||
                        done.error().fault == crm::SqlFault::retry)
                << done.error().text;
        }
        FAIL() << "five attempts";
    }
    void expect_newest(const History& history) {
        const auto& last = history.facts.back();
        const auto ours = in_log(history.id);
        ASSERT_EQ(ours.size(), 1U);
        auto newest = last;
        for (const auto& fact : history.facts)  // a note stays, what comes later may have none
            if (!fact.note.empty()) newest.note = fact.note;
        const auto want = crm::fact_of(newest).values;
        for (const auto* column :
             {"pbx", "linkedid", "merged_into", "direction", "caller_number", "caller_name", "dialed_number",
              "module", "record", "label", "wait_ms", "talk_ms", "disposition", "answered_by", "note"}) {
            EXPECT_EQ(ours.text(0, column), want.text(column)) << column;
            EXPECT_EQ(ours.at(0, column).has_value(),
                      !std::holds_alternative<std::monostate>(*want.find(column)))
                << column;
        }
        const bool shown = std::ranges::any_of(
            history.facts, [](const auto& fact) { return fact.to_crm && fact.merged_into.empty(); });
        const auto row = in_crm(history.id);
        ASSERT_EQ(row.size(), shown ? 1U : 0U);
        if (!shown) return;
        expect_one_row(history.id);
        EXPECT_EQ(row.text(0, "deleted"), last.merged_into.empty() ? "0" : "1");
        EXPECT_EQ(row.text(0, "direction"),
                  last.direction == crm::Direction::inbound ? "inbound" : "outbound");
        EXPECT_EQ(row.text(0, "totalduration"), last.ended ? "67" : "0");
        EXPECT_EQ(row.at(0, "endtime").has_value(), last.ended.has_value());
        EXPECT_EQ(row.text(0, "callstatus"), status(last));
        EXPECT_NE(row.text(0, "smownerid"), "0");
    }
    static std::string status(const crm::CallRow& row) {
        switch (row.disposition) {
            case Disposition::none:
                return row.answered ? "in-progress" : "ringing";
            case Disposition::answered:
                return "completed";
            case Disposition::busy:
                return "busy";
            case Disposition::failed:
                return "failed";
            case Disposition::lost:
                return row.answered ? "completed" : "no-response";
            case Disposition::no_answer:
            case Disposition::abandoned:
                return "no-answer";
        }
        return "";
    }
};

TEST_P(CallLogProperty, whatever_is_delivered_again_and_late_the_newest_fact_stands) {
    CuttingProxy proxy(server().port());
    auto with = config;
    with.crm.port = with.own.port = proxy.port();
    crm::Applier applier(with);
    std::int64_t revision = 1;
    for (unsigned seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        const auto history = random_history(random);
        std::vector<crm::StoredFact> given;
        if (random() % 2 == 0)
            proxy.cut_at(static_cast<long>(1 + random() % 120),
                         random() % 2 == 0 ? CuttingProxy::Cut::before : CuttingProxy::Cut::after);
        for (const auto& fact : history.facts) {
            given.push_back({0, ++revision, crm::fact_of(fact), true});
            apply(applier, given.back());
            while (random() % 3 == 0)
                apply(applier, given[random() % given.size()]);  // again, or an older one after it
        }
        expect_newest(history);
        if (HasFailure()) return;
    }
    expect_no_orphans();
    EXPECT_EQ(server().value("SELECT COUNT(*) FROM (SELECT sourceuuid FROM vtiger_pbxmanager GROUP BY "
                             "sourceuuid HAVING COUNT(*) > 1) twice",
                             "vtiger"),
              "0");
    EXPECT_EQ(server().value("SELECT COUNT(*) FROM (SELECT description FROM vtiger_crmentity WHERE setype = "
                             "'ModComments' AND description IS NOT NULL "
                             "GROUP BY description HAVING COUNT(*) > 1) twice",
                             "vtiger"),
              "0");
}

INSTANTIATE_TEST_SUITE_P(Place, CallLogProperty, test::all_places, test::place_name);

}  // namespace
