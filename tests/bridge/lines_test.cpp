// The state of phone lines.
#include "bridge/lines.hpp"

#include <gtest/gtest.h>

using bridge::Lines;
using bridge::LineState;
using bridge::Millis;

namespace {

void change(Lines& lines, const std::string& device, const std::string& state, int at = 0) {
    const std::vector<ami::Header> flat{{"Event", "DeviceStateChange"}, {"Device", device}, {"State", state}};
    lines.apply(ami::Message(ami::Message::Kind::event, flat), Millis(at));
}

TEST(lines, every_word_of_asterisk_has_its_meaning) {
    const std::pair<const char*, LineState> words[] = {{"NOT_INUSE", LineState::idle},
                                                       {"INUSE", LineState::busy},
                                                       {"BUSY", LineState::busy},
                                                       {"RINGING", LineState::ringing},
                                                       {"RINGINUSE", LineState::busy},
                                                       {"ONHOLD", LineState::held},
                                                       {"UNAVAILABLE", LineState::unavailable},
                                                       {"INVALID", LineState::unavailable},
                                                       {"UNKNOWN", LineState::unknown},
                                                       {"", LineState::unknown}};
    for (const auto& [word, state] : words) {
        Lines lines;
        change(lines, "PJSIP/201", word);
        const std::string devices[] = {"PJSIP/201"};
        EXPECT_EQ(lines.of(devices).state, state) << word;
    }
}

TEST(lines, of_several_phones_the_busiest_counts_and_changes_are_dated) {
    Lines lines;
    const std::string devices[] = {"PJSIP/201", "SIP/201", "PJSIP/anna-desk"};
    EXPECT_EQ(lines.of(devices).state, LineState::unknown);
    change(lines, "PJSIP/201", "UNAVAILABLE");
    change(lines, "PJSIP/anna-desk", "NOT_INUSE");
    EXPECT_EQ(lines.of(devices).state, LineState::idle);
    EXPECT_EQ(lines.of(devices).since, Millis(0));
    change(lines, "PJSIP/anna-desk", "RINGING", 5000);
    change(lines, "PJSIP/anna-desk", "RINGING", 6000);
    EXPECT_EQ(lines.of(devices).state, LineState::ringing);
    EXPECT_EQ(lines.of(devices).since, Millis(5000));
    lines.link_lost();
    EXPECT_EQ(lines.of(devices).state, LineState::unknown);
}

TEST(lines, made_up_devices_do_not_fill_the_memory) {
    Lines lines;
    change(lines, "Local/201@from-internal", "INUSE");
    const std::string devices[] = {"Local/201@from-internal"};
    EXPECT_EQ(lines.of(devices).state, LineState::unknown);
}

}  // namespace
