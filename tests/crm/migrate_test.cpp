#include "crm/migrate.hpp"

#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crm/call_log.hpp"
#include "database.hpp"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

testing::Matcher<std::vector<std::string>> all_applied(const std::string& server) {
    return ElementsAre(HasSubstr(server), "001_first_tables: applied", "002_services: applied",
                       "003_several_contexts: applied", "004_call_control: applied",
                       "005_end_window: applied");
}

class MigrateTest : public testing::TestWithParam<bool> {
 protected:
    void SetUp() override {
        if (GetParam())
            if (const auto reason = test::Database::why_no_mysql(); !reason.empty()) GTEST_SKIP() << reason;
        server = GetParam() ? &test::Database::mysql() : &test::Database::mariadb();
        server->run("DROP DATABASE IF EXISTS ours; DROP USER IF EXISTS 'small'@'127.0.0.1'");
        config.sql_dir = test::sql_dir();
        config.own = server->url("ours");
    }
    std::string tables() {
        return server->value(
            "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE "
            "table_schema = 'ours'");
    }
    std::string complaint() {
        try {
            crm::migrate(config);
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return "accepted";
    }
    test::Database* server = nullptr;
    crm::Config config;
};

TEST_P(MigrateTest, makes_the_database_and_every_table_and_says_so_and_then_has_nothing_to_do) {
    EXPECT_THAT(crm::migrate(config), all_applied("database created"));
    EXPECT_EQ(
        tables(),
        "cti_agent_event,cti_call,cti_claim,cti_crm_row,cti_dial,cti_event,cti_leg,cti_operator,"
        "cti_operator_device,cti_schema,cti_seat,cti_seat_device,cti_seat_key,cti_service,cti_service_code,"
        "cti_service_context,cti_service_module,cti_service_operator,cti_service_variable");
    EXPECT_EQ(server->value(
                  "SELECT GROUP_CONCAT(CONCAT(version, ' ', name) ORDER BY version) FROM cti_schema", "ours"),
              "1 001_first_tables,2 002_services,3 003_several_contexts,4 004_call_control,5 005_end_window");
    EXPECT_THAT(crm::migrate(config), ElementsAre(HasSubstr("@"), "version 5, nothing to do"));
}

TEST_P(MigrateTest, works_without_the_right_to_create_databases_where_the_database_exists) {
    server->run(
        "CREATE DATABASE ours; CREATE USER 'small'@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT ALL ON ours.* TO "
        "'small'@'127.0.0.1'");
    config.own = server->tcp_url("ours", "small", "pw");
    EXPECT_THAT(crm::migrate(config), all_applied("small@"));
}

TEST_P(MigrateTest, without_that_right_and_without_the_database_says_what_an_administrator_must_do) {
    server->run("CREATE USER 'small'@'127.0.0.1' IDENTIFIED BY 's3cret-pw'");
    config.own = server->tcp_url("ours", "small", "s3cret-pw");
    const auto text = complaint();
    EXPECT_THAT(text, HasSubstr("`ours`"));
    EXPECT_THAT(text, HasSubstr("sql/ctibridge/create_database.sql"));
    EXPECT_THAT(text, testing::Not(HasSubstr("s3cret-pw")));
}

// Cut after its last statement, before it was noted: each is begun again from its first.
TEST_P(MigrateTest, one_that_was_interrupted_is_done_again) {
    const test::TemporaryDirectory sql;
    std::filesystem::copy(test::sql_dir(), sql.path(), std::filesystem::copy_options::recursive);
    const auto steps = sql.path() / "ctibridge/migrations";
    const auto later = sql.path() / "later";
    std::filesystem::rename(steps, later);
    std::filesystem::create_directory(steps);
    config.sql_dir = sql.path();
    for (const auto* step :
         {"001_first_tables", "002_services", "003_several_contexts", "004_call_control", "005_end_window"}) {
        const auto file = std::string(step) + ".sql";
        std::filesystem::copy(later / file, steps / file);
        EXPECT_THAT(crm::migrate(config), testing::Contains(std::string(step) + ": applied"));
        if (step == std::string("001_first_tables"))
            server->run(
                "DROP TABLE cti_leg; INSERT INTO cti_call (id) VALUES ('kept'); INSERT INTO cti_service "
                "(name, "
                "pbx, context) VALUES ('sales', 'hq', 'from-sales'), ('empty', 'hq', NULL); INSERT INTO "
                "cti_operator (jid, device) VALUES ('anna@example.org', 'PJSIP/anna'); INSERT INTO cti_seat "
                "(id, pbx, extension, device) VALUES ('4', 'hq', '204', 'PJSIP/desk4')",
                "ours");
        server->run("DELETE FROM cti_schema ORDER BY version DESC LIMIT 1", "ours");
        EXPECT_THAT(crm::migrate(config), ElementsAre(HasSubstr("@"), std::string(step) + ": applied"));
    }
    EXPECT_EQ(server->value("SELECT COUNT(*) FROM cti_leg", "ours"), "0");
    EXPECT_EQ(server->value("SELECT id FROM cti_call", "ours"), "kept");
    EXPECT_EQ(server->value("SELECT GROUP_CONCAT(service, ' ', context) FROM cti_service_context", "ours"),
              "sales from-sales");
    EXPECT_EQ(server->value("SELECT GROUP_CONCAT(jid, ' ', device) FROM cti_operator_device", "ours"),
              "anna@example.org PJSIP/anna");
    EXPECT_EQ(server->value("SELECT GROUP_CONCAT(seat, ' ', device) FROM cti_seat_device", "ours"),
              "4 PJSIP/desk4");
}

TEST_P(MigrateTest, tables_of_a_newer_version_are_left_alone) {
    crm::migrate(config);
    server->run("INSERT INTO cti_schema (version, name, applied) VALUES (99, 'future', UTC_TIMESTAMP())",
                "ours");
    EXPECT_THAT(complaint(), HasSubstr("the tables have version 99, this ctibridge knows 5"));
}

TEST_P(MigrateTest, a_name_that_is_none_is_refused) {
    config.own.schema = "ours`; DROP DATABASE mysql; --";
    EXPECT_NE(complaint(), "accepted");
    EXPECT_NE(server->value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'mysql'"),
              "0");
}

TEST_P(MigrateTest, keys_tell_small_from_capital_letters) {
    crm::migrate(config);
    server->run("INSERT INTO cti_call (id) VALUES ('hq:ctd-a'), ('hq:ctd-A')", "ours");
    EXPECT_EQ(server->value("SELECT COUNT(*) FROM cti_call", "ours"), "2");
}

INSTANTIATE_TEST_SUITE_P(Server, MigrateTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "mysql" : "mariadb"; });

TEST(Migrations, are_numbered_without_gaps) {
    test::TemporaryDirectory dir;
    const auto folder = dir.path() / "ctibridge/migrations";
    std::filesystem::create_directories(folder);
    EXPECT_EQ(crm::newest_migration(dir.path()), 0);
    std::ofstream(folder / "001_a.sql") << "SELECT 1";
    EXPECT_EQ(crm::newest_migration(dir.path()), 1);
    std::ofstream(folder / "003_c.sql") << "SELECT 1";
    EXPECT_THROW(crm::newest_migration(dir.path()), std::runtime_error);
    std::ofstream(folder / "002_b.sql") << "SELECT 1";
    EXPECT_EQ(crm::newest_migration(dir.path()), 3);
    std::ofstream(folder / "note.sql") << "SELECT 1";
    EXPECT_THROW(crm::newest_migration(dir.path()), std::runtime_error);
}

}  // namespace
