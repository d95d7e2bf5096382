#include "ami/message.hpp"

#include <array>

#include <gtest/gtest.h>

TEST(message, finds_headers_without_regard_to_case) {
    const std::array<ami::Header, 3> headers{{{"Event", "Newchannel"}, {"Variable", "a"}, {"Variable", "b"}}};
    const ami::Message message(ami::Message::Kind::event, headers);
    EXPECT_EQ(message.name(), "Newchannel");
    EXPECT_EQ(message.get("variable"), "a");
    EXPECT_FALSE(message.find("Channel"));
}
