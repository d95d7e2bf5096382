// An operator's calls by ad-hoc commands: what is offered, shown and ordered.
#include "bridge/call_commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bridge/command_office.hpp"

using bridge::CallAction;
using bridge::CallCommands;
using bridge::CallRequests;
using bridge::Notice;
using bridge::RingState;
using command_test::CommandOffice;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Notice call(const std::string& id, const std::string& leg, const std::string& number,
            RingState state = RingState::answered) {
    Notice notice;
    notice.to = "anna@example.org";
    notice.id = id;
    notice.leg = leg;
    notice.state = state;
    notice.party_number = number;
    notice.actions = "hangup transfer";
    return notice;
}

struct Desk : CommandOffice {
    crm::Operator anna{.jid = "anna@example.org", .pbx = "hq", .extension = "201"};
    crm::Operator timesheet{.jid = "hugo@example.org", .role = crm::Role::application};
    std::vector<Notice> calls;
    std::vector<CallRequests::Asking> asked;
    std::optional<bridge::CallActionRefusal> refuses;
    CallCommands own{{.operator_of =
                          [this](std::string_view jid) {
                              return jid == anna.jid ? &anna : jid == timesheet.jid ? &timesheet : nullptr;
                          },
                      .calls = [this](std::string_view) { return calls; },
                      .ask =
                          [this](const CallRequests::Asking& asking, CallRequests::Told told) {
                              asked.push_back(asking);
                              told(refuses ? &*refuses : nullptr, {});
                          },
                      .seen = [](std::string_view, std::string_view) {}}};
    Desk() { open(own); }
};

TEST(call_commands, only_who_has_a_phone_is_offered_them) {
    Desk desk;
    EXPECT_THAT(desk.offered("anna@example.org"), ElementsAre("calls", "hangup", "transfer"));
    EXPECT_THAT(desk.offered("hugo@example.org"), IsEmpty());
    EXPECT_THAT(desk.offered("stranger@example.org"), IsEmpty());
    EXPECT_THAT(desk.run("stranger@example.org", "hangup"), HasSubstr("<forbidden"));
    desk.anna.active = false;
    EXPECT_THAT(desk.run("anna@example.org", "calls"), HasSubstr("<forbidden"));
    EXPECT_TRUE(desk.asked.empty());
}

TEST(call_commands, every_call_is_a_row_and_text_of_others_stays_text) {
    Desk desk;
    EXPECT_THAT(desk.run("anna@example.org", "calls"), HasSubstr("You have no call."));
    desk.calls = {call("hq:1.0", "1.1", "+420736763072"), call("hq:2.0", "2.1", "")};
    desk.calls[0].party_name = "<b>Eve</b>";
    desk.calls[1].withheld = true;
    const auto answer = desk.run("anna@example.org", "calls");
    EXPECT_THAT(answer, HasSubstr("&lt;b&gt;Eve&lt;/b&gt; (+420736763072)"));
    EXPECT_THAT(answer, HasSubstr("<value>withheld</value>"));
    EXPECT_THAT(answer, HasSubstr("<value>hangup transfer</value>"));
}

TEST(call_commands, an_order_names_the_ring_or_means_the_only_one) {
    Desk desk;
    EXPECT_THAT(desk.run("anna@example.org", "hangup", {{"call", ""}}), HasSubstr("You have no call."));
    desk.calls = {call("hq:1.0", "1.1", "202")};
    EXPECT_THAT(desk.run("anna@example.org", "hangup", {{"call", ""}}), HasSubstr("Hung up."));
    desk.calls.push_back(call("hq:2.0", "2.1", "203"));
    EXPECT_THAT(desk.run("anna@example.org", "hangup", {{"call", ""}}), HasSubstr("several calls"));
    EXPECT_THAT(desk.run("anna@example.org", "hangup", {{"call", "hq:9.0 9.1"}}),
                HasSubstr("none of the choices"));
    ASSERT_EQ(desk.asked.size(), 1U);
    EXPECT_EQ(desk.asked[0].id + " " + desk.asked[0].leg, "hq:1.0 1.1");
    EXPECT_EQ(desk.asked[0].by, "anna@example.org");
    EXPECT_EQ(desk.asked[0].on_behalf_of, "");
    desk.run("anna@example.org", "hangup", {{"call", "hq:2.0 2.1"}});
    EXPECT_EQ(desk.asked.at(1).id + " " + desk.asked.at(1).leg, "hq:2.0 2.1");
}

TEST(call_commands, every_mode_of_a_transfer_is_its_action) {
    const std::pair<const char*, CallAction> modes[] = {{"blind", CallAction::blind},
                                                        {"attended", CallAction::attended},
                                                        {"complete", CallAction::complete},
                                                        {"cancel", CallAction::cancel}};
    for (const auto& [mode, action] : modes) {
        Desk desk;
        desk.calls = {call("hq:1.0", "1.1", "202")};
        const auto answer = desk.run("anna@example.org", "transfer", {{"mode", mode}, {"to", "203"}});
        EXPECT_THAT(answer, HasSubstr("type='info'")) << mode;
        ASSERT_EQ(desk.asked.size(), 1U);
        EXPECT_EQ(desk.asked[0].control, action) << mode;
        EXPECT_EQ(desk.asked[0].to, "203");
    }
    Desk desk;
    EXPECT_THAT(desk.run("anna@example.org", "transfer", {{"mode", "magic"}}),
                HasSubstr("none of the choices"));
    EXPECT_TRUE(desk.asked.empty());
}

TEST(call_commands, a_refusal_is_the_note_of_the_answer) {
    Desk desk;
    desk.calls = {call("hq:1.0", "1.1", "202")};
    desk.refuses = {"state", xmpp::Condition::conflict, "this call is held"};
    const auto answer = desk.run("anna@example.org", "hangup", {{"call", ""}});
    EXPECT_THAT(answer, HasSubstr("<note type='error'>this call is held</note>"));
}

}  // namespace
