"""Colleagues with their lines, calls of the past, who takes care of a missed one, notes: what operators ask beside their calls."""
import os
import signal
import xml.etree.ElementTree as ET

import pytest
from company import ANNA, BORIS, CLARA, PAVEL, Company
from conftest import SETS, need
from lab.client import NS, error_of
from lab.process import wait_until


class Lists(Company):
    def __init__(self, **options):
        super().__init__(phones=("201", "202", "203"), handsets=("201", "202", "203"), **options)

    def ask(self, client, xml: str, kind: str = "get"):
        answer = client.request(xml, kind)
        assert answer.get("type") == "result", ET.tostring(answer).decode()
        return answer[0] if len(answer) else None

    def directory(self, client) -> dict:
        return {c.get("extension"): c for c in self.ask(client, f"<directory xmlns='{NS}'/>")}

    def history(self, client, **attributes) -> list:
        fields = "".join(f" {name}='{value}'" for name, value in attributes.items())
        return list(self.ask(client, f"<history xmlns='{NS}'{fields}/>"))

    def missed(self, number: str = PAVEL, extension: str = "201", client=None):
        """A caller who gives up; the call."""
        caller = self.inbound(extension, number)
        pop = (client or self.anna).expect(state="ringing")
        self.phone(extension).wait("ringing")
        caller.hangup()
        self.call_row(pop.id)
        self.leg_rows(pop.id, 1)
        return pop

    def talk(self, number: str = PAVEL):
        caller = self.inbound("201", number)
        self.phone("201").wait("ringing")
        self.phone("201").accept()
        return caller, self.anna.expect(state="answered")


@pytest.fixture(scope="module", params=SETS)
def lists(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Lists(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(lists):
    lists.calm()
    for phone in lists.phones.values():
        phone.calls.clear()
    yield lists
    lists.calm()


def test_colleagues_are_listed_with_the_state_of_their_lines(calm):
    wait_until(lambda: calm.directory(calm.anna)["202"].get("state") == "idle", 10, f"202 is idle: {calm.directory(calm.anna)['202'].attrib}", 0.2)
    found = calm.directory(calm.anna)
    assert "201" not in found and found["202"].get("jid") == BORIS and found["202"].get("name")
    # chan_sip says nothing of a phone that was never there and in no queue, so nothing is said of it.
    assert found["204"].get("state") == ("unavailable" if calm.pbx.tech == "PJSIP" else None)
    calm.inbound("202")
    pop = calm.boris.expect(state="ringing")
    ringing = wait_until(lambda: (c := calm.directory(calm.anna)["202"]).get("state") == "ringing" and [c], 10, "202 rings")[0]
    assert (ringing.get("call"), ringing.get("leg")) == (pop.id, pop.leg) and ringing.get("since")
    calm.phone("202").accept()
    busy = wait_until(lambda: (c := calm.directory(calm.anna)["202"]).get("state") == "busy" and [c], 10, "202 is busy")[0]
    assert busy.get("call") is None and PAVEL not in ET.tostring(busy).decode()


def test_whom_nobody_may_call_is_not_listed(calm):
    calm.daemon.config["dialing"]["deny"].append("203")
    calm.daemon.write()
    os.kill(calm.daemon.child.pid, signal.SIGHUP)
    wait_until(lambda: "203" not in calm.directory(calm.anna), 10, "203 is gone from the directory", 0.2)
    calm.daemon.config["dialing"]["deny"].remove("203")
    calm.daemon.write()
    os.kill(calm.daemon.child.pid, signal.SIGHUP)
    wait_until(lambda: "203" in calm.directory(calm.anna), 10, "203 is back", 0.2)


def test_calls_of_the_past_newest_first_and_page_by_page(calm):
    first = calm.missed()
    calm.calm()
    caller, second = calm.talk("+420601234567")
    caller.hangup()
    calm.call_row(second.id)
    calm.leg_rows(second.id, 1)
    newest, older = calm.history(calm.anna, max=2)
    assert (newest.get("id"), newest.get("leg"), newest.get("state"), newest.get("disposition"), newest.get("answered-by")) == (second.id, second.leg, "ended", "answered", ANNA)
    assert (older.get("id"), older.get("cause"), older.get("disposition")) == (first.id, "cancelled", "no-answer")
    assert older.find(f"{{{NS}}}party").get("number") == PAVEL and [m.get("id") for m in older.findall(f"{{{NS}}}match")] == ["120"]
    assert newest.get("talk") is not None
    assert [c.get("id") for c in calm.history(calm.anna, max=1, before=second.id)] == [first.id]
    assert [c.get("id") for c in calm.history(calm.anna, kind="missed", max=1)] == [first.id]
    assert first.id not in [c.get("id") for c in calm.history(calm.boris)]
    for wrong in ("kind='other'", "max='0'", "max='many'", "max='-1'"):
        assert error_of(calm.anna.request(f"<history xmlns='{NS}' {wrong}/>", "get")) == "bad-request", wrong


def test_an_abandoned_call_is_taken_by_one_and_the_others_are_told(calm):
    console = calm.site.client("boris", console=True, resource="console")
    try:
        caller = calm.provider.call("02079460600", PAVEL)
        pop = calm.anna.expect(state="ringing")
        console.expect(state="ringing")
        caller.hangup()
        calm.call_row(pop.id)
        calm.leg_rows(pop.id, 2)
        for client in (calm.anna, calm.boris, calm.clara):
            assert [c.get("id") for c in calm.history(client, kind="abandoned", max=1)] == [pop.id], client.jid
        claimed = calm.ask(calm.anna, f"<claim xmlns='{NS}' id='{pop.id}'/>", "set")
        assert claimed.get("by") == ANNA
        told = wait_until(lambda: [n.xml.find(f"{{{NS}}}claimed") for n in console.notices if n.xml.find(f"{{{NS}}}claimed") is not None], 10, "the other is told")[0]
        assert (told.get("id"), told.get("by")) == (pop.id, ANNA) and told.get("name")
        assert calm.ask(calm.anna, f"<claim xmlns='{NS}' id='{pop.id}'/>", "set").get("by") == ANNA
        answer = calm.clara.request(f"<claim xmlns='{NS}' id='{pop.id}'/>")
        assert error_of(answer) == "conflict" and told.get("name") in ET.tostring(answer, encoding="unicode")
        assert calm.history(calm.boris, kind="abandoned", max=1)[0].get("claimed-by") == ANNA
    finally:
        console.stop()
        calm.site.clients.remove(console)


def test_nobody_takes_what_was_answered_or_is_none_of_theirs(calm):
    caller, notice = calm.talk()
    caller.hangup()
    calm.call_row(notice.id)
    for client, call in ((calm.anna, notice.id), (calm.anna, "hq:0.0"), (calm.anna, "' OR 1=1 --")):
        assert error_of(client.request(ET.tostring(ET.Element(f"{{{NS}}}claim", id=call)).decode())) == "item-not-found", call


def test_a_note_is_in_the_call_log_and_in_vtiger(calm):
    caller, notice = calm.talk()
    text = "call back on Monday & ask <for> Žofia"
    element = ET.Element(f"{{{NS}}}note", id=notice.id, code="sale")
    element.text = text
    calm.ask(calm.anna, ET.tostring(element).decode(), "set")
    caller.hangup()
    row = calm.call_row(notice.id)
    assert (row["note"], row["code"]) == (text, "sale")

    def comment():
        rows = calm.database.rows("SELECT m.commentcontent, m.related_to FROM ctibridge.cti_crm_row r JOIN vtiger_modcomments m ON m.modcommentsid = r.note_id WHERE r.`call` = %s",
                                  notice.id, database="vtiger")
        return rows and rows[0]
    assert wait_until(comment, 10, "vTiger has the comment", 0.1) == {"commentcontent": f"[sale] {text}", "related_to": 120}
    assert calm.history(calm.anna, max=1)[0].get("note") == text


def test_a_note_after_a_restart_changes_nothing_else_of_the_row(calm):
    caller, notice = calm.talk()
    caller.hangup()
    before = calm.call_row(notice.id)
    calm.leg_rows(notice.id, 1)
    crm = calm.crm_row(notice.id, "completed")
    calm.daemon.stop()
    calm.daemon.start()
    calm.ask(calm.anna, f"<note xmlns='{NS}' id='{notice.id}'>later</note>", "set")
    after = wait_until(lambda: (row := calm.call_row(notice.id))["note"] == "later" and row, 10, "the note", 0.1)
    changing = ("note", "revision")
    assert {k: v for k, v in after.items() if k not in changing} == {k: v for k, v in before.items() if k not in changing}
    wait_until(lambda: calm.database.rows("SELECT note_id FROM cti_crm_row WHERE `call` = %s AND note_id IS NOT NULL", notice.id), 10, "the comment", 0.1)
    now = calm.crm_row(notice.id, "completed")
    assert {k: now[k] for k in ("smownerid", "totalduration", "billduration", "callstatus", "customer", "user")} == {
        k: crm[k] for k in ("smownerid", "totalduration", "billduration", "callstatus", "customer", "user")}


def test_notes_of_others_calls_and_empty_ones_are_refused(calm):
    caller, notice = calm.talk()
    assert error_of(calm.boris.request(f"<note xmlns='{NS}' id='{notice.id}'>x</note>")) == "item-not-found"
    assert error_of(calm.anna.request(f"<note xmlns='{NS}' id='{notice.id}'/>")) == "bad-request"
    assert error_of(calm.anna.request(f"<note xmlns='{NS}'>x</note>")) == "bad-request"
    assert error_of(calm.anna.request(f"<note xmlns='{NS}' id='{notice.id}'>{'x' * 5000}</note>")) == "not-acceptable"
    caller.hangup()
    assert calm.call_row(notice.id)["note"] is None


def test_without_the_database_lists_are_away_and_calls_go_on(calm):
    calm.missed()
    calm.calm()
    calm.site.database.stop()
    try:
        for xml, kind in ((f"<history xmlns='{NS}'/>", "get"), (f"<claim xmlns='{NS}' id='hq:1.1'/>", "set")):
            answer = calm.anna.request(xml, kind, timeout=15)
            assert error_of(answer) == "service-unavailable", ET.tostring(answer)
        assert calm.directory(calm.anna)["202"].get("jid") == BORIS
        caller = calm.inbound("201")
        calm.anna.expect(state="ringing")
        caller.hangup()
    finally:
        calm.site.database.start()
    wait_until(lambda: calm.anna.request(f"<history xmlns='{NS}'/>", "get", timeout=15).get("type") == "result", 30, "the history is back", 0.5)


def test_only_who_is_responsible_asks_for_others(calm):
    admin = calm.site.client("admin")
    try:
        for name, kind in (("directory", "get"), ("history", "get"), ("claim", "set"), ("note", "set")):
            assert error_of(calm.anna.request(f"<{name} xmlns='{NS}' on-behalf-of='{CLARA}'/>", kind)) == "forbidden", name
        assert admin.request(f"<history xmlns='{NS}' on-behalf-of='{ANNA}'/>", "get").get("type") == "result"
    finally:
        admin.stop()
        calm.site.clients.remove(admin)
