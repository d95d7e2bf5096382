// Administrators' ad-hoc commands: who sees them, what they show and do.
#include "bridge/administrator_commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bridge/command_office.hpp"

using bridge::AdministratorCommands;
using bridge::DialSwitch;
using bridge::Millis;
using command_test::CommandOffice;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

const std::string admin = "admin@example.org", anna = "anna@example.org";

struct House : CommandOffice {
    DialSwitch dialing{{.keep = [](const crm::Owed&) {}, .drop = [](const crm::Owed&) {}}};
    std::expected<std::string, std::string> read = "dialing and pop are applied";
    std::vector<std::string> explained, switched;
    AdministratorCommands own{
        {.is_administrator = [](std::string_view jid) { return jid == admin; },
         .status = [] { return "Links\n  pbx:hq up\nCalls 2\n"; },
         .explain =
             [this](const std::string& of) {
                 explained.push_back(of);
                 return "No pop: <anna> is not active\n";
             },
         .operators =
             [] {
                 return std::vector<crm::Operator>{
                     {.jid = anna, .pbx = "hq", .extension = "201", .name = "Anna"},
                     {.jid = "gone@example.org", .active = false}};
             },
         .agent = [](std::string_view jid) { return std::string(jid == anna ? "ready." : ""); },
         .services =
             [] {
                 return std::vector<crm::Service>{
                     {.name = "help line", .contexts = {"from-help", "from-night"}, .queue = "help"}};
             },
         .reload = [this] { return read; },
         .pbx_names = [] { return std::vector<std::string>{"hq", "branch"}; },
         .dialing = [this]() -> const DialSwitch& { return dialing; },
         .switch_dialing =
             [this](const std::string& pbx, bool on, const std::string& by) {
                 switched.push_back(pbx + (on ? " on " : " off ") + by);
                 dialing.set(pbx, on, by, Millis{1795348800000});
             }}};
    House() { open(own); }
};

TEST(administrator_commands, nobody_else_sees_them_or_may_run_them) {
    House house;
    EXPECT_THAT(house.offered(admin),
                ElementsAre("status", "operators", "services", "explain", "reload", "dialing"));
    EXPECT_THAT(house.offered(anna), IsEmpty());
    for (const auto& node : house.offered(admin))
        EXPECT_THAT(house.run(anna, node, {{"state", "off"}, {"of", "x"}}), HasSubstr("<forbidden")) << node;
    EXPECT_TRUE(house.switched.empty());
    EXPECT_TRUE(house.explained.empty());
}

TEST(administrator_commands, what_is_asked_comes_as_rows) {
    House house;
    EXPECT_THAT(house.run(admin, "status"),
                AllOf(HasSubstr("<value>Links</value>"), HasSubstr("<value>  pbx:hq up</value>"),
                      HasSubstr("<value>Calls 2</value>")));
    EXPECT_THAT(house.run(admin, "operators"),
                AllOf(HasSubstr("<value>anna@example.org</value>"), HasSubstr("<value>ready.</value>"),
                      HasSubstr("<value>no</value>")));
    EXPECT_THAT(house.run(admin, "services"), AllOf(HasSubstr("<value>help line</value>"),
                                                    HasSubstr("<value>from-help from-night</value>")));
    EXPECT_THAT(house.run(admin, "explain", {{"of", anna}}),
                HasSubstr("<value>No pop: &lt;anna&gt; is not active</value>"));
    EXPECT_THAT(house.explained, ElementsAre(anna));
    EXPECT_THAT(house.run(admin, "explain", {{"of", ""}}), HasSubstr("is missing"));
}

TEST(administrator_commands, a_wrong_file_is_an_error_that_says_where) {
    House house;
    EXPECT_THAT(house.run(admin, "reload"),
                HasSubstr("<note type='info'>dialing and pop are applied</note>"));
    house.read = std::unexpected("the file has faults: x.yaml:3");
    EXPECT_THAT(house.run(admin, "reload"),
                HasSubstr("<note type='error'>the file has faults: x.yaml:3</note>"));
}

TEST(administrator_commands, dialing_is_shown_and_switched_for_all_or_one) {
    House house;
    EXPECT_THAT(house.run(admin, "dialing"),
                AllOf(HasSubstr("type='form'"), HasSubstr("<value>branch</value>")));
    EXPECT_THAT(house.run(admin, "dialing", {{"state", ""}}),
                AllOf(HasSubstr("<value>on</value>"), Not(HasSubstr("<value>off</value>"))));
    EXPECT_TRUE(house.switched.empty());
    EXPECT_THAT(
        house.run(admin, "dialing", {{"state", "off"}, {"pbx", "branch"}}),
        AllOf(HasSubstr("switched off at branch"), HasSubstr("<value>2026-11-22T12:00:00.000Z</value>"),
              HasSubstr("<value>admin@example.org</value>"), HasSubstr("<value>on</value>")));
    EXPECT_THAT(house.run(admin, "dialing", {{"state", "off"}}), HasSubstr("switched off everywhere"));
    EXPECT_THAT(house.run(admin, "dialing", {{"state", "on"}}), Not(HasSubstr("<value>off</value>")));
    EXPECT_THAT(house.run(admin, "dialing", {{"state", "off"}, {"pbx", "elsewhere"}}),
                HasSubstr("none of the choices"));
    EXPECT_THAT(house.switched, ElementsAre("branch off admin@example.org", " off admin@example.org",
                                            " on admin@example.org"));
}

}  // namespace
