#include "bridge/reason_log.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::Fact;
using bridge::Reason;
using bridge::ReasonLog;
using bridge::Why;
using testing::ElementsAre;
using testing::IsEmpty;
using Key = ReasonLog::Key;

namespace {

Reason reason(int at, const std::string& call, const std::string& jid = {}, const std::string& leg = {}) {
    return {.at = std::chrono::milliseconds(at),
            .why = Why::call_answered,
            .call = call,
            .leg = leg,
            .jid = jid,
            .data = {}};
}

std::vector<int> times(const ReasonLog& log, Key key, std::string_view value) {
    std::vector<int> found;
    for (const auto& one : log.find(key, value)) found.push_back(static_cast<int>(one.reason->at.count()));
    return found;
}

TEST(reason_log, finds_by_call_channel_jid_number_and_link) {
    ReasonLog log;
    log.add(reason(1, "hq:1", "anna", "1.1"), {"+447700900123", "201"});
    log.add(reason(2, "hq:2", "anna", "2.1"));
    log.add(reason(3, "hq:1", "ben", "1.2"), {"201"});
    log.add({.at = std::chrono::milliseconds(4),
             .why = Why::link_down,
             .call = {},
             .leg = {},
             .jid = {},
             .data = {{Fact::link, "xmpp"}}});
    EXPECT_THAT(times(log, Key::call, "hq:1"), ElementsAre(1, 3));
    EXPECT_THAT(times(log, Key::leg, "2.1"), ElementsAre(2));
    EXPECT_THAT(times(log, Key::jid, "anna"), ElementsAre(1, 2));
    EXPECT_THAT(times(log, Key::number, "201"), ElementsAre(1, 3));
    EXPECT_THAT(times(log, Key::number, "+447700900123"), ElementsAre(1));
    EXPECT_THAT(times(log, Key::link, "all"), ElementsAre(4));
    EXPECT_THAT(times(log, Key::call, "anna"), IsEmpty());
    EXPECT_THAT(times(log, Key::call, ""), IsEmpty());
}

TEST(reason_log, a_merge_is_found_by_both_calls) {
    ReasonLog log;
    log.add({.at = std::chrono::milliseconds(1),
             .why = Why::merged,
             .call = "hq:1",
             .leg = {},
             .jid = {},
             .data = {{Fact::from, "hq:2"}, {Fact::into, "hq:1"}}});
    EXPECT_THAT(times(log, Key::call, "hq:1"), ElementsAre(1));
    EXPECT_THAT(times(log, Key::call, "hq:2"), ElementsAre(1));
}

TEST(reason_log, keeps_the_newest_and_says_since_when) {
    ReasonLog log({.reasons = 10}, std::chrono::milliseconds(5));
    EXPECT_EQ(log.since().count(), 5);
    for (int i = 100; i < 125; ++i) log.add(reason(i, "hq:" + std::to_string(i % 2), "anna"));
    EXPECT_EQ(log.size(), 10U);
    EXPECT_EQ(log.since().count(), 114);
    EXPECT_THAT(times(log, Key::call, "hq:1"), ElementsAre(115, 117, 119, 121, 123));
    EXPECT_EQ(times(log, Key::jid, "anna").size(), 10U);
}

TEST(reason_log, a_call_without_end_does_not_push_out_others_nor_its_own_beginning) {
    ReasonLog log({.reasons = 100, .per_call = 20, .kept_first = 5}, {});
    log.add(reason(0, "hq:other"));
    for (int i = 1; i <= 1000; ++i) log.add(reason(i, "hq:queue", "anna"));
    EXPECT_THAT(times(log, Key::call, "hq:other"), ElementsAre(0));
    const auto kept = times(log, Key::call, "hq:queue");
    ASSERT_EQ(kept.size(), 20U);
    EXPECT_THAT(std::vector(kept.begin(), kept.begin() + 6), ElementsAre(1, 2, 3, 4, 5, 986));
    EXPECT_EQ(kept.back(), 1000);
    EXPECT_EQ(times(log, Key::jid, "anna").size(), 20U);
    EXPECT_EQ(log.size(), 21U);
}

TEST(reason_log, is_bounded_in_bytes_whatever_is_in_the_texts) {
    ReasonLog log({.reasons = 100000, .bytes = 1 << 20}, {});
    std::mt19937 random(7);
    for (int i = 0; i < 4000; ++i) {
        auto one = reason(i, "hq:" + std::to_string(random() % 500), std::string(random() % 300, 'j'),
                          std::string(random() % 300, 'l'));
        one.data = {{Fact::text, std::string(random() % 5000, 'x')},
                    {Fact::name, std::string(random() % 100, 'n')}};
        log.add(std::move(one), {std::string(random() % 40, '1')});
        ASSERT_LE(log.bytes(), 1U << 20U);
    }
    EXPECT_GT(log.size(), 100U);
    std::size_t found = 0;
    for (int call = 0; call < 500; ++call) found += log.find(Key::call, "hq:" + std::to_string(call)).size();
    EXPECT_EQ(found, log.size()) << "every reason is found by its call";
}

// Against a plain list, with many small limits.
TEST(reason_log, agrees_with_a_list_of_the_newest) {
    std::mt19937 random(11);
    for (int round = 0; round < 12; ++round) {
        const std::size_t most = 1 + random() % 40;
        ReasonLog log({.reasons = most, .per_call = 1000}, {});
        std::vector<Reason> all;
        for (int i = 0; i < 200; ++i) {
            all.push_back(reason(i, "hq:" + std::to_string(random() % 6),
                                 random() % 3 == 0 ? "" : "j" + std::to_string(random() % 4)));
            log.add(all.back());
            if (all.size() > most) all.erase(all.begin());
            for (int j = 0; j < 4; ++j) {
                std::vector<int> wanted;
                for (const auto& one : all)
                    if (one.jid == "j" + std::to_string(j))
                        wanted.push_back(static_cast<int>(one.at.count()));
                ASSERT_EQ(times(log, Key::jid, "j" + std::to_string(j)), wanted);
            }
        }
    }
}

}  // namespace
