// Records that change under the index, and databases that go away.
#include <algorithm>
#include <chrono>
#include <map>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crm/call_log.hpp"
#include "crm/callers.hpp"
#include "people_fixture.hpp"

namespace {

using Ids = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

class PeopleTest : public testing::Test {
 protected:
    void SetUp() override {
        server_.start();
        server_.fresh_vtiger("vt", true);
        config_ = test::vtiger_config(server_, "vt", state_.path());
    }
    void TearDown() override {
        server_.thaw();
        server_.start();
    }
    void update(std::string_view sql) { server_.run(sql, "vt"); }

    test::TemporaryDirectory state_;
    test::Database& server_ = test::Database::mariadb();
    crm::Config config_;
};

// No feed: what is seen is seen by looking at the record itself.
TEST_F(PeopleTest, a_hit_is_looked_at_again) {
    config_.feed_interval = std::chrono::hours(1);
    test::Daemon daemon(config_);
    daemon.start();
    EXPECT_EQ(test::ids(daemon.find("777111222")), Ids{"181"});
    update("UPDATE vtiger_crmentity SET label='Nina Nova' WHERE crmid=181");
    EXPECT_EQ(daemon.find("777111222").matches.at(0).label, "Nina Nova");
    update("UPDATE vtiger_contactdetails SET mobile='777111223' WHERE contactid=181");
    EXPECT_EQ(test::ids(daemon.find("777111222")), Ids{});
    EXPECT_EQ(test::ids(daemon.callers().from_index("777111222", "hq")), Ids{});
    EXPECT_EQ(test::ids(daemon.callers().from_index("777111223", "hq")), Ids{"181"});
    update("UPDATE vtiger_crmentity SET deleted=1 WHERE crmid=189");
    EXPECT_EQ(test::ids(daemon.find("602000002")), Ids{});
    update("UPDATE vtiger_leaddetails SET converted=1 WHERE leadid=190");
    EXPECT_EQ(test::ids(daemon.find("603000001")), Ids{});
    update("UPDATE vtiger_crmentity SET deleted=0 WHERE crmid=189");
    EXPECT_EQ(test::ids(daemon.find("602000002")), Ids{"189"});
}

TEST_F(PeopleTest, a_miss_asks_for_the_number_and_looks_at_what_it_finds) {
    config_.feed_interval = std::chrono::hours(1);
    test::Daemon daemon(config_);
    daemon.start();
    EXPECT_EQ(test::ids(daemon.find("+420733000111")), Ids{});
    update(
        "UPDATE vtiger_contactdetails SET mobile='733 000 111' WHERE contactid=181; "
        "UPDATE vtiger_pbxmanager_phonelookup SET fnumber='733000111', rnumber='111000337' WHERE crmid=181 "
        "AND fieldname='mobile'");
    EXPECT_EQ(test::ids(daemon.find("+420733000111")), Ids{"181"});
    EXPECT_EQ(test::ids(daemon.callers().from_index("+420733000111", "hq")), Ids{"181"});
    // vTiger leaves the row of a number that was cleared
    EXPECT_EQ(test::ids(daemon.find("606000002")), Ids{});
}

TEST_F(PeopleTest, the_feed_brings_what_vtiger_and_what_others_sql_changed) {
    test::Daemon daemon(config_);
    daemon.start();
    const auto known = [&](std::string_view number) {
        return test::ids(daemon.callers().from_index(number, "hq"));
    };
    // by vTiger: its history
    update(
        "UPDATE vtiger_contactdetails SET mobile='733000222' WHERE contactid=181; "
        "INSERT INTO vtiger_modtracker_basic (id,crmid,module,whodid,changedon,status) VALUES "
        "(90001,181,'Contacts',5,UTC_TIMESTAMP(),0)");
    EXPECT_TRUE(daemon.until([&] { return known("733000222") == Ids{"181"}; })) << daemon.log();
    EXPECT_EQ(known("777111222"), Ids{});
    // by plain SQL: the time of the last change
    update(
        "UPDATE vtiger_contactdetails SET mobile='733000333' WHERE contactid=181; UPDATE vtiger_crmentity "
        "SET modifiedtime=UTC_TIMESTAMP()+INTERVAL 1 SECOND WHERE crmid=181");
    EXPECT_TRUE(daemon.until([&] { return known("733000333") == Ids{"181"}; })) << daemon.log();
    // a new one with a time long ago
    update(
        "INSERT INTO vtiger_crmentity "
        "(crmid,smcreatorid,smownerid,setype,createdtime,modifiedtime,deleted,label) VALUES "
        "(9001,5,5,'Contacts','2020-01-01','2020-01-01',0,'Old News'); "
        "INSERT INTO vtiger_contactdetails (contactid,contact_no,lastname,mobile) VALUES "
        "(9001,'X','News','733000444'); "
        "INSERT INTO vtiger_contactsubdetails (contactsubscriptionid) VALUES (9001)");
    EXPECT_TRUE(daemon.until([&] { return known("733000444") == Ids{"9001"}; })) << daemon.log();
    // gone
    update(
        "UPDATE vtiger_crmentity SET deleted=1, modifiedtime=UTC_TIMESTAMP()+INTERVAL 2 SECOND WHERE "
        "crmid=9001");
    EXPECT_TRUE(daemon.until([&] { return known("733000444").empty(); })) << daemon.log();
    // without any trace: the comparison of a reload
    update("UPDATE vtiger_contactdetails SET mobile='733000555' WHERE contactid=199");
    daemon.callers().reload();
    EXPECT_TRUE(daemon.until([&] { return known("733000555") == Ids{"199"}; })) << daemon.log();
    EXPECT_EQ(known("606000009"), Ids{});
}

TEST_F(PeopleTest, at_most_ten_matches_are_shown_and_the_rest_counted) {
    for (int i = 0; i < 15; ++i) {
        const auto id = std::to_string(8000 + i);
        update(
            "INSERT INTO vtiger_crmentity "
            "(crmid,smcreatorid,smownerid,setype,createdtime,modifiedtime,deleted,label) VALUES (" +
            id + ",5,5,'Contacts',UTC_TIMESTAMP(),'2026-01-01 00:00:" + std::to_string(10 + i) +
            "',0,'Many " + id +
            "'); "
            "INSERT INTO vtiger_contactdetails (contactid,contact_no,lastname,mobile) VALUES (" +
            id + ",'X','Many','733 999 000')");
    }
    test::Daemon daemon(config_);
    daemon.start();
    const auto lookup = daemon.find("733999000");
    ASSERT_EQ(lookup.matches.size(), 10U);
    EXPECT_EQ(lookup.more, 5U);
    EXPECT_EQ(lookup.matches.front().id, "8014");  // last modified first
}

TEST_F(PeopleTest, the_cache_answers_when_the_database_is_away_from_the_start) {
    {
        test::Daemon daemon(config_);
        daemon.start();
        EXPECT_FALSE(daemon.find("601234567", "5").matches.empty());
        // visibility is asked ahead
        EXPECT_TRUE(daemon.until(
            [&] { return daemon.callers().from_index("601234567", "hq", "1").matches.at(0).may_see; }));
        update(
            "UPDATE vtiger_contactdetails SET mobile='733000222' WHERE contactid=181; UPDATE "
            "vtiger_crmentity SET modifiedtime=UTC_TIMESTAMP()+INTERVAL 1 SECOND WHERE crmid=181");
        EXPECT_TRUE(daemon.until(
            [&] { return test::ids(daemon.callers().from_index("733000222", "hq")) == Ids{"181"}; }));
    }
    struct stat info{};
    ASSERT_EQ(::stat((state_.path() / "people.sqlite").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    server_.stop();
    test::Daemon daemon(config_);
    EXPECT_TRUE(daemon.callers().loaded());
    daemon.start();
    EXPECT_EQ(daemon.up(), false);
    EXPECT_NE(daemon.log().find("CRM database"), std::string::npos) << daemon.log();
    const auto lookup = daemon.find("601234567", "1");
    EXPECT_EQ(test::ids(lookup), (Ids{"179", "178"}));
    EXPECT_FALSE(lookup.rechecked);
    EXPECT_TRUE(lookup.matches.at(0).may_see);
    EXPECT_EQ(test::ids(daemon.find("733000222")), Ids{"181"});
    EXPECT_EQ(daemon.operators().size(), 9U);
    EXPECT_EQ(daemon.find("201").colleague, "Anna Nováková");
    server_.start();
    EXPECT_TRUE(daemon.until([&] { return daemon.up() == true && daemon.full_reads() > 0; })) << daemon.log();
    EXPECT_TRUE(daemon.find("601234567").rechecked);
}

TEST_F(PeopleTest, a_cache_of_another_database_or_a_damaged_one_is_not_used) {
    {
        test::Daemon daemon(config_);
        daemon.start();
    }
    auto other = config_;
    other.crm.schema = "elsewhere";
    EXPECT_FALSE(test::Daemon(other).callers().loaded());
    {
        test::Daemon daemon(config_);
        daemon.start();
    }
    std::filesystem::resize_file(state_.path() / "people.sqlite", 100);
    test::Daemon daemon(config_);
    EXPECT_FALSE(daemon.callers().loaded());
    daemon.start();
    EXPECT_EQ(test::ids(daemon.find("777111222")), Ids{"181"});
}

TEST_F(PeopleTest, a_hung_server_does_not_hold_a_pop_beyond_the_budget) {
    config_.budget = std::chrono::milliseconds(150);
    test::Daemon daemon(config_);
    daemon.start();
    static_cast<void>(daemon.find("601234567"));
    server_.freeze();
    // the threads of a stopped process end their turn
    EXPECT_TRUE(daemon.until([&] { return !daemon.find("601234567").rechecked; })) << daemon.log();
    for (int i = 0; i < 3; ++i) {
        const auto began = Clock::now();
        const auto lookup = daemon.find("601234567");
        EXPECT_LT(Clock::now() - began, std::chrono::milliseconds(600));
        EXPECT_EQ(test::ids(lookup), (Ids{"179", "178"}));
        EXPECT_FALSE(lookup.rechecked);
    }
    EXPECT_TRUE(daemon.until([&] { return daemon.up() == false; })) << daemon.log();
    server_.thaw();
    EXPECT_TRUE(daemon.until([&] { return daemon.up() == true; })) << daemon.log();
}

TEST_F(PeopleTest, a_server_killed_in_the_middle_is_found_again) {
    test::Daemon daemon(config_);
    daemon.start();
    server_.kill();
    EXPECT_EQ(test::ids(daemon.find("601234567")), (Ids{"179", "178"}));
    EXPECT_TRUE(daemon.until([&] { return daemon.up() == false; })) << daemon.log();
    EXPECT_EQ(test::ids(daemon.find("777111222")), Ids{"181"});
    server_.start();
    EXPECT_TRUE(daemon.until([&] { return daemon.up() == true; })) << daemon.log();
    EXPECT_TRUE(daemon.until([&] { return daemon.find("601234567").rechecked; })) << daemon.log();
}

TEST_F(PeopleTest, bad_access_is_named_and_holds_nothing_up) {
    server_.run(
        "DROP USER IF EXISTS 'reader'@'127.0.0.1'; CREATE USER 'reader'@'127.0.0.1' IDENTIFIED BY 'right'; "
        "GRANT SELECT ON vt.vtiger_users TO 'reader'@'127.0.0.1'");
    struct Bad {
        const char* schema;
        const char* password;
        const char* says;
    };
    for (const auto& one : std::vector<Bad>{
             {"vt", "wrong", "denied"}, {"nowhere", "right", "nowhere"}, {"vt", "right", "denied"}}) {
        config_.crm = server_.tcp_url(one.schema, "reader", one.password);
        test::Daemon daemon(config_);
        daemon.start();
        EXPECT_EQ(daemon.up(), false);
        EXPECT_NE(daemon.detail().find(one.says), std::string::npos) << daemon.detail();
        EXPECT_EQ(daemon.log().find("wrong"), std::string::npos)
            << "the password is in the log: " << daemon.log();
        const auto lookup = daemon.find("601234567");
        EXPECT_TRUE(lookup.matches.empty());
        EXPECT_NE(lookup.why.find("not loaded"), std::string::npos) << lookup.why;
    }
}

TEST_F(PeopleTest, pending_questions_are_answered_when_it_ends) {
    config_.budget = std::chrono::seconds(60);
    test::Daemon daemon(config_);
    daemon.start();
    server_.freeze();
    int answered = 0;
    daemon.callers().find("601234567", "hq", "", [&](const crm::Lookup& lookup) {
        ++answered;
        EXPECT_EQ(lookup.matches.size(), 2U);
    });
    server_.thaw();
    daemon.end();
    EXPECT_EQ(answered, 1);
}

TEST_F(PeopleTest, our_own_table_says_more_than_the_crm) {
    server_.fresh("own");
    config_.own = server_.url("own");
    crm::migrate(config_);
    server_.run(
        "INSERT INTO cti_operator (jid, crm_user, pbx, extension, role) VALUES "
        "('Anna.N@Example.org','5','hq','209','supervisor'), "
        "('robot@example.org',NULL,'hq','208','operator'), "
        "('boris@example.org',NULL,NULL,NULL,'administrator'), "
        "('gone@example.org','4711','hq','299','operator');"
        "INSERT INTO cti_operator_device (jid, device) VALUES ('boris@example.org', 'PJSIP/boris-home');"
        "INSERT INTO cti_service (name, pbx, queue) VALUES ('support', 'hq', 'support')",
        "own");
    test::Daemon daemon(config_);
    daemon.start();
    std::map<std::string, crm::Operator> people;
    for (const auto& one : daemon.operators()) people[one.jid] = one;
    EXPECT_FALSE(people.contains("anna@example.org"));
    EXPECT_EQ(people.at("anna.n@example.org").extension, "209");
    EXPECT_EQ(people.at("anna.n@example.org").name, "Anna Nováková");
    EXPECT_EQ(people.at("robot@example.org").extension, "208");
    EXPECT_EQ(people.at("anna.n@example.org").role, crm::Role::supervisor);
    // a row without the CRM's id extends the user who has that JID
    EXPECT_EQ(people.at("boris@example.org").extension, "202");
    EXPECT_EQ(people.at("boris@example.org").crm_user, "6");
    EXPECT_EQ(people.at("boris@example.org").role, crm::Role::administrator);
    EXPECT_EQ(people.at("boris@example.org").devices, std::vector<std::string>{"PJSIP/boris-home"});
    EXPECT_FALSE(people.contains("gone@example.org"));  // the CRM no longer has that user
    ASSERT_TRUE(daemon.until([&] { return daemon.callers().own().services.size() == 1; }));
    // off here is off, whatever the CRM says; and a change is seen
    server_.run(
        "UPDATE cti_operator SET active=0 WHERE jid='boris@example.org'; UPDATE cti_service SET enabled=0",
        "own");
    EXPECT_TRUE(daemon.until([&] {
        const auto found = std::ranges::find(daemon.operators(), "boris@example.org", &crm::Operator::jid);
        return found != daemon.operators().end() && !found->active &&
               !daemon.callers().own().services[0].enabled;
    }));
}

TEST_F(PeopleTest, our_own_tables_are_known_while_no_database_can_be_asked) {
    server_.fresh("own");
    config_.own = server_.url("own");
    crm::migrate(config_);
    server_.run(
        "INSERT INTO cti_operator (jid, crm_user, extension, role) VALUES "
        "('anna.n@example.org','5','209','supervisor');"
        "INSERT INTO cti_operator_device (jid, device) VALUES ('anna.n@example.org', 'PJSIP/anna');"
        "INSERT INTO cti_service (name, pbx, queue, pop_rule) VALUES ('support', 'hq', 'support', "
        "'answered');"
        "INSERT INTO cti_service_variable (service, variable, place) VALUES ('support', 'b', 0), ('support', "
        "'a', 1);"
        "INSERT INTO cti_seat (id, pbx, extension) VALUES ('4', 'hq', '204')",
        "own");
    crm::Roster before;
    std::vector<crm::Operator> people;
    {
        test::Daemon daemon(config_);
        daemon.start();
        ASSERT_TRUE(daemon.until([&] { return daemon.callers().own().services.size() == 1; }));
        before = daemon.callers().own();
        people = daemon.operators();
    }
    server_.stop();
    test::Daemon daemon(config_);
    crm::Roster told;
    daemon.callers().on_own([&](const crm::Roster& own) { told = own; });
    daemon.start();
    EXPECT_EQ(daemon.up(), false);
    EXPECT_EQ(told, before);
    EXPECT_EQ(told.services[0].variables, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(told.services[0].pop, crm::PopRule::answered);
    EXPECT_EQ(daemon.operators(), people);
    server_.start();
}

TEST(People, an_unknown_adapter_is_refused_with_the_names_of_those_there_are) {
    test::TemporaryDirectory state;
    crm::Config config;
    config.sql_dir = test::sql_dir();
    config.state = state.path();
    for (const char* name : {"sugar", "../vtiger", "ctibridge", ""}) {
        config.adapter = name;
        try {
            test::Daemon daemon(config);
            FAIL() << name;
        } catch (const std::runtime_error& e) {
            EXPECT_NE(std::string(e.what()).find("vtiger"), std::string::npos) << e.what();
        }
    }
}

}  // namespace
