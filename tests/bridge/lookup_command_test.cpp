// `lookup` without a database: what it says, and that it never guesses. With one: tests/crm and tests/e2e.
#include "bridge/lookup_command.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

#include "crm/index.hpp"
#include "crm/numbers.hpp"
#include "crm/people_cache.hpp"

namespace {

class LookupCommand : public testing::Test {
 protected:
    LookupCommand() {
        std::string name = (std::filesystem::temp_directory_path() / "ctibridge-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        config_.state = name;
        config_.sql_dir = std::filesystem::path(CTIBRIDGE_SOURCE_DIR) / "sql";
        config_.crm.socket = name + "/nobody";
        config_.crm.schema = "vtiger";
        config_.web = "https://crm.example.org/";
        config_.sites = {{.pbx = "hq", .extensions = {"2??"}, .country = "GB"}};
    }
    ~LookupCommand() override {
        std::error_code ignored;
        std::filesystem::remove_all(config_.state, ignored);
    }
    // As an earlier run with the database left it.
    void fill_cache() {
        const crm::Numbers numbers(config_.sites);
        crm::PeopleCache cache(config_.state, config_.sql_dir,
                               "vtiger " + config_.crm.host + ":" + std::to_string(config_.crm.port) +
                                   config_.crm.socket + "/vtiger numbers " + numbers.fingerprint());
        ASSERT_TRUE(cache.load());
        ASSERT_TRUE(cache.replace({{.id = "12",
                                    .module = "Contacts",
                                    .label = "Ann \"A\" Lee\x1b",
                                    .organization = "ACME",
                                    .owner = "anna",
                                    .owner_user = "5",
                                    .owner_id = "5",
                                    .modified = crm::Millis(1),
                                    .numbers = {"+447700900123"}}}));
        ASSERT_TRUE(cache.put_operators({{.jid = "anna@example.org",
                                          .crm_user = "5",
                                          .pbx = "hq",
                                          .extension = "201",
                                          .name = "Anna",
                                          .active = true},
                                         {.jid = "boris@example.org",
                                          .crm_user = "6",
                                          .pbx = "hq",
                                          .extension = "202",
                                          .name = "Boris",
                                          .active = true}}));
        ASSERT_TRUE(cache.put_visibility({{{"5", "Contacts/5"}, true}, {{"6", "Contacts/5"}, false}}));
    }
    int run(bridge::LookupOptions options, std::string input = {}) {
        std::istringstream in(input);
        out_.str({});
        err_.str({});
        return bridge::lookup_command(config_, options, in, out_, err_);
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::istringstream in(out_.str());
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    }
    crm::Config config_;
    std::ostringstream out_, err_;
};

TEST_F(LookupCommand, says_that_there_is_neither_database_nor_cache) {
    EXPECT_EQ(run({.json = true, .as = {}, .numbers = {"+447700900123"}}), 2);
    EXPECT_EQ(out_.str(), "");
    EXPECT_NE(err_.str().find("no cache"), std::string::npos) << err_.str();
}

TEST_F(LookupCommand, answers_each_line_in_order_from_the_cache_and_says_so) {
    fill_cache();
    ASSERT_EQ(run({.json = true, .as = {}, .numbers = {"07700 900123", "-"}},
                  "201\r\nanonymous\n\n+442079460018\n\"OR/**/1=1#\n\xff\n"),
              0)
        << err_.str();
    EXPECT_NE(err_.str().find("from the cache"), std::string::npos) << err_.str();
    const auto all = lines();
    ASSERT_EQ(all.size(), 7U) << out_.str();
    EXPECT_EQ(
        all[0].find(
            R"({"number":"07700 900123","e164":"+447700900123","internal":false,"matches":[{"module":"Contacts","id":"12","label":"Ann \"A\" Lee)"),
        0U)
        << all[0];
    EXPECT_NE(
        all[0].find(
            R"("url":"https://crm.example.org/index.php?module=Contacts&view=Detail&record=12","quality":"exact"}])"),
        std::string::npos)
        << all[0];
    EXPECT_NE(
        all[0].find(
            R"("create":"https://crm.example.org/index.php?module=Leads&view=Edit&phone=%2B447700900123")"),
        std::string::npos)
        << all[0];
    EXPECT_EQ(
        all[1].find(
            R"({"number":"201","e164":null,"internal":true,"matches":[],"more":0,"create":null,"colleague":"Anna")"),
        0U)
        << all[1];
    EXPECT_EQ(
        all[2].find(
            R"({"number":"anonymous","e164":null,"internal":false,"matches":[],"more":0,"create":null)"),
        0U)
        << all[2];
    EXPECT_EQ(all[3].find(R"({"number":"","e164":null)"), 0U) << all[3];
    EXPECT_EQ(
        all[4].find(R"({"number":"+442079460018","e164":"+442079460018","internal":false,"matches":[],)"), 0U)
        << all[4];
    EXPECT_NE(all[5].find(R"("reason":"not-a-number")"), std::string::npos) << all[5];
    EXPECT_NE(all[6].find(R"("matches":[])"), std::string::npos) << all[6];
}

TEST_F(LookupCommand, shows_as_an_operator_only_what_the_crm_would_show) {
    fill_cache();
    ASSERT_EQ(run({.json = true, .as = "Anna@example.org", .numbers = {"+447700900123"}}), 0) << err_.str();
    EXPECT_NE(out_.str().find(R"("id":"12")"), std::string::npos) << out_.str();
    ASSERT_EQ(run({.json = true, .as = "boris@example.org", .numbers = {"+447700900123"}}), 0) << err_.str();
    EXPECT_NE(out_.str().find(R"("matches":[{"known":true,"owner":"anna"}])"), std::string::npos)
        << out_.str();
    EXPECT_EQ(out_.str().find("Ann"), std::string::npos) << out_.str();
    EXPECT_EQ(run({.json = true, .as = "stranger@example.org", .numbers = {"+447700900123"}}), 2);
    EXPECT_NE(err_.str().find("no operator"), std::string::npos) << err_.str();
}

TEST_F(LookupCommand, tells_a_person_why_without_control_characters) {
    fill_cache();
    ASSERT_EQ(run({.json = false, .as = {}, .numbers = {"+447700900123", "42"}}), 0) << err_.str();
    EXPECT_NE(out_.str().find("ACME"), std::string::npos) << out_.str();
    EXPECT_NE(out_.str().find("too short"), std::string::npos) << out_.str();
    EXPECT_EQ(out_.str().find('\x1b'), std::string::npos);
}

TEST_F(LookupCommand, an_unknown_adapter_is_a_clear_error) {
    config_.adapter = "sugar";
    EXPECT_EQ(run({.json = true, .as = {}, .numbers = {"1"}}), 2);
    EXPECT_NE(err_.str().find("vtiger"), std::string::npos) << err_.str();
}

}  // namespace
