// What an operator may see: each rule, and every surface on which it has to hold.
#include "bridge/sight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/stanzas.hpp"

using bridge::Notice;
using bridge::Recipient;
using bridge::RingState;
using bridge::Sight;
using bridge::SightConfig;
using States = bridge::SightConfig::States;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string anna = "anna@example.org", ben = "ben@example.org", eve = "eve@example.org",
                  boss = "boss@example.org", admin = "admin@example.org";

// Anna and Ben work together, the boss supervises Anna, Eve is somewhere else.
Sight sight_of(SightConfig config) {
    Sight sight(
        {.is_administrator = [](std::string_view jid) { return jid == admin; },
         .may_act_for = [](std::string_view by,
                           std::string_view jid) { return by == admin || (by == boss && jid == anna); },
         .are_colleagues =
             [](std::string_view one, std::string_view other) {
                 return (one == anna && other == ben) || (one == ben && other == anna);
             }});
    sight.configure(std::move(config));
    return sight;
}

Notice ring(const std::string& to = anna) {
    Notice notice;
    notice.to = to;
    notice.pbx = "hq";
    notice.leg = "1.1";
    notice.id = "hq:1.0";
    notice.party_number = "+420736763072";
    notice.party_name = "Pavel 736 763 072";
    notice.dialed = "0207946201";
    notice.queue = "secret-queue";
    notice.service = "help line";
    notice.page = "https://crm.example.org/find?n={number}&q={queue}";
    notice.variables = {{"caller", "00420736763072"}, {"menu", "4711"}};
    return notice;
}

crm::Lookup known() {
    crm::Lookup lookup;
    lookup.number.e164 = "+420736763072";
    lookup.number.digits = "420736763072";
    lookup.create = "https://crm.example.org/new?phone=%2B420736763072";
    lookup.create_module = "Leads";
    return lookup;
}

TEST(sight, a_number_is_masked_where_it_tells_who_it_is) {
    const std::pair<const char*, const char*> all[] = {{"+420736763072", "+42073676xxxx"},
                                                       {"0207 946 0201", "0207 946 xxxx"},
                                                       {"123", "xxx"},
                                                       {"", ""},
                                                       {"anonymous", "anonymous"}};
    for (const auto& [number, shown] : all) EXPECT_EQ(bridge::masked_number(number), shown);
}

struct Rule {
    const char* name;
    SightConfig config;
    void (*change)(Notice&);
    bool shows_number, shows_queue;
};
const Rule rules[] = {
    {"nothing is hidden", {}, nullptr, true, true},
    {"queues", {.queues = false, .masked = {}}, nullptr, true, false},
    {"its service", {.masked = {"help line"}}, nullptr, false, true},
    {"another service", {.masked = {"order line"}}, nullptr, true, true},
    {"every call", {.masked = {"*"}}, nullptr, false, true},
    {"every call, of no service", {.masked = {"*"}}, [](Notice& n) { n.service.clear(); }, false, true},
    {"a call of no service", {.masked = {"help line", ""}}, [](Notice& n) { n.service.clear(); }, true, true},
    {"a colleague's call",
     {.masked = {"*"}},
     [](Notice& n) { n.direction = bridge::Direction::internal; },
     true,
     true},
    {"an own call",
     {.masked = {"*"}},
     [](Notice& n) {
         n.direction = bridge::Direction::outbound;
         n.dialed = "+420736763072";
     },
     false,
     true},
    {"both", {.queues = false, .masked = {"*"}}, nullptr, false, false},
    {"both, and an administrator",
     {.queues = false, .masked = {"*"}},
     [](Notice& n) { n.to = admin; },
     true,
     true},
};

// <call/>, the message with everything (body, link, Spark's event), the missed call, the past.
TEST(sight, holds_on_every_surface_a_call_is_shown_on) {
    for (const auto& rule : rules) {
        const auto sight = sight_of(rule.config);
        const bridge::Stanzas stanzas(
            {.component = "cti.example.org", .epoch = "1", .devices = {}, .sight = &sight});
        auto notice = ring();
        if (rule.change != nullptr) rule.change(notice);
        const Recipient everything{
            .to = notice.to, .call = true, .phone_event = true, .body = true, .phone_call_id = "1"};
        auto missed = notice;
        missed.state = RingState::ended;
        missed.cause = bridge::Cause::cancelled;
        std::string all = stanzas.call(notice, known()) + stanzas.notice(notice, known(), everything) +
                          stanzas.notice(missed, known(), everything) + stanzas.call(missed, {});
        notice.page.clear();
        all += stanzas.notice(notice, known(), everything);
        for (const auto* tail : {"763072", "63 072", "763 072"}) {
            if (rule.shows_number) continue;
            EXPECT_THAT(all, Not(HasSubstr(tail))) << rule.name;
        }
        EXPECT_EQ(all.find("+420736763072") != std::string::npos, rule.shows_number) << rule.name;
        EXPECT_EQ(all.find("+42073676xxxx") != std::string::npos, !rule.shows_number) << rule.name;
        EXPECT_EQ(all.find("secret-queue") != std::string::npos, rule.shows_queue) << rule.name;
        EXPECT_THAT(all, HasSubstr("4711")) << rule.name << ": what tells no number stays";
    }
}

TEST(sight, a_withheld_number_and_an_extension_stay_what_they_are) {
    const auto sight = sight_of({.masked = {"*"}});
    auto withheld = ring();
    withheld.withheld = true;
    withheld.party_number = "anonymous";
    EXPECT_FALSE(sight.limits(withheld));
    auto extension = ring();
    extension.party_number = "202";
    crm::Lookup lookup;
    sight.limit(extension, lookup);
    EXPECT_EQ(extension.party_number, "202");
}

TEST(sight, states_of_others_are_seen_by_policy) {
    struct Row {
        States states;
        std::string asker, other;
        bool sees;
    };
    const Row rows[] = {
        {States::everybody, eve, anna, true},   {States::colleagues, eve, anna, false},
        {States::colleagues, ben, anna, true},  {States::colleagues, boss, anna, true},
        {States::colleagues, boss, ben, false}, {States::colleagues, admin, eve, true},
        {States::nobody, ben, anna, false},     {States::nobody, boss, anna, true},
        {States::nobody, boss, ben, false},     {States::nobody, admin, anna, true},
        {States::nobody, anna, anna, true},     {States::colleagues, eve, eve, true},
    };
    for (const auto& row : rows)
        EXPECT_EQ(sight_of({.states = row.states, .masked = {}}).sees_state(row.asker, row.other), row.sees)
            << row.asker << " of " << row.other << " " << static_cast<int>(row.states);
    EXPECT_TRUE(sight_of({}).sees_free_line("somebody@example.org", false));
    EXPECT_TRUE(sight_of({.states = States::colleagues, .masked = {}}).sees_free_line(eve, true));
    EXPECT_FALSE(
        sight_of({.states = States::colleagues, .masked = {}}).sees_free_line("somebody@example.org", false));
    EXPECT_FALSE(sight_of({.states = States::nobody, .masked = {}}).sees_free_line(eve, true));
    EXPECT_TRUE(sight_of({.states = States::nobody, .masked = {}}).sees_free_line(admin, false));
}

}  // namespace
