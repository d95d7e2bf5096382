#include "crm/sql_files.hpp"

#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ParseCase {
    std::string name, script;
    std::vector<std::string> texts;
    std::vector<std::string> parameters;  // of all statements, joined
};
class ParseSql : public testing::TestWithParam<ParseCase> {};
TEST_P(ParseSql, gives_the_statements) {
    std::vector<std::string> texts, parameters;
    for (const auto& statement : crm::parse_sql(GetParam().script, "a.sql")) {
        texts.push_back(statement.text);
        parameters.insert(parameters.end(), statement.parameters.begin(), statement.parameters.end());
    }
    EXPECT_EQ(texts, GetParam().texts);
    EXPECT_EQ(parameters, GetParam().parameters);
}
INSTANTIATE_TEST_SUITE_P(
    Table, ParseSql,
    testing::Values(
        ParseCase{"names_become_marks",
                  "SELECT a FROM t WHERE n=:number AND m=:number_2;",
                  {"SELECT a FROM t WHERE n=? AND m=?"},
                  {"number", "number_2"}},
        ParseCase{"a_name_may_come_twice", "SELECT :a, :b, :a", {"SELECT ?, ?, ?"}, {"a", "b", "a"}},
        ParseCase{"comments_go", "-- one; :two\nSELECT 1 # three\n/* four ; :five */ ;\n", {"SELECT 1"}, {}},
        ParseCase{"quotes_stay",
                  "SELECT ':a;', \"--b\", `c#:d`, 'it''s', 'back\\'s;'",
                  {"SELECT ':a;', \"--b\", `c#:d`, 'it''s', 'back\\'s;'"},
                  {}},
        ParseCase{"two_dashes_without_a_blank_are_arithmetic", "SELECT 5--3", {"SELECT 5--3"}, {}},
        ParseCase{
            "assignment_is_no_parameter", "SET @a:=1; SELECT @a := 2", {"SET @a:=1", "SELECT @a := 2"}, {}},
        ParseCase{"several_and_empty_ones", ";;SELECT 1;\n\n;SELECT 2;", {"SELECT 1", "SELECT 2"}, {}},
        ParseCase{"nothing", "-- only this", {}, {}},
        ParseCase{"a_comment_separates_words", "SELECT/**/1", {"SELECT 1"}, {}},
        ParseCase{"a_slash_is_a_slash", "SELECT 4/2-1", {"SELECT 4/2-1"}, {}}),
    [](const auto& row) { return row.param.name; });

struct BrokenCase {
    std::string name, script, complaint;
};
class BrokenSql : public testing::TestWithParam<BrokenCase> {};
TEST_P(BrokenSql, is_refused_with_its_line) {
    try {
        crm::parse_sql(GetParam().script, "a.sql");
        FAIL() << "accepted";
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr(GetParam().complaint));
    }
}
INSTANTIATE_TEST_SUITE_P(Table, BrokenSql,
                         testing::Values(BrokenCase{"open_quote", "SELECT 1;\nSELECT 'a;\nb",
                                                    "a.sql:2: the quote ' is not closed"},
                                         BrokenCase{"open_comment", "/* a",
                                                    "a.sql:1: the comment is not closed"},
                                         BrokenCase{"bare_mark", "SELECT 1\n = ?", "a.sql:2: a bare ?"}),
                         [](const auto& row) { return row.param.name; });

TEST(SqlFiles, say_what_is_missing) {
    const auto dir = std::filesystem::path(testing::TempDir()) / "ctibridge_sql_files";
    std::filesystem::create_directories(dir / "crm");
    std::ofstream(dir / "crm/two.sql") << "SELECT 1; SELECT :b;";
    std::ofstream(dir / "crm/empty.sql") << "-- nothing";
    const crm::SqlFiles files(dir, "crm");
    EXPECT_THAT(files.names(), ElementsAre("empty", "two"));
    EXPECT_EQ(files.all("two").at(1).origin, "crm/two.sql:1");
    EXPECT_FALSE(files.optional("three"));
    const auto complaint = [&](auto&& use) -> std::string {
        try {
            use();
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return "accepted";
    };
    EXPECT_THAT(complaint([&] { (void)files.all("three"); }), HasSubstr("three.sql is missing"));
    EXPECT_THAT(complaint([&] { (void)files.one("two"); }), HasSubstr("crm/two.sql holds 2 statements"));
    EXPECT_THAT(complaint([&] { (void)files.one("empty"); }), HasSubstr("crm/empty.sql holds no statement"));
    EXPECT_THAT(complaint([&] { crm::SqlFiles(dir, "nobody"); }), HasSubstr("nobody"));
    std::filesystem::remove_all(dir);
}

}  // namespace
