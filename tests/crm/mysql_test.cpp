#include "crm/mysql.hpp"

#include <gtest/gtest.h>

#include "database.hpp"

namespace {

// The error of a call that must succeed, empty when it did.
std::string fault(const auto& result) {
    return result ? std::string() : result.error().text;
}

using crm::SqlFault;
using crm::SqlParams;

crm::Statement sql(std::string_view text) {
    return crm::parse_sql(text, "test.sql").at(0);
}

class MysqlTest : public testing::Test {
 protected:
    MysqlTest() { server.fresh("t"); }
    test::Database& server = test::Database::mariadb();
    crm::Mysql db{server.url("t"), test::sql_dir()};
};

TEST_F(MysqlTest, keeps_nulls_and_four_byte_characters_and_text_that_looks_like_sql) {
    ASSERT_EQ(fault(db.connect()), "");
    ASSERT_TRUE(
        db.run(sql("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET utf8mb4, n BIGINT)")));
    const auto insert = sql("INSERT INTO t VALUES (:id, :name, :n)");
    const std::string hostile = "\"OR/**/1=1# '; DROP TABLE t; \xF0\x9F\x98\x80";
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 1}, {"name", hostile}, {"n", INT64_MIN}})), "");
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 2}, {"name", {}}, {"n", {}}})), "");
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 3}, {"name", std::string()}, {"n", 0}})), "");
    const auto rows =
        db.run(sql("SELECT id, name, n FROM t WHERE id >= :from ORDER BY id"), SqlParams{{"from", 1}});
    ASSERT_TRUE(rows) << rows.error().text;
    ASSERT_EQ(rows->size(), 3U);
    EXPECT_EQ(rows->at(0, "name"), hostile);
    EXPECT_EQ(rows->integer(0, "n"), INT64_MIN);
    EXPECT_EQ(rows->at(1, "name"), std::nullopt);
    EXPECT_EQ(rows->integer(1, "n"), std::nullopt);
    EXPECT_EQ(rows->at(2, "name"), "");
    EXPECT_EQ(rows->integer(2, "n"), 0);
    EXPECT_EQ(rows->at(0, "no_such_column"), std::nullopt);
}

TEST_F(MysqlTest, a_statement_run_again_leaves_the_copied_rows_alone) {
    ASSERT_EQ(fault(db.connect()), "");
    const auto echo = sql("SELECT :x AS x");
    const auto first = db.run(echo, SqlParams{{"x", "one"}});
    const auto second = db.run(echo, SqlParams{{"x", "two"}});
    EXPECT_EQ(first->text(0, "x"), "one");
    EXPECT_EQ(second->text(0, "x"), "two");
}

TEST_F(MysqlTest, a_session_is_utc_and_strict_and_waits_two_seconds_for_a_lock) {
    ASSERT_EQ(fault(db.connect()), "");
    const auto rows =
        db.run(sql("SELECT @@session.time_zone AS z, @@session.innodb_lock_wait_timeout AS w, "
                   "TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()) AS d, @@session.sql_mode AS m, "
                   "@@session.character_set_client AS c, @@autocommit AS a"));
    ASSERT_TRUE(rows) << rows.error().text;
    EXPECT_EQ(rows->text(0, "z"), "+00:00");
    EXPECT_EQ(rows->integer(0, "w"), 2);
    EXPECT_EQ(rows->integer(0, "d"), 0);
    EXPECT_EQ(rows->text(0, "c"), "utf8mb4");
    EXPECT_EQ(rows->integer(0, "a"), 1);
    EXPECT_NE(rows->text(0, "m").find("STRICT_ALL_TABLES"), std::string::npos);
}

struct FaultCase {
    std::string name, before, statement;
    SqlFault fault;
    int code;
};
class MysqlFault : public testing::TestWithParam<FaultCase> {};
TEST_P(MysqlFault, is_told_apart) {
    auto& server = test::Database::mariadb();
    server.fresh("t");
    server.run("CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(3) CHARACTER SET utf8mb3)", "t");
    if (!GetParam().before.empty()) server.run(GetParam().before, "t");
    crm::Mysql db(server.url("t"), test::sql_dir());
    ASSERT_EQ(fault(db.connect()), "");
    const auto done = db.run(sql(GetParam().statement));
    ASSERT_FALSE(done);
    EXPECT_EQ(crm::to_string(done.error().fault), crm::to_string(GetParam().fault)) << done.error().text;
    EXPECT_EQ(done.error().code, GetParam().code) << done.error().text;
    EXPECT_NE(done.error().text.find("test.sql:1"), std::string::npos) << done.error().text;
    EXPECT_EQ(db.connected(), GetParam().fault != SqlFault::lost);
}
INSTANTIATE_TEST_SUITE_P(
    Table, MysqlFault,
    testing::Values(FaultCase{"duplicate_key", "INSERT INTO t VALUES (1, 'a')",
                              "INSERT INTO t VALUES (1, 'b')", SqlFault::duplicate, 1062},
                    FaultCase{"missing_table", "", "SELECT * FROM nothing", SqlFault::configuration, 1146},
                    FaultCase{"missing_column", "", "SELECT nothing FROM t", SqlFault::configuration, 1054},
                    FaultCase{"syntax", "", "SELEKT 1", SqlFault::configuration, 1064},
                    FaultCase{"too_long", "", "INSERT INTO t VALUES (1, 'abcd')", SqlFault::data, 1406},
                    FaultCase{"four_bytes_in_a_three_byte_column", "",
                              "INSERT INTO t VALUES (1, '\xF0\x9F\x98\x80')", SqlFault::data, 1366},
                    FaultCase{"null_in_a_key", "", "INSERT INTO t VALUES (NULL, 'a')", SqlFault::data, 1048},
                    FaultCase{"killed_link", "", "KILL CONNECTION_ID()", SqlFault::lost, 1927}),
    [](const auto& row) { return row.param.name; });

TEST_F(MysqlTest, a_link_killed_by_the_server_is_lost_and_comes_back_with_its_statements) {
    ASSERT_EQ(fault(db.connect()), "");
    const auto echo = sql("SELECT :x AS x, CONNECTION_ID() AS id");
    const auto first = db.run(echo, SqlParams{{"x", 1}});
    ASSERT_TRUE(first);
    server.run("KILL " + first->text(0, "id"));
    const auto broken = db.run(echo, SqlParams{{"x", 2}});
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().fault, SqlFault::lost) << broken.error().text;
    EXPECT_FALSE(db.connected());
    EXPECT_EQ(db.run(echo, SqlParams{{"x", 3}}).error().fault, SqlFault::lost);
    ASSERT_EQ(fault(db.connect()), "");
    EXPECT_EQ(db.run(echo, SqlParams{{"x", 4}})->text(0, "x"), "4");
}

TEST_F(MysqlTest, a_transaction_is_kept_by_commit_and_undone_by_rollback_and_by_a_lost_link) {
    server.run("CREATE TABLE t (id INT PRIMARY KEY)", "t");
    const auto insert = sql("INSERT INTO t VALUES (:id)");
    ASSERT_EQ(fault(db.connect()), "");
    ASSERT_EQ(fault(db.begin()), "");
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 1}})), "");
    ASSERT_EQ(fault(db.commit()), "");
    ASSERT_EQ(fault(db.begin()), "");
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 2}})), "");
    db.rollback();
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 3}})), "");  // autocommit again
    ASSERT_EQ(fault(db.begin()), "");
    ASSERT_EQ(fault(db.run(insert, SqlParams{{"id", 4}})), "");
    db.disconnect();
    EXPECT_EQ(server.value("SELECT GROUP_CONCAT(id ORDER BY id) FROM t", "t"), "1,3");
}

TEST_F(MysqlTest, a_lock_that_is_not_given_is_to_be_retried_after_two_seconds) {
    server.run("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 0)", "t");
    crm::Mysql other(server.url("t"), test::sql_dir());
    ASSERT_EQ(fault(other.connect()), "");
    ASSERT_EQ(fault(other.begin()), "");
    ASSERT_EQ(fault(other.run(sql("UPDATE t SET n = 1"))), "");
    ASSERT_EQ(fault(db.connect()), "");
    const auto refused = db.run(sql("UPDATE t SET n = 2"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::retry) << refused.error().text;
    EXPECT_EQ(refused.error().code, 1205);
}

TEST_F(MysqlTest, a_wrong_password_is_configuration_and_is_not_repeated_in_the_text) {
    server.run("CREATE OR REPLACE USER guest@'127.0.0.1' IDENTIFIED BY 'right'");
    crm::Mysql guest(server.tcp_url("t", "guest", "s3cr3t-wrong"), test::sql_dir());
    const auto refused = guest.connect();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::configuration);
    EXPECT_EQ(refused.error().code, 1045);
    EXPECT_EQ(refused.error().text.find("s3cr3t-wrong"), std::string::npos);
    EXPECT_NE(refused.error().text.find("guest@127.0.0.1"), std::string::npos) << refused.error().text;
}

TEST_F(MysqlTest, a_server_that_is_not_there_is_lost) {
    auto url = server.tcp_url("t", "guest", "");
    url.port = 1;
    const auto refused = crm::Mysql(url, test::sql_dir()).connect();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::lost) << refused.error().text;
}

TEST_F(MysqlTest, a_server_that_accepts_and_stays_silent_is_lost_after_the_connect_timeout) {
    server.freeze();
    const auto began = std::chrono::steady_clock::now();
    crm::Mysql silent(server.tcp_url("t", "guest", ""), test::sql_dir(),
                      {.connect_timeout = std::chrono::seconds(1)});
    const auto refused = silent.connect();
    server.thaw();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::lost) << refused.error().text;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

TEST_F(MysqlTest, tls_that_was_required_is_never_given_up_for_plain_text) {
    auto url = server.tcp_url("t", "plain", "");
    server.run("CREATE OR REPLACE USER plain@'127.0.0.1'; GRANT ALL ON t.* TO plain@'127.0.0.1'");
    ASSERT_EQ(fault(crm::Mysql(url, test::sql_dir()).connect()), "");
    url.tls_required = true;  // this server has no certificate
    crm::Mysql secure(url, test::sql_dir());
    const auto refused = secure.connect();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::configuration) << refused.error().text;
    EXPECT_FALSE(secure.connected());
}

TEST_F(MysqlTest, a_parameter_that_nobody_gives_is_named) {
    ASSERT_EQ(fault(db.connect()), "");
    const auto refused = db.run(sql("SELECT :nonsense"), SqlParams{{"x", 1}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, SqlFault::configuration);
    EXPECT_NE(refused.error().text.find(":nonsense"), std::string::npos);
}

TEST_F(MysqlTest, the_server_names_itself) {
    ASSERT_EQ(fault(db.connect()), "");
    EXPECT_EQ(db.server().substr(0, 8), "MariaDB ");
}

}  // namespace
