#include "crm/types.hpp"

#include <gtest/gtest.h>

TEST(types, a_fresh_match_is_exact) {
    EXPECT_EQ(crm::Match{}.quality, crm::Quality::exact);
}
