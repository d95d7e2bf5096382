// The call log while links break, servers die, locks are held, tables are missing and values do not fit. What
// counts is what the database holds in the end: each call once, whole, as its newest fact says.
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call_log_fixture.hpp"
#include "crm/applier.hpp"
#include "cutting_proxy.hpp"

namespace {

using namespace std::chrono_literals;
using crm::Disposition;
using test::CuttingProxy;
using testing::ElementsAre;
using testing::HasSubstr;

class CallLogFault : public test::CallLogTest {
 protected:
    // The same databases, through the proxy.
    crm::Config through(const CuttingProxy& proxy) const {
        auto out = config;
        out.crm.port = out.own.port = proxy.port();
        return out;
    }
    std::string final_state(const std::string& id) {
        const auto row = in_crm(id);
        return row.text(0, "callstatus") + " " + row.text(0, "smownerid") + " " + row.text(0, "user") + " " +
               row.text(0, "totalduration") + " " + row.text(0, "billduration") + " " +
               row.text(0, "customer") + " " + in_log(id).text(0, "disposition");
    }
    std::string notes_of(const std::string& text) {
        return server().value("SELECT COUNT(*) FROM vtiger_modcomments WHERE commentcontent = '" + text + "'",
                              "vtiger");
    }
};

TEST_P(CallLogFault, a_link_lost_at_any_command_leaves_one_row_and_one_note) {
    CuttingProxy proxy(server().port());
    auto log = open(through(proxy));
    for (const auto cut : {CuttingProxy::Cut::before, CuttingProxy::Cut::after}) {
        long reached = 0;
        for (long at = 1;; ++at) {
            const auto id = new_id();
            auto row = ended(answered(inbound(id)));
            row.note = "note of " + id;
            proxy.cut_at(at, cut);
            log->record(row);
            drain(*log);
            expect_one_row(id);
            EXPECT_EQ(final_state(id), "completed 6 6 67 60 179 answered") << "cut at command " << at;
            EXPECT_EQ(notes_of(row.note), "1") << "cut at command " << at;
            if (!proxy.has_cut()) break;
            reached = at;
        }
        EXPECT_GT(reached, 20);
    }
    EXPECT_EQ(log->status().set_aside, 0U) << lines();
    expect_no_orphans();
}

TEST_P(CallLogFault, a_link_lost_at_any_command_of_a_call_from_ringing_to_its_end_leaves_one_row) {
    CuttingProxy proxy(server().port());
    auto log = open(through(proxy));
    std::mt19937 random(7);
    for (int round = 0; round < 25; ++round) {
        const auto id = new_id();
        const auto row = inbound(id);
        proxy.cut_at(static_cast<long>(1 + random() % 90),
                     random() % 2 == 0 ? CuttingProxy::Cut::before : CuttingProxy::Cut::after);
        log->record(row);
        log->record(answered(row));
        log->record(ended(answered(row)));
        drain(*log);
        expect_one_row(id);
        EXPECT_EQ(final_state(id), "completed 6 6 67 60 179 answered");
    }
    expect_no_orphans();
}

TEST_P(CallLogFault, a_database_that_is_down_for_a_while_gets_everything_afterwards_and_both_is_said) {
    server().stop();
    auto log = open();
    std::vector<bool> links;
    log->on_link([&](bool up, const std::string&) { links.push_back(up); });
    std::vector<std::string> ids;
    for (int i = 0; i < 30; ++i) {
        ids.push_back(new_id());
        log->record(inbound(ids.back()));
        log->record(ended(answered(inbound(ids.back()))));
    }
    EXPECT_TRUE(owner.run_until([&] { return !links.empty(); }));
    EXPECT_FALSE(log->status().database_up);
    EXPECT_FALSE(log->status().last_error.empty());
    EXPECT_GE(log->status().depth, 60U);
    EXPECT_GT(log->status().oldest.count(), 0);
    server().start();
    drain(*log);
    owner.run();
    EXPECT_THAT(links, ElementsAre(false, true));
    EXPECT_TRUE(log->status().database_up);
    EXPECT_EQ(log->status().oldest.count(), 0);
    for (const auto& id : ids) {
        expect_one_row(id);
        EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
    }
}

TEST_P(CallLogFault, a_database_killed_in_the_middle_loses_and_doubles_nothing) {
    auto log = open();
    std::vector<std::string> ids;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 20; ++i) {
            ids.push_back(new_id());
            log->record(inbound(ids.back()));
            log->record(ended(answered(inbound(ids.back()))));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(15 + 20 * round));
        server().kill();
        server().start();
        drain(*log);
    }
    for (const auto& id : ids) {
        expect_one_row(id);
        EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
    }
    expect_no_orphans();
}

TEST_P(CallLogFault, kill_9_of_the_daemon_at_random_moments_loses_and_doubles_nothing) {
    std::mt19937 random(11);
    std::vector<std::string> acknowledged;
    for (int round = 0; round < 6; ++round) {
        std::vector<std::string> ids;
        for (int i = 0; i < 40; ++i) ids.push_back(new_id());
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const int pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            auto log = open();
            for (std::size_t i = 0; i < ids.size(); ++i) {
                log->record(inbound(ids[i]));
                log->record(ended(answered(inbound(ids[i]))), [i, &ends](bool ok) {
                    const auto number = static_cast<unsigned char>(i);
                    if (ok && ::write(ends[1], &number, 1) != 1) ::_exit(1);
                });
                owner.run();
            }
            for (;;) owner.run_until([] { return false; });
        }
        ::close(ends[1]);
        unsigned char number = 0;
        ASSERT_EQ(::read(ends[0], &number, 1), 1);
        acknowledged.push_back(ids[number]);
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
        ::kill(pid, SIGKILL);
        while (::read(ends[0], &number, 1) == 1) acknowledged.push_back(ids[number]);
        ::close(ends[0]);
        ::waitpid(pid, nullptr, 0);
    }
    auto log = open();
    drain(*log);
    ASSERT_GT(acknowledged.size(), 20U);
    for (const auto& id : acknowledged) {
        expect_one_row(id);
        EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
    }
    expect_no_orphans();
}

TEST_P(CallLogFault, a_lock_that_somebody_holds_is_waited_for) {
    auto log = open();
    const auto id = new_id();
    const auto row = inbound(id);
    log->record(row);
    drain(*log);
    const auto crm_id = in_crm(id).text(0, "pbxmanagerid");
    crm::Mysql somebody(server().url("vtiger"), test::sql_dir());
    ASSERT_TRUE(somebody.connect());
    ASSERT_TRUE(somebody.begin());
    ASSERT_TRUE(somebody.run(crm::parse_sql(
        "UPDATE vtiger_crmentity SET description = 'being edited' WHERE crmid = " + crm_id, "t")));
    log->record(ended(answered(row)));
    EXPECT_TRUE(owner.run_until([&] { return !log->status().last_error.empty(); }));  // 2 s are over once
    EXPECT_EQ(log->status().depth, 1U);
    EXPECT_TRUE(log->status().database_up);
    ASSERT_TRUE(somebody.commit());
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
}

TEST_P(CallLogFault, a_deadlock_is_tried_again) {
    auto log = open();
    const auto id = new_id();
    const auto row = inbound(id);
    log->record(row);
    drain(*log);
    const auto crm_id = in_crm(id).text(0, "pbxmanagerid");
    const auto deadlocks = [&] {
        return server().value(
            "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'");
    };
    const auto before = deadlocks();
    // Somebody with much to undo, so that the server chooses us: holds our last row, then wants our first.
    crm::Mysql somebody(server().url("vtiger"), test::sql_dir());
    ASSERT_TRUE(somebody.connect());
    ASSERT_TRUE(somebody.begin());
    ASSERT_TRUE(somebody
                    .run(crm::parse_sql(
                        "UPDATE vtiger_contactdetails SET title = CONCAT('x', crm.n) WHERE 1 = 0", "t"))
                    .error()
                    .fault != crm::SqlFault::lost);
    ASSERT_TRUE(somebody.run(crm::parse_sql("UPDATE vtiger_users SET title = 'busy'", "t")));
    ASSERT_TRUE(somebody.run(crm::parse_sql(
        "UPDATE vtiger_pbxmanager SET gateway = 'PBXManager', recordingurl = 'x' WHERE pbxmanagerid = " +
            crm_id,
        "t")));
    log->record(ended(answered(row)));
    std::this_thread::sleep_for(300ms);  // ours holds the entity's row and waits for the call's
    const auto theirs = somebody.run(
        crm::parse_sql("UPDATE vtiger_crmentity SET description = 'edited' WHERE crmid = " + crm_id, "t"));
    if (theirs) {
        ASSERT_TRUE(somebody.commit());
    } else {
        EXPECT_EQ(theirs.error().fault, crm::SqlFault::retry);
        somebody.rollback();
    }
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
    EXPECT_EQ(log->status().set_aside, 0U);
    RecordProperty("deadlocks", before + " -> " + deadlocks());
}

TEST_P(CallLogFault,
       what_the_crm_can_never_take_is_set_aside_and_still_in_our_log_and_tried_again_at_the_next_start) {
    const auto id = new_id(), next = new_id();
    // Somebody's idea.
    server().run(
        "CREATE TRIGGER idea BEFORE UPDATE ON vtiger_pbxmanager FOR EACH ROW SET NEW.direction = REPEAT('x', "
        "99)",
        "vtiger");
    {
        auto log = open();
        log->record(ended(answered(inbound(id))));
        log->record(crm::LegRow{id, "1.1", "anna@example.org", "201", {}, {}, {}, "hangup"});
        drain(*log);
        EXPECT_EQ(log->status().set_aside, 1U);
        EXPECT_THAT(log->status().last_error, HasSubstr("vtiger/call_changed.sql"));
        EXPECT_THAT(lines(), HasSubstr("of " + id + " is set aside"));
    }
    EXPECT_EQ(in_log(id).text(0, "disposition"), "answered");
    EXPECT_EQ(server().value("SELECT cause FROM cti_leg WHERE `call` = '" + id + "'", "ctibridge"), "hangup");
    server().run("DROP TRIGGER idea", "vtiger");
    auto log = open();
    log->record(inbound(next));
    drain(*log);
    EXPECT_EQ(log->status().set_aside, 0U);
    EXPECT_EQ(final_state(id), "completed 6 6 67 60 179 answered");
    EXPECT_EQ(in_crm(id).size(), 1U);
    expect_one_row(next);
    expect_no_orphans();
}

TEST_P(CallLogFault, a_missing_table_is_said_and_waited_for) {
    const auto id = new_id();
    server().run("RENAME TABLE cti_leg TO away", "ctibridge");
    auto log = open();
    log->record(crm::LegRow{id, "1.1", "anna@example.org", "201", {}, {}, {}, "hangup"});
    EXPECT_TRUE(
        owner.run_until([&] { return log->status().last_error.find("cti_leg") != std::string::npos; }));
    EXPECT_FALSE(log->status().database_up);
    EXPECT_EQ(log->status().set_aside, 0U);
    server().run("RENAME TABLE away TO cti_leg", "ctibridge");
    drain(*log);
    EXPECT_EQ(server().value("SELECT cause FROM cti_leg WHERE `call` = '" + id + "'", "ctibridge"), "hangup");
}

TEST_P(CallLogFault, a_lost_ledger_is_found_again_by_the_call_id) {
    auto log = open();
    const auto id = new_id();
    log->record(inbound(id));
    drain(*log);
    const auto crm_id = in_crm(id).text(0, "pbxmanagerid");
    server().run("DELETE FROM cti_crm_row", "ctibridge");
    log->record(ended(answered(inbound(id))));
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(in_crm(id).text(0, "pbxmanagerid"), crm_id);
    EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
}

TEST_P(CallLogFault, an_id_that_another_record_has_is_never_written_over) {
    // The CRM was put back from a copy: its sequence gives ids that were given before.
    const auto others = [&] {  // records that are not ours, each as one line
        std::string out;
        const auto rows = server().run(
            "SELECT CONCAT_WS('|', e.crmid, e.setype, e.label, e.smownerid, e.modifiedtime, e.deleted, "
            "p.sourceuuid, m.commentcontent) AS one "
            "FROM vtiger_crmentity e LEFT JOIN vtiger_pbxmanager p ON p.pbxmanagerid = e.crmid "
            "LEFT JOIN vtiger_modcomments m ON m.modcommentsid = e.crmid WHERE COALESCE(e.source, '') <> "
            "'CTIBRIDGE' ORDER BY e.crmid",
            "vtiger");
        for (std::size_t i = 0; i < rows.size(); ++i) out += rows.text(i, "one") + "\n";
        return out;
    };
    auto log = open();
    const auto id = new_id();
    server().run("UPDATE vtiger_crmentity_seq SET id = 177", "vtiger");
    const auto before = others();
    auto row = ended(answered(inbound(id)));
    log->record(row);
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(others(), before);
    EXPECT_EQ(final_state(id), "completed 6 6 67 60 179 answered");
    server().run("UPDATE vtiger_crmentity_seq SET id = 177", "vtiger");
    row.note = "note of " + id;
    log->record(row);
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(notes_of(row.note), "1");
    EXPECT_EQ(others(), before);
    EXPECT_EQ(log->status().set_aside, 0U);
    server().run("UPDATE vtiger_crmentity_seq SET id = (SELECT MAX(crmid) FROM vtiger_crmentity)", "vtiger");
}

INSTANTIATE_TEST_SUITE_P(Place, CallLogFault, test::all_places, test::place_name);

}  // namespace
