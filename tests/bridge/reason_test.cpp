#include "bridge/reason.hpp"

#include <gtest/gtest.h>

namespace {

TEST(reason, every_one_has_a_name_and_a_sentence) {
    for (int i = 0; i <= static_cast<int>(bridge::Why::refused_request); ++i) {
        const auto why = static_cast<bridge::Why>(i);
        EXPECT_NE(bridge::to_string(why), "unknown") << i;
        EXPECT_TRUE(bridge::sentence({.at = {},
                                      .why = why,
                                      .call = "hq:1.0",
                                      .leg = "1.1",
                                      .jid = "anna@example.org",
                                      .data = "x"})
                        .ends_with('.'))
            << i;
    }
}

TEST(reason, the_sentence_names_the_fact) {
    EXPECT_EQ(bridge::sentence({.at = {},
                                .why = bridge::Why::ended_with_cause,
                                .call = "hq:1.0",
                                .leg = "1.1",
                                .jid = "anna@example.org",
                                .data = "busy: Hangup cause 17"}),
              "Channel 1.1 of anna@example.org ended: busy: Hangup cause 17.");
}

}  // namespace
