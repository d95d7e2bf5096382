// A call log over a private database with vTiger's tables, on each kind of server, with our tables beside the
// CRM's and elsewhere.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "crm/call_log.hpp"
#include "crm/fact.hpp"
#include "crm/sqlite.hpp"
#include "database.hpp"
#include "owner.hpp"
#include "temporary.hpp"

namespace test {

struct Place {
    std::string name;
    bool mysql;
    bool elsewhere;  // our tables behind another login: the two are not one transaction
};

class CallLogTest : public testing::TestWithParam<Place> {
 protected:
    void SetUp() override {
        if (GetParam().mysql)
            if (const auto reason = Database::why_no_mysql(); !reason.empty()) GTEST_SKIP() << reason;
        server_ = GetParam().mysql ? &Database::mysql() : &Database::mariadb();
        load_once(*server_);
        config = make_config();
        crm::migrate(config);
    }

    [[nodiscard]] crm::Config make_config() const {
        crm::Config out;
        out.sql_dir = sql_dir();
        out.state = state.path();
        // With the rights we tell administrators to give, and no more.
        out.crm = server_->tcp_url("vtiger", "ctibridge", "CHANGE-ME");
        out.own = GetParam().elsewhere ? server_->tcp_url("ctibridge", "bridge", "s3cret")
                                       : server_->tcp_url("ctibridge", "ctibridge", "CHANGE-ME");
        return out;
    }
    std::unique_ptr<crm::CallLog> open(const crm::Config& with) {
        auto log = std::make_unique<crm::CallLog>(with, owner.post(), [this](int, std::string_view line) {
            const std::scoped_lock guard(mutex_);
            lines_ += std::string(line) + "\n";
        });
        log->start();
        return log;
    }
    std::unique_ptr<crm::CallLog> open() { return open(config); }
    [[nodiscard]] std::string lines() {
        const std::scoped_lock guard(mutex_);
        return lines_;
    }
    void drain(crm::CallLog& log, std::chrono::seconds patience = std::chrono::seconds(20)) {
        ASSERT_TRUE(owner.run_until([&] { return log.status().depth == 0; }, patience))
            << log.status().last_error << "\n"
            << lines();
    }
    // An id no other test uses.
    static std::string new_id() {
        static std::atomic<long> next = 0;
        return "hq:1795187329." + std::to_string(++next);
    }
    static crm::CallRow inbound(const std::string& id) {
        crm::CallRow row;
        row.id = id;
        row.pbx = "hq";
        row.linkedid = id.substr(3);
        row.caller_number = "+420601234567";
        row.caller_name = "A LEE";
        row.dialed_number = "02079460201";
        row.module = "Contacts";
        row.record = "179";
        row.label = "Ann Lee";
        row.started = crm::Millis{1'795'187'329'900};  // 2026-11-20 15:08:49.900
        row.crm_owner = "5";
        return row;
    }
    static crm::CallRow answered(crm::CallRow row) {
        row.answered = row.started + crm::Millis{7'000};
        row.wait = crm::Millis{7'000};
        row.answered_by = "boris@example.org";
        row.crm_owner = "6";
        return row;
    }
    static crm::CallRow ended(crm::CallRow row, crm::Disposition how = crm::Disposition::answered) {
        row.ended = row.started + crm::Millis{67'000};
        row.disposition = how;
        if (row.answered) row.talk = *row.ended - *row.answered;
        return row;
    }
    // The call's rows in the CRM with all that belongs to them.
    crm::Rows in_crm(const std::string& id) {
        return server_->run(
            "SELECT p.*, e.smownerid, e.smcreatorid, e.setype, e.label, e.deleted, e.createdtime, "
            "c.pbxmanagerid AS cf "
            "FROM vtiger_pbxmanager p LEFT JOIN vtiger_crmentity e ON e.crmid = p.pbxmanagerid "
            "LEFT JOIN vtiger_pbxmanagercf c ON c.pbxmanagerid = p.pbxmanagerid WHERE p.sourceuuid = '" +
                id + "'",
            "vtiger");
    }
    crm::Rows in_log(const std::string& id) {
        return server_->run("SELECT * FROM cti_call WHERE id = '" + id + "'", "ctibridge");
    }
    crm::Rows ledger(const std::string& id) {
        return server_->run("SELECT * FROM cti_crm_row WHERE `call` = '" + id + "'", "ctibridge");
    }
    // Exactly one of each, joined; no record of ours anywhere without its row.
    void expect_one_row(const std::string& id) {
        const auto rows = in_crm(id);
        ASSERT_EQ(rows.size(), 1U) << id;
        EXPECT_EQ(rows.text(0, "setype"), "PBXManager");
        EXPECT_EQ(rows.text(0, "cf"), rows.text(0, "pbxmanagerid"));
        const auto in_ledger = ledger(id);
        ASSERT_EQ(in_ledger.size(), 1U) << id;
        EXPECT_EQ(in_ledger.text(0, "crm_id"), rows.text(0, "pbxmanagerid"));
        EXPECT_EQ(in_log(id).size(), 1U) << id;
        EXPECT_EQ(in_log(id).text(0, "revision"), in_ledger.text(0, "revision"));
    }
    void expect_no_orphans() {
        EXPECT_EQ(server_->value(
                      "SELECT COUNT(*) FROM vtiger_crmentity e LEFT JOIN vtiger_pbxmanager p ON "
                      "p.pbxmanagerid = e.crmid "
                      "LEFT JOIN vtiger_modcomments m ON m.modcommentsid = e.crmid "
                      "WHERE e.source = 'CTIBRIDGE' AND p.pbxmanagerid IS NULL AND m.modcommentsid IS NULL",
                      "vtiger"),
                  "0");
        EXPECT_EQ(server_->value(
                      "SELECT COUNT(*) FROM vtiger_crmentity WHERE source = 'CTIBRIDGE' AND smownerid = 0",
                      "vtiger"),
                  "0");
    }
    Database& server() { return *server_; }

    TemporaryDirectory state;
    Owner owner;
    crm::Config config;

 private:
    static void load_once(Database& server) {
        static std::set<Database*> loaded;
        if (!loaded.insert(&server).second) return;
        server.fresh_vtiger("vtiger");
        auto grants = read_file(sql_dir().parent_path() / "etc/mysql/grants.sql") +
                      "CREATE USER 'bridge'@'localhost' IDENTIFIED BY 's3cret'; GRANT ALL ON ctibridge.* TO "
                      "'bridge'@'localhost';";
        for (std::string::size_type at = 0; (at = grants.find("localhost", at)) != std::string::npos;)
            grants.replace(at, 9, "127.0.0.1");
        server.run(grants);
    }
    Database* server_ = nullptr;
    std::mutex mutex_;
    std::string lines_;
};

inline const auto all_places =
    testing::Values(Place{"mariadb", false, false}, Place{"mariadb_elsewhere", false, true},
                    Place{"mysql", true, false}, Place{"mysql_elsewhere", true, true});
inline std::string place_name(const testing::TestParamInfo<Place>& row) {
    return row.param.name;
}

}  // namespace test
