"""A phone rings at a real Asterisk: the pop, its withdrawal and the rows."""
import time

import pytest
from company import ALFA, ANNA, BORIS, CLARA, HUGO, NOBODY, PAVEL, PAVEL_URL, in_order, states


def test_answered_call_from_pop_to_rows(calm):
    call = calm.inbound("201", PAVEL, "P DOLEZAL")
    phone = calm.phone("201")
    phone.wait("ringing")
    pop = calm.anna.expect(state="ringing")
    assert phone.ringing and not phone.talking          # the pop is there before anybody picked up
    assert pop.at - phone.rang_at() < 2
    assert (pop.type, pop.sender, pop.to.split("/")[0]) == ("headline", "cti.example.org", ANNA)
    assert (pop.pbx, pop.direction, pop.extension) == ("hq", "inbound", "201")
    assert pop.party.get("number") == PAVEL and pop.party.get("name") == "P DOLEZAL"
    assert pop.child("dialed").get("number") == "02079460201"
    [match] = pop.matches
    assert (match.get("module"), match.get("id"), match.get("label"), match.get("organization"), match.get("quality"), match.get("url")) == \
        ("Contacts", "120", "Pavel Doležal", "Truhlářství Zlín 4 s.r.o.", "exact", PAVEL_URL)
    assert "Pavel Doležal" in pop.body and PAVEL_URL in pop.body and pop.oob == PAVEL_URL
    assert pop.xml.find("{urn:xmpp:hints}no-store") is not None

    phone.accept()
    answered = calm.anna.expect(state="answered", leg=pop.leg)
    assert answered.id == pop.id and answered.body == ""
    time.sleep(1.2)
    call.hangup()
    ended = calm.anna.expect(state="ended", leg=pop.leg)
    assert ended.cause == "hangup"
    assert states(calm.anna, pop.leg) == ["ringing", "answered", "ended"]
    in_order(calm.anna.find())
    assert calm.boris.find() == [] and calm.clara.find() == []

    row = calm.call_row(pop.id)
    assert (row["pbx"], row["direction"], row["caller_number"], row["caller_name"], row["dialed_number"]) == ("hq", "inbound", PAVEL, "P DOLEZAL", "02079460201")
    assert (row["module"], str(row["record"]), row["disposition"], row["answered_by"]) == ("Contacts", "120", "answered", ANNA)
    assert row["started"] <= row["answered"] < row["ended"] and 1000 <= row["talk_ms"] < 6000
    assert row["id"] == "hq:" + row["linkedid"]
    [leg] = calm.leg_rows(pop.id, 1)
    assert (leg["uniqueid"], leg["jid"], leg["extension"], leg["cause"]) == (pop.leg, ANNA, "201", "hangup")
    assert leg["offered"] <= leg["answered"] < leg["ended"]
    crm = calm.crm_row(pop.id, "completed")
    assert (crm["direction"], str(crm["customer"]), crm["customertype"], crm["customernumber"]) == ("inbound", "120", "Contacts", PAVEL)
    assert (str(crm["user"]), crm["smownerid"], crm["deleted"], crm["setype"]) == ("5", 5, 0, "PBXManager")
    assert crm["billduration"] in (1, 2, 3) and crm["endtime"] is not None


def test_no_answer(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    ended = calm.anna.expect(timeout=15, state="ended", leg=pop.leg)        # RINGTIME of the dialplan
    assert ended.cause == "no-answer" and ended.body                        # a missed call is told in words
    call.wait("ended", 5)
    assert calm.call_row(pop.id)["disposition"] == "no-answer"
    [leg] = calm.leg_rows(pop.id, 1)
    assert leg["cause"] == "no-answer" and leg["answered"] is None
    crm = calm.crm_row(pop.id, "no-answer")
    assert str(crm["customer"]) == "120" and crm["billduration"] == 0


def test_caller_gives_up(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    call.hangup()
    assert calm.anna.expect(state="ended", leg=pop.leg).cause == "cancelled"
    assert calm.call_row(pop.id)["disposition"] == "no-answer"
    assert calm.leg_rows(pop.id, 1)[0]["cause"] == "cancelled"


def test_busy_phone(calm):
    calm.phone("201").behaviour = "busy"
    before = calm.crm_rows()
    call = calm.inbound("201", NOBODY)
    call.wait("ended")
    row = calm.only_call_row(caller_number=NOBODY, disposition="busy")
    assert calm.leg_rows(row["id"], 1)[0]["cause"] in ("busy", "rejected")
    calm.crm_row(row["id"], "busy")
    assert calm.crm_rows() == before + 1
    # What popped for an instant must be gone as well.
    assert calm.open_rings(calm.anna) == []


def test_operator_rejects_after_ringing(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    calm.phone("201").hangup()
    assert calm.anna.expect(state="ended", leg=pop.leg).cause in ("busy", "rejected")
    assert calm.call_row(pop.id)["disposition"] == "busy"


def test_phone_that_is_not_registered(calm):
    david = calm.site.client("david")
    try:
        number = "+420799000204"
        calm.inbound("204", number).wait("ended")
        row = calm.only_call_row(caller_number=number)
        assert row["disposition"] in ("failed", "no-answer") and row["answered_by"] is None
        assert david.find() == []
    finally:
        david.stop()
        calm.site.clients.remove(david)


def test_two_operators_ring_and_one_answers(calm):
    call = calm.provider.call("02079460901", PAVEL)
    anna, boris = calm.anna.expect(state="ringing"), calm.boris.expect(state="ringing")
    assert anna.id == boris.id and anna.leg != boris.leg
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    calm.boris.expect(state="answered", leg=boris.leg)
    assert calm.anna.expect(state="ended", leg=anna.leg).cause == "answered-elsewhere"
    call.hangup()
    assert calm.boris.expect(state="ended", leg=boris.leg).cause == "hangup"
    assert "answered-elsewhere" not in [n.cause for n in calm.boris.find()]
    row = calm.call_row(anna.id)
    assert (row["disposition"], row["answered_by"]) == ("answered", BORIS)
    assert {leg["jid"]: leg["cause"] for leg in calm.leg_rows(anna.id, 2)} == {ANNA: "answered-elsewhere", BORIS: "hangup"}
    assert calm.crm_row(anna.id, "completed")["smownerid"] == 6


@pytest.fixture
def second(calm):
    """One more device of 201, gone again afterwards: Dial(PJSIP/201) of colleagues rings one of them only."""
    if calm.pbx.tech != "PJSIP":
        yield None      # chan_sip has one contact for each peer: the same operator is dialled once
        return
    phone = calm.site.second_phone("201")
    yield phone
    calm.site.remove_phone("201b")


def test_two_devices_of_one_operator_are_one_pop(calm, second):
    call = calm.provider.call("02079460902", PAVEL)
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    if second:
        second.wait("ringing")
    (second or calm.phone("201")).accept()
    calm.anna.expect(state="answered", leg=pop.leg)
    time.sleep(0.5)
    call.hangup()
    calm.anna.expect(state="ended", leg=pop.leg)
    assert [n.state for n in calm.anna.find()] == ["ringing", "answered", "ended"]
    assert calm.call_row(pop.id)["answered_by"] == ANNA


def test_shared_extension_pops_at_both_and_nobody_is_guessed(calm):
    hugo = calm.site.client("hugo")
    try:
        call = calm.inbound("203")
        at_clara, at_hugo = calm.clara.expect(state="ringing"), hugo.expect(state="ringing")
        assert at_clara.leg == at_hugo.leg
        calm.phone("203").wait("ringing")
        calm.phone("203").accept()
        for client in (calm.clara, hugo):
            assert client.expect(state="answered").shared == "true"
        call.hangup()
        for client in (calm.clara, hugo):
            assert client.expect(state="ended").cause == "hangup"
        assert calm.call_row(at_clara.id)["answered_by"] is None
        assert {leg["jid"] for leg in calm.leg_rows(at_clara.id, 2)} == {CLARA, HUGO}
    finally:
        hugo.stop()
        calm.site.clients.remove(hugo)


def test_voicemail_is_not_an_answer(calm):
    calm.provider.call("02079460903", PAVEL)
    pop = calm.anna.expect(state="ringing")
    assert calm.anna.expect(timeout=8, state="ended", leg=pop.leg).cause == "no-answer"
    row = calm.call_row(pop.id)
    assert row["disposition"] == "no-answer" and row["answered_by"] is None


def test_several_right_records_are_all_shown(calm):
    calm.inbound("201", ALFA)
    pop = calm.anna.expect(state="ringing")
    assert {(m.get("module"), m.get("id")) for m in pop.matches} == {("Accounts", "178"), ("Contacts", "179")}
    assert calm.anna.expect(state="ringing").oob is None or len(pop.matches) > 1


def test_unknown_caller_gets_a_link_to_create(calm):
    calm.inbound("201", NOBODY)
    pop = calm.anna.expect(state="ringing")
    assert pop.matches == []
    assert "%2B420799123456" in pop.child("create").get("url")


def test_colleague_calls_colleague(calm):
    before = calm.crm_rows()
    calm.phone("202").dial("201")
    pop = calm.anna.expect(state="ringing")
    own = calm.boris.expect(state="dialing")
    assert pop.direction == own.direction == "internal" and pop.party.get("number") == "202"
    assert pop.matches == [] and pop.child("create") is None
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered", leg=pop.leg)
    calm.boris.expect(state="answered", leg=own.leg)
    calm.phone("202").hangup()
    calm.anna.expect(state="ended", leg=pop.leg)
    calm.boris.expect(state="ended", leg=own.leg)
    row = calm.call_row(pop.id)
    assert (row["direction"], row["caller_number"], row["dialed_number"]) == ("internal", "202", "201")
    assert calm.crm_rows() == before                    # internal calls do not go to the CRM


def test_record_changed_in_the_crm_is_what_pops(calm):
    """The index follows the CRM; a hit is re-checked against the record."""
    database = calm.database
    number = "+420603111222"
    assert database.rows("SELECT contactid FROM vtiger_contactdetails WHERE contactid = 62", database="vtiger")
    database.rows("UPDATE vtiger_contactdetails SET mobile = %s WHERE contactid = 62", number, database="vtiger")
    database.rows("UPDATE vtiger_crmentity SET modifiedtime = UTC_TIMESTAMP() WHERE crmid = 62", database="vtiger")
    database.rows("REPLACE INTO vtiger_pbxmanager_phonelookup (crmid, setype, fnumber, rnumber, fieldname) VALUES (62, 'Contacts', %s, %s, 'mobile')",
                  number[1:], number[:0:-1], database="vtiger")       # what vTiger itself writes at a save
    calm.inbound("201", number)
    pop = calm.anna.expect(state="ringing")
    assert [m.get("id") for m in pop.matches] == ["62"]


@pytest.mark.parametrize("console", [False, True])
def test_console_gets_the_snapshot_without_words(calm, console):
    if not console:
        calm.inbound("201")
        assert calm.anna.expect(state="ringing").body
        return
    desk = calm.site.client("anna", console=True, resource="desk")
    try:
        time.sleep(0.5)
        calm.inbound("201")
        pop = desk.expect(state="ringing")
        assert pop.body == "" and pop.to == f"{ANNA}/desk"
        calm.anna.quiet(0.5, state="ringing")           # the plain client beside it stays quiet
    finally:
        desk.stop()
        calm.site.clients.remove(desk)
