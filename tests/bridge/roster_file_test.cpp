// The YAML file of import and export: what it may hold, what its faults say, there and back again.
#include "bridge/roster_file.hpp"

#include <fstream>
#include <random>

#include <gmock/gmock.h>

#include "crm/roster.hpp"

namespace bridge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RosterFile : public testing::Test {
 protected:
    std::filesystem::path write(const std::string& text) {
        const auto file = std::filesystem::path(testing::TempDir()) /
                          (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
                           std::to_string(::getpid()) + ".yaml");
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
        files_.push_back(file);
        return file;
    }
    ~RosterFile() override {
        for (const auto& file : files_) std::filesystem::remove(file);
    }
    std::vector<std::filesystem::path> files_;
    RosterSite site{{"hq", "branch"}, {"crmapp"}};
};

const char* const everything = R"file(
operators:
  - {jid: Anna@Example.org, crm_user: "5", pbx: hq, extension: "201", devices: [PJSIP/anna-desk], name: "Anna: K", role: supervisor}
  - {jid: timesheet@example.org, role: application, active: false}
services:
  - name: support line
    pbx: hq
    contexts: [from-support, from-night]
    queue: support
    language: en
    skill: billing
    variables: [ticket, "CDR(calldata)"]
    pop: {rule: answered, modules: [Accounts, Contacts], url: "https://x.example/?t={variable:ticket}"}
    wrap_up: {time: 90s, codes: [{code: sale, label: "Sold, \"yes\""}, {code: no}]}
    operators:
      - {jid: anna@example.org, penalty: 2, supervisor: true}
      - {jid: bob@example.org}
  - {name: campaign, pbx: branch, direction: outbound, contexts: [dial-out], caller_id: "Sales <02079460100>", enabled: false}
seats:
  - {id: "4", pbx: hq, extension: "204", devices: [PJSIP/seat4], keys: ["AA:BB:CC:00:11:22", desk4.Example.org], place: "by the window"}
)file";

TEST_F(RosterFile, holds_operators_services_and_seats) {
    const auto roster = load_roster(write(everything), site);
    ASSERT_TRUE(roster) << testing::PrintToString(roster.error());
    ASSERT_EQ(roster->operators.size(), 2U);
    const auto& anna = roster->operators[0];
    EXPECT_EQ(anna.jid, "anna@example.org");
    EXPECT_EQ(anna.role, crm::Role::supervisor);
    EXPECT_THAT(anna.devices, ElementsAre("PJSIP/anna-desk"));
    EXPECT_FALSE(roster->operators[1].active);
    ASSERT_EQ(roster->services.size(), 2U);  // sorted by name
    EXPECT_EQ(roster->services[0].direction, crm::Direction::outbound);
    EXPECT_FALSE(roster->services[0].enabled);
    const auto& support = roster->services[1];
    EXPECT_THAT(support.contexts, ElementsAre("from-support", "from-night"));
    EXPECT_THAT(support.variables, ElementsAre("ticket", "CDR(calldata)"));
    EXPECT_EQ(support.pop, crm::PopRule::answered);
    EXPECT_THAT(support.modules, ElementsAre("Accounts", "Contacts"));
    EXPECT_EQ(support.wrap_up, std::chrono::seconds(90));
    EXPECT_EQ(support.codes[0].label, "Sold, \"yes\"");
    EXPECT_EQ(support.operators[0].penalty, 2);
    EXPECT_TRUE(support.operators[0].supervisor);
    EXPECT_THAT(roster->seats[0].keys, ElementsAre("aa:bb:cc:00:11:22", "desk4.example.org"));
}

TEST_F(RosterFile, written_and_read_again_is_the_same) {
    const auto roster = load_roster(write(everything), site);
    ASSERT_TRUE(roster);
    const auto text = roster_yaml(*roster);
    const auto again = load_roster(write(text), site);
    ASSERT_TRUE(again) << testing::PrintToString(again.error()) << text;
    EXPECT_EQ(*again, *roster);
    EXPECT_EQ(roster_yaml(*again), text);
    EXPECT_EQ(crm::roster_of(crm::rows_of(*roster)), *roster);
    EXPECT_THAT(crm::differences(*roster, *again), ElementsAre());
}

TEST_F(RosterFile, an_empty_one_is_a_roster_of_nobody) {
    for (const char* text : {"", "operators: []\n", "{}\n", "services: []\nseats: []\n"}) {
        const auto roster = load_roster(write(text), site);
        ASSERT_TRUE(roster) << text << testing::PrintToString(roster.error());
        EXPECT_EQ(*roster, crm::Roster{});
    }
    const auto again = load_roster(write(roster_yaml({})), site);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, crm::Roster{});
}

TEST_F(RosterFile, faults_name_file_line_and_key) {
    struct Row {
        const char* text;
        const char* says;
    };
    const Row rows[] = {
        {"operator: []", ":1: key operator: is unknown here; did you mean `operators`?"},
        {"operators:\n  - {extension: \"201\"}", ":2: key operators[0].jid: is missing"},
        {"operators:\n  - {jid: anna}", ":2: key operators[0].jid: is no bare JID"},
        {"operators:\n  - {jid: a@b/c}", "is no bare JID"},
        {"operators:\n  - {jid: a@b, role: boss}",
         "must be one of operator, supervisor, administrator, application"},
        {"operators:\n  - {jid: a@b, pbx: paris}",
         "key operators[0].pbx: is `paris`, which the configuration does not have; it has hq, branch"},
        {"operators:\n  - {jid: a@b}\n  - {jid: A@B}",
         ":3: key operators[1].jid: is `a@b` as in line 2 already"},
        {"operators:\n  - {jid: a@b, extension: \"2&3\"}", "key operators[0].extension: may hold"},
        {"operators:\n  - {jid: a@b, devices: [phone]}", "key operators[0].devices[0]: is no device"},
        {"services:\n  - {name: s}", ":2: key services[0].pbx: is missing; name one of hq, branch"},
        {"services:\n  - {name: s, pbx: hq, queue: \"a b\"}", "key services[0].queue: may hold"},
        {"services:\n  - {name: s, pbx: hq, direction: in}", "must be inbound or outbound"},
        {"services:\n  - {name: s, pbx: hq, direction: outbound, queue: q}", "this one is outbound"},
        {"services:\n  - {name: s, pbx: hq, caller_id: \"1\"}", "this one is inbound"},
        {"services:\n  - {name: s, pbx: hq, queue: q}\n  - {name: t, pbx: hq, queue: q}",
         ":3: key services[1].queue: is `q` as in line 2 already"},
        {"services:\n  - {name: s, pbx: hq, contexts: [c]}\n  - {name: t, pbx: hq, contexts: [d, c]}",
         "key services[1].contexts: is `c` as in line 2 already"},
        {"services:\n  - {name: s, pbx: hq, contexts: [c, c]}", "is given twice"},
        {"services:\n  - {name: s, pbx: hq, variables: [\"a,b\"]}",
         "key services[0].variables[0]: is no name of a variable"},
        {"services:\n  - {name: s, pbx: hq, pop: {rule: loud}}",
         "key services[0].pop.rule: must be one of ringing, answered, never"},
        {"services:\n  - {name: s, pbx: hq, pop: {url: \"ftp://x/\"}}",
         "key services[0].pop.url: must begin with https://"},
        {"services:\n  - {name: s, pbx: hq, pop: {url: \"https://x/{variable:v}\"}}",
         "`v`, which the service does not collect"},
        {"services:\n  - {name: s, pbx: hq, wrap_up: {time: 1500ms}}", "whole seconds"},
        {"services:\n  - {name: s, pbx: hq, wrap_up: {codes: [{code: a}, {code: a}]}}",
         "has a code that is there already"},
        {"services:\n  - {name: s, pbx: hq, operators: [{jid: a@b}, {jid: a@b}]}", "who is there already"},
        {"services:\n  - {name: s, pbx: hq, operators: [{jid: a@b, penalty: -1}]}",
         "must be a whole number from 0"},
        {"services:\n  - {name: s, pbx: hq, enabled: yes}", "must be true or false"},
        {"seats:\n  - {id: \"1\", pbx: hq}", "key seats[0].extension: is missing"},
        {"seats:\n  - {id: \"1\", pbx: hq, extension: \"1\", keys: [k]}\n  - {id: \"2\", pbx: hq, "
         "extension: \"2\", keys: [K]}",
         "key seats[1].keys: is `k` as in line 2 already"},
        {"seats:\n  - {id: \"1\", pbx: hq, extension: \"1\"}\n  - {id: \"2\", pbx: hq, extension: \"1\"}",
         "key seats[1].extension: is `1` as in line 2 already"},
        {"services:\n  - {name: \" s\", pbx: hq}", "begins or ends with a blank"},
        {"- {jid: a@b}", "must hold keys: operators, services, seats"},
        {"services: [", "this is not YAML"},
        {"a: &a [*a]", "alias"},
    };
    for (const Row& row : rows) {
        const auto roster = load_roster(write(row.text), site);
        ASSERT_FALSE(roster) << row.text;
        EXPECT_THAT(roster.error().front(), HasSubstr(row.says)) << row.text;
        EXPECT_THAT(roster.error().front(), HasSubstr(".yaml:")) << row.text;
    }
    EXPECT_THAT(load_roster("/nonexistent/roster.yaml", site).error().front(),
                HasSubstr("there is no such file"));
}

TEST_F(RosterFile, is_told_from_the_plain_list_of_people_that_replay_reads) {
    EXPECT_TRUE(is_roster(write("operators: []\n")));
    EXPECT_TRUE(is_roster(write("{}")));
    EXPECT_FALSE(is_roster(write("- {jid: a@b, extension: \"1\"}\n")));
    EXPECT_FALSE(is_roster(write("")));
    EXPECT_FALSE(is_roster("/nonexistent"));
}

TEST_F(RosterFile, all_faults_are_told_at_once) {
    const auto roster =
        load_roster(write("operators: [{jid: x}]\nservices: [{name: s, pbx: hq, queue: \" \"}]\n"
                          "seats: [{}]\n"),
                    site);
    ASSERT_FALSE(roster);
    EXPECT_EQ(roster.error().size(), 4U) << testing::PrintToString(roster.error());
}

TEST_F(RosterFile, two_services_that_are_off_or_on_other_pbx_or_the_other_way_may_share_a_context) {
    const auto roster = load_roster(write("services:\n"
                                          "  - {name: a, pbx: hq, contexts: [c], queue: q}\n"
                                          "  - {name: b, pbx: hq, contexts: [c], queue: q, enabled: false}\n"
                                          "  - {name: c, pbx: branch, contexts: [c], queue: q}\n"
                                          "  - {name: d, pbx: hq, contexts: [c], direction: outbound}\n"),
                                    site);
    EXPECT_TRUE(roster) << testing::PrintToString(roster.error());
}

// Random texts that our tables may hold survive the file.
TEST_F(RosterFile, any_roster_survives_the_file) {
    const std::vector<std::string> texts{"null",
                                         "~",
                                         "true",
                                         "0x1F",
                                         "1e3",
                                         "- a",
                                         "a: b",
                                         "# no comment",
                                         "\"quoted\"",
                                         "back\\slash",
                                         "Žofia Nováková",
                                         "日本",
                                         "{a}",
                                         "[b]",
                                         "*c",
                                         "&d",
                                         "!e",
                                         "'",
                                         "%f",
                                         "@g",
                                         "`h"};
    std::mt19937 random(7);
    const auto any = [&] { return texts[random() % texts.size()]; };
    for (int round = 0; round < 200; ++round) {
        crm::Roster roster;
        for (int i = 0; i < 3; ++i) {
            crm::Operator one;
            one.jid = "p" + std::to_string(i) + "@example.org";
            one.name = any() + any();
            one.active = random() % 2 == 0;
            roster.operators.push_back(one);
            crm::Service service;
            service.name = std::to_string(i) + any();
            service.pbx = "hq";
            service.skill = any();
            service.codes = {{"c", any()}};
            service.wrap_up = std::chrono::seconds(random() % 100);
            service.pop = static_cast<crm::PopRule>(random() % 3);
            service.operators = {{one.jid, static_cast<int>(random() % 5), random() % 2 == 0}};
            roster.services.push_back(service);
        }
        crm::sort(roster);
        const auto again = load_roster(write(roster_yaml(roster)), site);
        ASSERT_TRUE(again) << testing::PrintToString(again.error()) << roster_yaml(roster);
        EXPECT_EQ(*again, roster) << roster_yaml(roster);
    }
}

TEST(roster_differences, are_one_line_an_entry) {
    crm::Roster from, to;
    crm::Operator anna;
    anna.jid = "anna@example.org";
    anna.extension = "201";
    from.operators = {anna};
    anna.extension = "205";
    anna.devices = {"PJSIP/a", "PJSIP/b"};
    to.operators = {anna};
    crm::Service gone, come;
    gone.name = "old";
    come.name = "new";
    from.services = {gone};
    to.services = {come};
    crm::Seat seat;
    seat.id = "4";
    seat.extension = "204";
    from.seats = to.seats = {seat};
    to.seats[0].keys = {"k"};
    EXPECT_THAT(crm::differences(from, to),
                testing::UnorderedElementsAre(
                    "+ service new", "- service old",
                    "~ operator anna@example.org: devices nothing -> PJSIP/a, PJSIP/b; extension 201 -> 205",
                    "~ seat 4: keys nothing -> k"));
    EXPECT_THAT(crm::differences(to, to), ElementsAre());
}

}  // namespace
}  // namespace bridge
