#include "call_log_fixture.hpp"
#include "crm/applier.hpp"
#include "cutting_proxy.hpp"

namespace {

using namespace std::chrono_literals;
using crm::Disposition;
using crm::Millis;
using test::CallLogTest;

TEST_P(CallLogTest, a_call_is_one_row_from_ringing_to_its_end) {
    const auto id = new_id();
    auto log = open();
    const auto ringing = inbound(id);
    log->record(ringing);
    drain(*log);
    expect_one_row(id);
    auto row = in_crm(id);
    EXPECT_EQ(row.text(0, "callstatus"), "ringing");
    EXPECT_EQ(row.text(0, "direction"), "inbound");
    EXPECT_EQ(row.text(0, "starttime"), "2026-11-20 15:08:49");
    EXPECT_EQ(row.at(0, "endtime"), std::nullopt);
    EXPECT_EQ(row.text(0, "customer"), "179");
    EXPECT_EQ(row.text(0, "customertype"), "Contacts");
    EXPECT_EQ(row.text(0, "customernumber"), "+420601234567");
    EXPECT_EQ(row.text(0, "label"), "+420601234567");
    EXPECT_EQ(row.text(0, "gateway"), "PBXManager");
    EXPECT_EQ(row.text(0, "smownerid"), "5");
    EXPECT_EQ(row.at(0, "user"), std::nullopt);

    log->record(answered(ringing));
    drain(*log);
    row = in_crm(id);
    EXPECT_EQ(row.text(0, "callstatus"), "in-progress");
    EXPECT_EQ(row.text(0, "smownerid"), "6");
    EXPECT_EQ(row.text(0, "user"), "6");

    log->record(ended(answered(ringing)));
    drain(*log);
    expect_one_row(id);
    row = in_crm(id);
    EXPECT_EQ(row.text(0, "callstatus"), "completed");
    EXPECT_EQ(row.text(0, "endtime"), "2026-11-20 15:09:56");
    EXPECT_EQ(row.text(0, "totalduration"), "67");
    EXPECT_EQ(row.text(0, "billduration"), "60");
    EXPECT_EQ(row.text(0, "deleted"), "0");

    const auto ours = in_log(id);
    EXPECT_EQ(
        server().value("SELECT CAST(started AS CHAR) FROM cti_call WHERE id = '" + id + "'", "ctibridge"),
        "2026-11-20 15:08:49.900");
    EXPECT_EQ(server().value("SELECT CAST(ended AS CHAR) FROM cti_call WHERE id = '" + id + "'", "ctibridge"),
              "2026-11-20 15:09:56.900");
    EXPECT_EQ(ours.text(0, "disposition"), "answered");
    EXPECT_EQ(ours.text(0, "answered_by"), "boris@example.org");
    EXPECT_EQ(ours.text(0, "wait_ms"), "7000");
    EXPECT_EQ(ours.text(0, "talk_ms"), "60000");
    EXPECT_EQ(ours.text(0, "caller_name"), "A LEE");
    EXPECT_EQ(ours.text(0, "direction"), "inbound");
    for (const auto* absent : {"merged_into", "service", "queue", "request", "recording", "note", "code"})
        EXPECT_EQ(ours.at(0, absent), std::nullopt) << absent;
    expect_no_orphans();
}

TEST_P(CallLogTest, legs_of_a_merged_call_move_with_it_however_late_they_come) {
    crm::Applier applier(config);
    ASSERT_TRUE(applier.connect());
    const auto older = new_id(), young = new_id();
    const auto put = [&](std::int64_t revision, const crm::Fact& fact) {
        ASSERT_TRUE(applier.apply({0, revision, fact, true}));
    };
    const auto before = crm::fact_of(inbound(young));
    const auto first = crm::fact_of(crm::LegRow{young, "1.7", "anna@example.org", "201", {}, {}, {}, ""});
    const auto second = crm::fact_of(crm::LegRow{young, "1.8", "anna@example.org", "201", {}, {}, {}, ""});
    auto merged = inbound(young);
    merged.merged_into = older;
    put(1, crm::fact_of(inbound(older)));
    put(2, before);
    put(3, first);
    put(4, second);
    put(5, crm::fact_of(merged));
    put(6, crm::fact_of(crm::LegRow{older, "1.7", "anna@example.org", "201", {}, {}, {}, "transferred"}));
    // again, and late
    put(2, before);
    put(3, first);
    put(4, second);
    put(5, crm::fact_of(merged));
    const auto legs = server().run(
        "SELECT * FROM cti_leg WHERE `call` IN ('" + older + "', '" + young + "') ORDER BY uniqueid",
        "ctibridge");
    ASSERT_EQ(legs.size(), 2U);
    EXPECT_EQ(legs.text(0, "call"), older);
    EXPECT_EQ(legs.text(0, "cause"), "transferred");
    EXPECT_EQ(legs.text(1, "call"), older);
}

TEST_P(CallLogTest, legs_and_dial_requests_are_rows_of_their_own) {
    auto log = open();
    const auto id = new_id();
    crm::LegRow leg{id, "1.7", "anna@example.org", "201", Millis{1'795'187'330'001}, {}, {}, ""};
    log->record(leg);
    leg.answered = Millis{1'795'187'331'002};
    leg.ended = Millis{1'795'187'332'003};
    leg.cause = "hangup";
    log->record(leg);
    crm::LegRow other{id, "1.7", "boris@example.org", "201", {}, {}, {}, "answered-elsewhere"};
    log->record(other);
    crm::DialRow dial{"ctd-" + id,
                      "anna@example.org",
                      "hq",
                      "201",
                      "+44 (0)20 7946 0018",
                      "02079460018",
                      "Contacts",
                      "12",
                      "",
                      "accepted",
                      Millis{1'795'187'330'000}};
    log->record(dial);
    dial.id = "refused-" + id;
    dial.outcome = "refused:deny";
    log->record(dial);
    drain(*log);
    const auto legs = server().run(
        "SELECT *, CAST(offered AS CHAR) AS o, CAST(answered AS CHAR) AS a, CAST(ended AS CHAR) AS e FROM "
        "cti_leg WHERE `call` = '" +
            id + "' ORDER BY jid",
        "ctibridge");
    ASSERT_EQ(legs.size(), 2U);
    EXPECT_EQ(legs.text(0, "extension"), "201");
    EXPECT_EQ(legs.text(0, "o"), "2026-11-20 15:08:50.001");
    EXPECT_EQ(legs.text(0, "a"), "2026-11-20 15:08:51.002");
    EXPECT_EQ(legs.text(0, "e"), "2026-11-20 15:08:52.003");
    EXPECT_EQ(legs.text(0, "cause"), "hangup");
    EXPECT_EQ(legs.at(1, "a"), std::nullopt);
    EXPECT_EQ(legs.text(1, "cause"), "answered-elsewhere");
    EXPECT_EQ(server().value("SELECT CONCAT_WS('|', jid, number, dialed, outcome, CAST(at AS CHAR), "
                             "COALESCE(service, 'null')) FROM cti_dial WHERE id = 'ctd-" +
                                 id + "'",
                             "ctibridge"),
              "anna@example.org|+44 (0)20 7946 0018|02079460018|accepted|2026-11-20 15:08:50.000|null");
    EXPECT_EQ(server().value("SELECT outcome FROM cti_dial WHERE id = 'refused-" + id + "'", "ctibridge"),
              "refused:deny");
}

struct StatusCase {
    Disposition disposition;
    bool was_answered;
    std::string status;
};
TEST_P(CallLogTest, the_end_of_a_call_is_named_as_vtiger_names_it_also_when_it_is_written_late) {
    auto log = open();
    for (const auto& one :
         {StatusCase{Disposition::answered, true, "completed"}, StatusCase{Disposition::busy, false, "busy"},
          StatusCase{Disposition::no_answer, false, "no-answer"},
          StatusCase{Disposition::abandoned, false, "no-answer"},
          StatusCase{Disposition::failed, false, "failed"},
          StatusCase{Disposition::lost, false, "no-response"},
          StatusCase{Disposition::lost, true, "completed"}}) {
        const auto id = new_id();
        const auto row = inbound(id);
        log->record(ended(one.was_answered ? answered(row) : row, one.disposition));
        drain(*log);
        expect_one_row(id);
        const auto in = in_crm(id);
        EXPECT_EQ(in.text(0, "callstatus"), one.status);
        EXPECT_EQ(in.text(0, "totalduration"), "67");
        EXPECT_EQ(in.text(0, "billduration"), one.was_answered ? "60" : "0");
        EXPECT_EQ(in.at(0, "user").has_value(), one.was_answered);
    }
}

struct OwnerCase {
    std::string crm_owner, record, expected;
};
TEST_P(CallLogTest, the_owner_is_always_alive) {
    // From the sample: 5 anna, 6 boris live; 11 gita inactive; 208 is owned by a group; 179's owner is live;
    // 1 is the first user.
    const auto owner_of_179 =
        server().value("SELECT smownerid FROM vtiger_crmentity WHERE crmid = 179", "vtiger");
    const auto group = server().value("SELECT smownerid FROM vtiger_crmentity WHERE crmid = 208", "vtiger");
    auto log = open();
    for (const auto& one :
         {OwnerCase{"6", "179", "6"}, OwnerCase{"11", "179", owner_of_179},
          OwnerCase{"", "179", owner_of_179}, OwnerCase{"0", "179", owner_of_179},
          OwnerCase{"5abc", "179", owner_of_179}, OwnerCase{"99999", "208", group}, OwnerCase{"", "", "1"},
          OwnerCase{"-1", "187", "1"} /* deleted record */, OwnerCase{"", "424242", "1"}}) {
        const auto id = new_id();
        auto row = ended(answered(inbound(id)));
        row.crm_owner = one.crm_owner;
        row.record = one.record;
        if (row.record.empty()) row.module.clear();
        log->record(row);
        drain(*log);
        expect_one_row(id);
        EXPECT_EQ(in_crm(id).text(0, "smownerid"), one.expected) << one.crm_owner << " " << one.record;
    }
    expect_no_orphans();
}

TEST_P(CallLogTest, only_a_live_record_of_that_module_becomes_the_customer) {
    auto log = open();
    struct Case {
        std::string module, record, customer, type;
    };
    for (const auto& one :
         {Case{"Contacts", "179", "179", "Contacts"}, Case{"Accounts", "178", "178", "Accounts"},
          Case{"Leads", "179", "", ""}, Case{"Contacts", "187", "", ""} /* deleted */, Case{"", "", "", ""},
          Case{"Contacts", "179 OR 1=1", "", ""}, Case{"", "179", "179", "Contacts"}}) {
        const auto id = new_id();
        auto row = inbound(id);
        row.module = one.module;
        row.record = one.record;
        log->record(row);
        drain(*log);
        expect_one_row(id);
        EXPECT_EQ(in_crm(id).text(0, "customer"), one.customer) << one.module << one.record;
        EXPECT_EQ(in_crm(id).text(0, "customertype"), one.type);
    }
}

TEST_P(CallLogTest, what_people_did_to_the_row_in_the_crm_stays) {
    auto log = open();
    const auto id = new_id();
    auto row = ended(answered(inbound(id)));
    row.module.clear();
    row.record.clear();
    log->record(row);
    drain(*log);
    const auto crm_id = in_crm(id).text(0, "pbxmanagerid");
    server().run("UPDATE vtiger_crmentity SET smownerid = 7 WHERE crmid = " + crm_id +
                     "; UPDATE vtiger_pbxmanager SET customer = '195', customertype = 'Contacts' WHERE "
                     "pbxmanagerid = " +
                     crm_id,
                 "vtiger");
    row.recording = "https://pbx.example/rec/1";
    log->record(row);
    drain(*log);
    EXPECT_EQ(in_crm(id).text(0, "smownerid"), "7");
    EXPECT_EQ(in_crm(id).text(0, "customer"), "195");
    EXPECT_EQ(in_crm(id).text(0, "recordingurl"), "https://pbx.example/rec/1");
    server().run("DELETE FROM vtiger_crmentity WHERE crmid = " + crm_id,
                 "vtiger");  // emptied from the recycle bin
    row.code = "sale";
    log->record(row);
    drain(*log);
    EXPECT_EQ(in_crm(id).size(), 0U);
    EXPECT_EQ(in_log(id).text(0, "code"), "sale");
}

TEST_P(CallLogTest, a_merged_call_goes_to_the_recycle_bin_and_its_ledger_row_stays) {
    auto log = open();
    const auto id = new_id(), older = new_id(), never_shown = new_id();
    auto row = inbound(id);
    log->record(row);
    log->record(inbound(older));
    row.merged_into = older;
    log->record(ended(row, Disposition::none));
    auto unseen = inbound(never_shown);
    unseen.merged_into = older;
    log->record(unseen);
    log->record(ended(answered(inbound(older))));
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(in_crm(id).text(0, "deleted"), "1");
    EXPECT_EQ(in_log(id).text(0, "merged_into"), older);
    expect_one_row(older);
    EXPECT_EQ(in_crm(older).text(0, "deleted"), "0");
    EXPECT_EQ(in_crm(older).text(0, "callstatus"), "completed");
    EXPECT_EQ(in_crm(never_shown).size(), 0U);
    EXPECT_EQ(in_log(never_shown).size(), 1U);
}

TEST_P(CallLogTest, what_is_not_for_the_crm_is_only_ours) {
    auto log = open();
    const auto id = new_id();
    auto row = ended(answered(inbound(id)));
    row.direction = crm::Direction::internal;
    row.to_crm = false;
    log->record(row);
    drain(*log);
    EXPECT_EQ(in_crm(id).size(), 0U);
    EXPECT_EQ(ledger(id).size(), 0U);
    EXPECT_EQ(in_log(id).text(0, "direction"), "internal");
}

TEST_P(CallLogTest, a_note_is_one_comment_of_the_customer_however_often_it_changes) {
    auto log = open();
    const auto id = new_id();
    auto row = ended(answered(inbound(id)));
    log->record(row);
    row.note = "first words of " + id;
    log->record(row);
    row.note = "last words of " + id + " \xF0\x9F\x98\x80";
    row.code = "sale";
    log->record(row);
    log->record(row);
    drain(*log);
    const auto notes = server().run(
        "SELECT m.*, e.setype, e.smownerid, e.label, c.modcommentsid AS cf FROM vtiger_modcomments m JOIN "
        "vtiger_crmentity e ON e.crmid = m.modcommentsid "
        "JOIN vtiger_modcommentscf c ON c.modcommentsid = m.modcommentsid WHERE m.commentcontent LIKE "
        "'%words of " +
            id + " %'",
        "vtiger");
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_EQ(notes.text(0, "related_to"), "179");
    EXPECT_EQ(notes.text(0, "setype"), "ModComments");
    EXPECT_EQ(notes.text(0, "smownerid"), "6");
    EXPECT_EQ(notes.text(0, "commentcontent").substr(0, 7), "[sale] ");
    EXPECT_EQ(in_log(id).text(0, "note"), row.note);
    expect_no_orphans();
}

TEST_P(CallLogTest, hostile_texts_are_stored_as_they_are_or_cut_at_a_character_and_never_stop_the_log) {
    auto log = open();
    const std::string emoji = "\xF0\x9F\x98\x80";
    std::string long_name;
    for (int i = 0; i < 2500; ++i) long_name += emoji;  // 10 kB
    struct Case {
        std::string name, expected;
    };
    std::string cut;
    for (int i = 0; i < 190; ++i) cut += emoji;
    for (const auto& one : {Case{"\"OR/**/1=1#", "\"OR/**/1=1#"},
                            Case{"'); DROP TABLE cti_call; --", "'); DROP TABLE cti_call; --"},
                            Case{"<script>alert(1)</script>", "<script>alert(1)</script>"},
                            Case{long_name, cut}, Case{std::string("a\0b\x01\x1b[31mc", 11), "ab[31mc"},
                            Case{"bad \xff\xfe\xc3 utf8", "bad \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD utf8"},
                            Case{"\xE2\x80\xAE right to left", "\xE2\x80\xAE right to left"},
                            Case{"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, Case{"\\", "\\"}}) {
        const auto id = new_id();
        auto row = ended(answered(inbound(id)));
        row.caller_name = row.label = row.note = row.code = row.service = row.queue = row.request =
            row.recording = one.name;
        row.caller_number = one.name;
        row.module = one.name;
        log->record(row);
        drain(*log);
        EXPECT_EQ(log->status().set_aside, 0U) << lines();
        expect_one_row(id);
        EXPECT_EQ(in_log(id).text(0, "caller_name"), one.expected);
        EXPECT_EQ(in_crm(id).at(0, "customer"), std::nullopt);
        EXPECT_FALSE(in_crm(id).text(0, "customernumber").empty());
    }
    expect_no_orphans();
}

TEST_P(CallLogTest, an_outbound_call_belongs_to_the_operator_who_dialled) {
    auto log = open();
    const auto id = new_id();
    auto row = inbound(id);
    row.direction = crm::Direction::outbound;
    row.caller_number = "201";
    row.dialed_number = "+420541000111";
    log->record(row);
    drain(*log);
    const auto in = in_crm(id);
    EXPECT_EQ(in.text(0, "direction"), "outbound");
    EXPECT_EQ(in.text(0, "customernumber"), "+420541000111");
    EXPECT_EQ(in.text(0, "user"), "5");
    EXPECT_EQ(in.text(0, "smownerid"), "5");
}

TEST_P(CallLogTest, a_withheld_number_makes_a_row_that_can_be_clicked) {
    auto log = open();
    const auto id = new_id();
    auto row = inbound(id);
    row.caller_number = row.caller_name = row.module = row.record = "";
    log->record(row);
    drain(*log);
    EXPECT_EQ(in_crm(id).text(0, "customernumber"), "anonymous");
    EXPECT_EQ(in_log(id).at(0, "caller_number"), std::nullopt);
}

TEST_P(CallLogTest, every_fact_again_changes_nothing) {
    const auto id = new_id();
    const auto first = inbound(id);
    {
        auto log = open();
        log->record(first);
        log->record(ended(answered(first)));
        drain(*log);
    }
    const auto revision = in_log(id).text(0, "revision");
    // The same bytes with their old revision, as after a crash between the database's commit and our note of
    // it.
    crm::Sqlite file(config.state / "outbox.sqlite");
    const auto fact = crm::fact_of(first);
    ASSERT_TRUE(file.run(
        crm::parse_sql("INSERT INTO fact (kind, revision, at, body) VALUES (1, :revision, 1, :body)", "t")
            .at(0),
        {{"revision", std::int64_t{std::stoll(revision) - 1}}, {"body", crm::encode(fact.values)}}));
    auto log = open();
    drain(*log);
    expect_one_row(id);
    EXPECT_EQ(in_crm(id).text(0, "callstatus"), "completed");
    EXPECT_EQ(in_log(id).text(0, "disposition"), "answered");
    EXPECT_EQ(in_log(id).text(0, "revision"), revision);
}

INSTANTIATE_TEST_SUITE_P(Place, CallLogTest, test::all_places, test::place_name);

}  // namespace
