#include "crm/visibility.hpp"

#include <gtest/gtest.h>

namespace {

using crm::VisibilityAnswers;
using namespace std::chrono_literals;
using Time = VisibilityAnswers::Time;

const Time noon = Time{} + std::chrono::hours(12);

TEST(VisibilityAnswers, nobody_knows_what_was_never_asked) {
    const VisibilityAnswers answers;
    EXPECT_EQ(answers.last("5", "Contacts/7"), std::nullopt);
    EXPECT_EQ(answers.fresh("5", "Contacts/7", noon), std::nullopt);
    EXPECT_FALSE(answers.viewers_fresh("Contacts/7", noon));
}

TEST(VisibilityAnswers, an_answer_is_fresh_for_a_minute_and_known_after_it) {
    VisibilityAnswers answers;
    answers.put("5", "Contacts/7", true, noon);
    EXPECT_EQ(answers.fresh("5", "Contacts/7", noon + 59s), true);
    EXPECT_EQ(answers.fresh("5", "Contacts/7", noon + 60s), std::nullopt);
    EXPECT_EQ(answers.last("5", "Contacts/7"), true);
    EXPECT_EQ(answers.last("6", "Contacts/7"), std::nullopt);
    EXPECT_EQ(answers.last("5", "Leads/7"), std::nullopt);
}

TEST(VisibilityAnswers, the_list_of_viewers_answers_for_everybody) {
    VisibilityAnswers answers;
    answers.put("5", "Contacts/7", false, noon);
    answers.put_viewers("Contacts/7", {"5", "6"}, noon + 1s);
    EXPECT_EQ(answers.fresh("5", "Contacts/7", noon + 2s), true);
    EXPECT_EQ(answers.fresh("7", "Contacts/7", noon + 2s), false);
    EXPECT_TRUE(answers.viewers_fresh("Contacts/7", noon + 60s));
    EXPECT_FALSE(answers.viewers_fresh("Contacts/7", noon + 61s));
    answers.put("7", "Contacts/7", true, noon + 3s);  // asked later alone
    EXPECT_EQ(answers.last("7", "Contacts/7"), true);
}

TEST(VisibilityAnswers, what_comes_from_the_disk_is_known_and_not_fresh) {
    VisibilityAnswers answers;
    answers.put_old({{{"5", "Contacts/7"}, true}});
    EXPECT_EQ(answers.last("5", "Contacts/7"), true);
    EXPECT_EQ(answers.fresh("5", "Contacts/7", noon), std::nullopt);
}

TEST(VisibilityAnswers, doubt_makes_all_be_asked_again_and_a_changed_record_is_forgotten) {
    VisibilityAnswers answers;
    answers.put("5", "#1", true, noon);
    answers.put_viewers("#2", {"5"}, noon);
    answers.doubt();
    EXPECT_EQ(answers.fresh("5", "#1", noon), std::nullopt);
    EXPECT_FALSE(answers.viewers_fresh("#2", noon));
    EXPECT_EQ(answers.last("5", "#2"), true);
    answers.forget("#1");
    EXPECT_EQ(answers.last("5", "#1"), std::nullopt);
}

TEST(VisibilityAnswers, are_bounded_and_what_was_used_lately_stays) {
    VisibilityAnswers answers(100);
    for (int i = 0; i < 10'000; ++i) {
        const auto now = noon + std::chrono::milliseconds(i);
        answers.put_viewers("#" + std::to_string(i), {"5"}, now);
        EXPECT_EQ(answers.fresh("5", "#0", now), true) << i;
        ASSERT_LE(answers.subjects(), 100U);
    }
    EXPECT_EQ(answers.last("5", "#5"), std::nullopt);
    EXPECT_EQ(answers.last("5", "#9999"), true);
}

}  // namespace
