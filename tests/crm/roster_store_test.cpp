// Our tables of operators, services and seats on real servers; and who may see a record, asked for all at
// once.
#include "crm/roster_store.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crm/call_log.hpp"
#include "people_fixture.hpp"

namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class RosterTest : public testing::TestWithParam<bool> {
 protected:
    void SetUp() override {
        if (GetParam())
            if (const auto reason = test::Database::why_no_mysql(); !reason.empty()) GTEST_SKIP() << reason;
        server = GetParam() ? &test::Database::mysql() : &test::Database::mariadb();
        server->run("DROP DATABASE IF EXISTS ours");
        config.sql_dir = test::sql_dir();
        config.own = server->url("ours");
        crm::migrate(config);
        link.emplace(config.own, config.sql_dir);
        const auto up = link->connect();
        ASSERT_TRUE(up) << up.error().text;
    }
    crm::Roster read() {
        auto found = store.read(*link);
        EXPECT_TRUE(found) << (found ? "" : found.error().text);
        return found.value_or(crm::Roster{});
    }
    void put(const crm::Roster& roster) {
        const auto done = store.replace(*link, roster);
        ASSERT_TRUE(done) << done.error().text;
    }
    static crm::Roster company() {
        crm::Roster out;
        out.operators = {{.jid = "anna@example.org",
                          .crm_user = "5",
                          .pbx = "hq",
                          .extension = "201",
                          .name = "Žofia",
                          .role = crm::Role::supervisor,
                          .devices = {"PJSIP/b", "PJSIP/a"}},
                         {.jid = "bot@example.org", .active = false, .role = crm::Role::application}};
        crm::Service campaign{.name = "campaign",
                              .pbx = "hq",
                              .contexts = {"dial-out"},
                              .direction = crm::Direction::outbound,
                              .enabled = false,
                              .caller_id = "Sales <0207>"};
        crm::Service support{.name = "support",
                             .pbx = "hq",
                             .contexts = {"z", "a"},
                             .queue = "q",
                             .variables = {"ticket", "a"},
                             .pop = crm::PopRule::never,
                             .modules = {"Leads", "Accounts"},
                             .url = "https://x.example/{number}",
                             .wrap_up = std::chrono::seconds(30),
                             .codes = {{"z", "Zed"}, {"a", ""}},
                             .language = "sk",
                             .skill = "billing",
                             .operators = {{"anna@example.org", 3, true}, {"bob@example.org", 0, false}}};
        out.services = {campaign, support};
        out.seats = {{.id = "4",
                      .pbx = "hq",
                      .extension = "204",
                      .devices = {"PJSIP/seat4"},
                      .keys = {"aa:bb", "desk4"},
                      .place = "window"},
                     {.id = "5", .pbx = "hq", .extension = "205"}};
        return out;
    }

    test::Database* server = nullptr;
    crm::Config config;
    crm::RosterStore store{test::sql_dir()};
    std::optional<crm::Mysql> link;
};

TEST_P(RosterTest, what_is_put_is_read_again_in_its_order) {
    EXPECT_EQ(read(), crm::Roster{});
    put(company());
    EXPECT_EQ(read(), company());
    put(company());  // again: nothing changes
    EXPECT_EQ(read(), company());
    put({});
    EXPECT_EQ(read(), crm::Roster{});
    EXPECT_EQ(server->value("SELECT (SELECT COUNT(*) FROM cti_service_context) + (SELECT COUNT(*) FROM "
                            "cti_seat_key) + (SELECT COUNT(*) FROM cti_operator_device)",
                            "ours"),
              "0");
}

TEST_P(RosterTest, who_sits_on_a_seat_stays_there_and_seats_may_swap_their_extensions) {
    put(company());
    server->run("UPDATE cti_seat SET jid='anna@example.org', since='2026-11-21 10:00:00.500' WHERE id='4'",
                "ours");
    auto next = company();
    std::swap(next.seats[0].extension, next.seats[1].extension);
    put(next);
    EXPECT_EQ(read(), next);
    EXPECT_EQ(server->value("SELECT CONCAT(jid, ' ', since) FROM cti_seat WHERE id='4'", "ours"),
              "anna@example.org 2026-11-21 10:00:00.500");
}

TEST_P(RosterTest, is_changed_as_a_whole_or_not_at_all) {
    put(company());
    auto next = company();
    next.operators[0].extension = "299";
    next.seats[1].extension =
        next.seats[0].extension;  // the table refuses it, after the operators were written
    const auto done = store.replace(*link, next);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().fault, crm::SqlFault::duplicate);
    EXPECT_EQ(read(), company());
}

TEST_P(RosterTest, rows_of_other_hands_are_cleaned_not_trusted) {
    server->run(
        "INSERT INTO cti_operator (jid, extension, role) VALUES ('Anna@Example.org', ' 201\\n', 'king');"
        "INSERT INTO cti_service (name, pbx, pop_rule, wrap_up_s, direction) VALUES ('s\\r\\nAction: x', "
        "'hq', 'loud', -5, 'sideways');"
        "INSERT INTO cti_service_variable (service, variable) VALUES ('nobody', 'v')",
        "ours");
    const auto found = read();
    ASSERT_EQ(found.operators.size(), 1U);
    EXPECT_EQ(found.operators[0].jid, "anna@example.org");
    EXPECT_EQ(found.operators[0].extension, "201");
    EXPECT_EQ(found.operators[0].role, crm::Role::agent);
    ASSERT_EQ(found.services.size(), 1U);
    EXPECT_EQ(found.services[0].name.find_first_of("\r\n"), std::string::npos);
    EXPECT_EQ(found.services[0].pop, crm::PopRule::ringing);
    EXPECT_EQ(found.services[0].direction, crm::Direction::inbound);
    EXPECT_EQ(found.services[0].wrap_up.count(), 0);
}

INSTANTIATE_TEST_SUITE_P(Server, RosterTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "mysql" : "mariadb"; });

// ---- who may see ----

class ViewersTest : public testing::TestWithParam<bool> {
 protected:
    void SetUp() override {
        if (GetParam())
            if (const auto reason = test::Database::why_no_mysql(); !reason.empty()) GTEST_SKIP() << reason;
        server = GetParam() ? &test::Database::mysql() : &test::Database::mariadb();
        server->fresh_vtiger("vt", true);
        config = test::vtiger_config(*server, "vt", state.path());
    }
    std::uint64_t statements() {
        const auto rows = server->run("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'");
        return static_cast<std::uint64_t>(rows.integer(0, "Value").value_or(0));
    }
    test::Database* server = nullptr;
    test::TemporaryDirectory state;
    crm::Config config;
};

TEST_P(ViewersTest, the_statement_for_all_users_agrees_with_vtigers_pages_and_with_the_one_for_each) {
    crm::Mysql link(config.crm, config.sql_dir);
    ASSERT_TRUE(link.connect());
    const crm::SqlFiles files(config.sql_dir, "vtiger");
    const auto viewers = files.one("viewers"), may_see = files.one("may_see");
    const auto of = [&](const std::string& id) {
        const auto rows = link.run(viewers, {{"id", id}});
        EXPECT_TRUE(rows) << (rows ? "" : rows.error().text);
        std::set<std::string> users;
        if (rows)
            for (std::size_t i = 0; i < rows->size(); ++i) users.insert(rows->text(i, "crm_user"));
        return users;
    };
    std::ifstream table(test::vtiger_data() / "visibility.tsv");
    std::string line;
    std::getline(table, line);
    int rows = 0;
    while (std::getline(table, line)) {
        std::istringstream in(line);
        std::string user, module, id, yes;
        in >> user >> module >> id >> yes;
        EXPECT_EQ(of(id).contains(user), yes == "yes") << line;
        ++rows;
    }
    EXPECT_EQ(rows, 148);
    const auto ids = server->run("SELECT crmid FROM vtiger_crmentity ORDER BY crmid", "vt");
    const auto users = server->run("SELECT id FROM vtiger_users", "vt");
    int pairs = 0;
    for (std::size_t i = 0; i < ids.size(); i += 3) {
        const auto seen = of(ids.text(i, "crmid"));
        for (std::size_t u = 0; u < users.size(); ++u, ++pairs) {
            const auto one = link.run(may_see, {{"user", users.text(u, "id")}, {"id", ids.text(i, "crmid")}});
            ASSERT_TRUE(one);
            EXPECT_EQ(seen.contains(users.text(u, "id")), one->integer(0, "may_see").value_or(0) != 0)
                << users.text(u, "id") << " " << ids.text(i, "crmid");
        }
    }
    EXPECT_GT(pairs, 500);
}

TEST_P(ViewersTest, five_hundred_operators_rung_by_one_caller_cost_a_handful_of_statements) {
    config.feed_interval = std::chrono::seconds(60);  // its own statements are not counted
    test::Daemon daemon(config);
    daemon.start();
    ASSERT_TRUE(daemon.until(
        [&] { return daemon.callers().from_index("601234567", "hq", "1").matches.at(0).may_see; }));
    std::map<int, crm::Lookup> answers;
    const auto before = statements();
    for (int user = 0; user < 500; ++user)
        daemon.callers().find("601234567", "hq", std::to_string(user),
                              [&answers, user](crm::Lookup found) { answers[user] = std::move(found); });
    ASSERT_TRUE(daemon.until([&] { return answers.size() == 500; }));
    const auto spent = statements() - before;
    EXPECT_GT(spent, 0U);
    EXPECT_LT(spent, 40U);
    for (const auto& [user, lookup] : answers) {
        ASSERT_EQ(test::ids(lookup), (std::vector<std::string>{"179", "178"})) << user;
        EXPECT_TRUE(lookup.rechecked);
        const auto yes =
            server->value("SELECT COUNT(*) FROM vtiger_users WHERE id=" + std::to_string(user), "vt");
        EXPECT_TRUE(yes == "1" || !lookup.matches[0].may_see) << user;
    }
    EXPECT_TRUE(answers[1].matches[0].may_see);     // the administrator
    EXPECT_FALSE(answers[300].matches[0].may_see);  // nobody's id
}

TEST_P(ViewersTest, the_reason_of_a_match_does_not_tell_what_may_not_be_seen) {
    test::Daemon daemon(config);
    daemon.start();
    const auto hidden = daemon.find("601234567", "4711");
    ASSERT_FALSE(hidden.matches.at(0).may_see);
    EXPECT_EQ(hidden.why.find("179"), std::string::npos) << hidden.why;
    EXPECT_NE(hidden.why.find("a record of " + hidden.matches[0].owner), std::string::npos) << hidden.why;
    EXPECT_NE(daemon.find("601234567", "1").why.find("Contacts 179"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Server, ViewersTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "mysql" : "mariadb"; });

}  // namespace
