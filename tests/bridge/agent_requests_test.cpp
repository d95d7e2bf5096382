#include "bridge/agent_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::AgentRefusal;
using bridge::AgentRequest;
using bridge::Millis;
using testing::HasSubstr;
using Kind = AgentRequest::Kind;

namespace {

std::expected<AgentRequest, std::string> asked(const char* attributes) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string((std::string("<agent ") + attributes + "/>").c_str()));
    return bridge::agent_request_of(document.child("agent"));
}

TEST(agent_requests, attributes_say_what_is_asked_for) {
    struct Row {
        const char* attributes;
        Kind kind;
        const char *reason, *seat;
        Millis extend;
    };
    constexpr Row rows[] = {
        {"state='ready'", Kind::ready, "", "", Millis{0}},
        {"state='ready' seat='4'", Kind::ready, "", "4", Millis{0}},
        {"state='not-ready'", Kind::not_ready, "", "", Millis{0}},
        {"state='not-ready' reason='lunch'", Kind::not_ready, "lunch", "", Millis{0}},
        {"state='logged-out'", Kind::logged_out, "", "", Millis{0}},
        {"seat='4'", Kind::seat, "", "4", Millis{0}},
        {"seat=''", Kind::seat, "", "", Millis{0}},
        {"extend='90s'", Kind::extend, "", "", Millis{90000}},
    };
    for (const auto& row : rows) {
        const auto request = asked(row.attributes);
        ASSERT_TRUE(request) << row.attributes << ": " << request.error();
        EXPECT_EQ(request->kind, row.kind) << row.attributes;
        EXPECT_EQ(request->reason, row.reason) << row.attributes;
        EXPECT_EQ(request->seat, row.seat) << row.attributes;
        EXPECT_EQ(request->extend, row.extend) << row.attributes;
    }
}

TEST(agent_requests, what_says_nothing_or_two_things_is_told_so) {
    struct Row {
        const char *attributes, *text;
    };
    constexpr Row rows[] = {
        {"", "`state`, `seat` or `extend`"},
        {"reason='lunch'", "`state`, `seat` or `extend`"},
        {"state='asleep'", "`asleep` cannot be asked for; ask for ready, not-ready, logged-out"},
        {"state='ringing'", "cannot be asked for"},
        {"state='&#10;'", "`\\x0A` cannot be asked for"},
        {"state='ready' reason='lunch'", "only not-ready has a reason"},
        {"state='ready' extend='60s'", "two requests"},
        {"seat='4' extend='60s'", "two requests"},
        {"extend='soon'", "`extend` "},
        {"extend='-5s'", "`extend` "},
    };
    for (const auto& row : rows) {
        const auto request = asked(row.attributes);
        ASSERT_FALSE(request) << row.attributes;
        EXPECT_THAT(request.error(), HasSubstr(row.text)) << row.attributes;
    }
}

TEST(agent_requests, every_refusal_has_the_condition_of_its_name) {
    for (auto refusal :
         {AgentRefusal::bad_request, AgentRefusal::conflict, AgentRefusal::forbidden,
          AgentRefusal::item_not_found, AgentRefusal::not_acceptable, AgentRefusal::not_allowed,
          AgentRefusal::service_unavailable, AgentRefusal::timeout, AgentRefusal::undefined})
        EXPECT_EQ(xmpp::to_string(bridge::condition_of(refusal)), bridge::to_string(refusal));
}

}  // namespace
