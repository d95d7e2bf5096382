#include "bridge/operator_words.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::AgentPicture;
using bridge::AgentState;
using bridge::ChatOrder;
using testing::HasSubstr;

namespace {

const std::vector<bridge::AgentReason> reasons{{"lunch", "Lunch break", 1}, {"meeting", "Meeting", 2}};

TEST(operator_words, a_line_is_a_word_and_what_is_behind_it) {
    struct Row {
        const char* line;
        ChatOrder::Kind kind;
        const char* rest;
    };
    constexpr Row rows[] = {
        {"help", ChatOrder::Kind::help, ""},
        {" ? ", ChatOrder::Kind::help, ""},
        {"Ready", ChatOrder::Kind::ready, ""},
        {"pause", ChatOrder::Kind::not_ready, ""},
        {"PAUSE  Lunch break \n", ChatOrder::Kind::not_ready, "Lunch break"},
        {"not-ready lunch", ChatOrder::Kind::not_ready, "lunch"},
        {"login", ChatOrder::Kind::login, ""},
        {"login\twindow", ChatOrder::Kind::login, "window"},
        {"logout", ChatOrder::Kind::logout, ""},
        {"dial +44 7700 900456", ChatOrder::Kind::dial, "+44 7700 900456"},
        {"call 202", ChatOrder::Kind::dial, "202"},
        {"state", ChatOrder::Kind::state, ""},
        {"", ChatOrder::Kind::unknown, ""},
        {"   ", ChatOrder::Kind::unknown, ""},
        {"readyx", ChatOrder::Kind::unknown, ""},
        {"Hello, are you there?", ChatOrder::Kind::unknown, ""},
        {"\xff\xfe", ChatOrder::Kind::unknown, ""},
    };
    for (const auto& row : rows) {
        const auto order = bridge::chat_order(row.line);
        EXPECT_EQ(order.kind, row.kind) << row.line;
        EXPECT_EQ(order.rest, row.rest) << row.line;
    }
    EXPECT_LE(bridge::chat_order("dial " + std::string(100000, '1')).rest.size(), 200U);
}

TEST(operator_words, a_reason_is_known_by_code_and_label) {
    EXPECT_EQ(bridge::reason_code("lunch", reasons), "lunch");
    EXPECT_EQ(bridge::reason_code("LUNCH BREAK", reasons), "lunch");
    EXPECT_EQ(bridge::reason_code("siesta", reasons), "siesta");
    EXPECT_EQ(bridge::reason_code("", reasons), "");
}

TEST(operator_words, how_it_stands_in_words) {
    using Service = AgentPicture::Service;
    AgentPicture picture{.state = AgentState::ready};
    EXPECT_EQ(agent_sentence(picture, reasons), "ready.");
    picture = {.state = AgentState::not_ready, .reason = "lunch"};
    EXPECT_EQ(agent_sentence(picture, reasons), "not ready (Lunch break).");
    picture = {.state = AgentState::not_ready, .reason = "client-gone", .by = "system"};
    EXPECT_EQ(agent_sentence(picture, reasons), "not ready (The operator's messenger went offline).");
    picture = {.state = AgentState::talking, .reason = "lunch", .pending = "not-ready"};
    EXPECT_EQ(agent_sentence(picture, reasons), "talking; then not ready (Lunch break).");
    picture = {.state = AgentState::wrap_up};
    EXPECT_EQ(agent_sentence(picture, reasons), "working after a call.");
    picture = {.seat = "4", .state = AgentState::not_ready, .reason = "*45\n", .by = "pbx"};
    EXPECT_EQ(agent_sentence(picture, reasons),
              "not ready (*45), by another program or the phone, on seat 4.");
    picture = {.state = AgentState::ready};
    picture.services = {Service{.name = "help", .state = Service::State::in},
                        Service{.name = "ghost", .state = Service::State::failed, .text = "No such queue"}};
    EXPECT_EQ(agent_sentence(picture, reasons), "ready. ghost: No such queue.");
}

TEST(operator_words, help_names_every_word_and_reason) {
    const auto help = bridge::chat_help(reasons);
    for (const auto* word : {"login", "ready", "pause", "logout", "state", "dial", "lunch, meeting"})
        EXPECT_THAT(help, HasSubstr(word));
    EXPECT_THAT(bridge::chat_help({}), testing::Not(HasSubstr("reasons")));
}

}  // namespace
