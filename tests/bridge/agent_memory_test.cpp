#include "bridge/agent_memory.hpp"

#include <gtest/gtest.h>

#include "bridge/row_memory.hpp"

using bridge::AgentBase;
using bridge::AgentMemory;
using bridge::Millis;
using bridge::recalled_agent;

namespace {

AgentMemory anna() {
    AgentMemory memory{.jid = "anna@example.org",
                       .seat = "by <the> \"window\"",
                       .reason = "lunch & more",
                       .by = "clara@example.org",
                       .base = AgentBase::not_ready,
                       .resume = AgentBase::ready,
                       .since = Millis{1795348800000},
                       .wrap_until = Millis{1795348860000},
                       .watched = true,
                       .joined = true,
                       .members = {}};
    memory.members = {
        {.queue = "help", .interface = "PJSIP/201", .reason = "lunch", .in = true, .added = true},
        {.queue = "orders",
         .interface = "Local/201@q/n",
         .paused = true,
         .held = true,
         .wrap_up = true,
         .followed = true}};
    return memory;
}

TEST(agent_memory, comes_back_as_it_was) {
    const auto owed = owed_agent(anna(), "hq");
    EXPECT_EQ(owed.pbx, "hq");
    EXPECT_TRUE(bridge::is_row(owed)) << "it is no notice";
    const auto back = recalled_agent(owed);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, anna());
}

TEST(agent_memory, is_one_row_per_operator_and_exchange) {
    auto other = anna();
    other.base = AgentBase::out;
    EXPECT_EQ(owed_agent(anna(), "hq").leg, owed_agent(other, "hq").leg);
    other.jid = "boris@example.org";
    EXPECT_NE(owed_agent(anna(), "hq").leg, owed_agent(other, "hq").leg);
}

TEST(agent_memory, is_not_taken_for_a_row_of_a_call_nor_the_other_way_round) {
    const auto owed = owed_agent(anna(), "hq");
    EXPECT_FALSE(bridge::recalled_call(owed));
    EXPECT_FALSE(bridge::recalled_leg(owed));
    crm::CallRow call;
    call.id = "hq:1";
    call.pbx = "hq";
    EXPECT_FALSE(recalled_agent(bridge::owed_row(call)));
    crm::LegRow leg;
    leg.call = "hq:1";
    leg.uniqueid = "1";
    EXPECT_FALSE(recalled_agent(bridge::owed_row(leg, "hq")));
    EXPECT_FALSE(recalled_agent({"anna@example.org", "hq", "agent x", "x", "<agent/>"}));
}

TEST(agent_memory, what_cannot_be_read_is_none) {
    for (const auto* text : {"", "<agent", "agent", "<ring/>"}) {
        auto owed = owed_agent(anna(), "hq");
        owed.stanza = text;
        EXPECT_FALSE(recalled_agent(owed)) << text;
    }
}

TEST(agent_memory, may_be_forgotten_when_nothing_is_left) {
    EXPECT_FALSE(is_blank(anna()));
    AgentMemory blank{.jid = "anna@example.org", .members = {}};
    EXPECT_TRUE(is_blank(blank));
    auto seated = blank;
    seated.seat = "4";
    EXPECT_FALSE(is_blank(seated));
    auto member = blank;
    member.members = {{.queue = "help"}};
    EXPECT_FALSE(is_blank(member));
    auto resumes = blank;
    resumes.resume = AgentBase::ready;
    EXPECT_FALSE(is_blank(resumes));
}

}  // namespace
