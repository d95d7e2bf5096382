#include "bridge/link.hpp"

#include <gtest/gtest.h>

TEST(clock, steady_time_does_not_go_back) { EXPECT_LE(bridge::steady_now(), bridge::steady_now()); }
