#include "bridge/reason.hpp"

#include <gtest/gtest.h>

TEST(reason, begins_empty) { EXPECT_TRUE(bridge::Reason{}.call.empty()); }
