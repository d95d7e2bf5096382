"""Services and people of our own tables: import and export as one file, what a service puts on the pop, and all of it with the database away."""
import pathlib
import re
import xml.etree.ElementTree as ET

import pytest
import yaml
from company import ALFA, ANNA, NOBODY, PAVEL, Company
from conftest import need
from lab.client import NS
from lab.process import wait_until
from quick import Quick

# The simulated calls are the recorded ones: they enter `from-trunk`, which sets `direction` and `did`.
ROSTER = {
    "operators": [
        {"jid": ANNA, "role": "supervisor"},
        {"jid": "david@example.org", "pbx": "hq", "extension": "205", "name": "David at home"},
    ],
    "services": [
        {"name": "main line", "pbx": "hq", "contexts": ["from-trunk"], "language": "sk", "variables": ["direction", "did", "never_set"],
         "pop": {"modules": ["Accounts", "Contacts"], "url": "https://wiki.example.org/call?n={number}&did={variable:did}&r={record}"},
         "wrap_up": {"time": "30s", "codes": [{"code": "sale", "label": "Sold, \"yes\""}]},
         "operators": [{"jid": ANNA, "penalty": 1}, {"jid": "david@example.org", "supervisor": True}]},
        {"name": "campaign", "pbx": "hq", "direction": "outbound", "contexts": ["from-internal"], "caller_id": "Campaign <02079460999>",
         "operators": [{"jid": ANNA}]},
        {"name": "quiet", "pbx": "hq", "contexts": ["nobody-calls-here"], "pop": {"rule": "never"}, "enabled": False},
    ],
    "seats": [{"id": "4", "pbx": "hq", "extension": "204", "keys": ["AA:BB:CC:DD:EE:FF", "desk4"], "devices": ["PJSIP/desk4"], "place": "window"}],
}


def write(company, roster) -> str:
    file = pathlib.Path(company.daemon.folder) / "roster.yaml"
    file.write_text(roster if isinstance(roster, str) else yaml.safe_dump(roster, allow_unicode=True))
    return str(file)


def bring_in(company, roster, *options, code=0):
    done = company.daemon.command("import", *options, write(company, roster))
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def readings(company) -> list:
    """How many services the daemon read, each time it took our tables over."""
    return [int(count) for count in re.findall(r"services=(\d+) seats=", company.daemon.text())]


def in_force(company, roster):
    """Brought in, and known to the running daemon."""
    before = len(readings(company))
    if "changes made" in bring_in(company, roster).stdout:
        wait_until(lambda: len(readings(company)) > before, 20, "the daemon has read our tables")


@pytest.fixture(scope="module")
def running():
    company = Quick()
    yield company
    company.stop()


@pytest.fixture
def calm(running):
    running.calm()
    in_force(running, ROSTER)
    yield running
    running.calm()


def texts(pop) -> dict:
    return {v.get("name"): v.text for v in pop.call.findall(f"{{{NS}}}variable")}


def test_a_pop_says_service_language_variables_and_the_page_to_open(calm):
    call = calm.ring(number=PAVEL)
    pop = calm.anna.expect(state="ringing")
    service = pop.child("service")
    assert (service.get("name"), service.get("language")) == ("main line", "sk")
    values = texts(pop)
    assert values["direction"] == "in" and values["did"] == pop.child("dialed").get("number") and "never_set" not in values
    wanted = f"https://wiki.example.org/call?n=%2B{PAVEL[1:]}&did={values['did']}&r=120"
    assert service.get("url") == wanted and pop.oob == wanted
    assert "record=120" in pop.body
    calm.hang_up()
    assert calm.anna.expect(state="ended", leg=pop.leg).child("service").get("name") == "main line"
    assert calm.call_row(call)["service"] == "main line"


def test_the_modules_of_a_service_come_first_in_the_pop_and_in_the_row(calm):
    call = calm.ring(number=ALFA)
    pop = calm.anna.expect(state="ringing")
    assert [(m.get("module"), m.get("id")) for m in pop.matches] == [("Accounts", "178"), ("Contacts", "179")]
    calm.hang_up()
    row = calm.call_row(call)
    assert (row["module"], row["record"]) == ("Accounts", "178")


def changed(rule):
    roster = yaml.safe_load(yaml.safe_dump(ROSTER))
    roster["services"][0]["pop"]["rule"] = rule
    return roster


def test_a_service_may_pop_when_it_is_answered(calm):
    in_force(calm, changed("answered"))
    calm.ring(number=PAVEL, kind="answered")
    first = calm.anna.expect(state="ringing")
    assert first.body == "" and first.oob is None and first.pop == "answered" and "phone-event" not in repr(first)
    then = calm.anna.expect(state="answered", leg=first.leg)
    assert "record=120" in then.body and then.oob
    calm.hang_up()
    assert calm.anna.expect(state="ended", leg=first.leg).body == ""


def probe(company):
    """A call that rings and is over: its first notice."""
    company.calm()
    company.ring(number=NOBODY)
    pop = company.anna.expect(state="ringing")
    company.hang_up()
    company.anna.expect(state="ended", leg=pop.leg)
    return pop


def test_a_service_may_never_pop_and_consoles_see_its_calls_all_the_same(calm):
    console = calm.site.client("boris", console=True, resource="console")
    try:
        in_force(calm, changed("never"))
        calm.ring("202", number=PAVEL)
        notice = console.expect(state="ringing")
        assert notice.pop == "never" and notice.child("service").get("name") == "main line"
        calm.ring("201", number=PAVEL)
        ringing = calm.anna.expect(state="ringing")
        calm.hang_up()
        ended = calm.anna.expect(state="ended", leg=ringing.leg)
        for each in (ringing, ended):       # a missed call too
            assert each.body == "" and each.oob is None and "phone-event" not in repr(each)
    finally:
        console.stop()
        calm.site.clients.remove(console)


def test_click_to_dial_for_a_service_uses_its_context_and_number(calm):
    dial = f"<dial xmlns='{NS}' number='{PAVEL}' service='campaign'/>"
    answer = calm.anna.request(dial)
    assert answer.get("type") == "result", ET.tostring(answer)
    call = answer.find(f"{{{NS}}}call")
    assert call.find(f"{{{NS}}}service").get("name") == "campaign"
    assert calm.anna.expect(state="dialing").child("service").get("name") == "campaign"
    calm.hang_up()
    assert calm.call_row(call.get("id"))["service"] == "campaign"
    rows = calm.site.database.rows("SELECT service, outcome FROM cti_dial WHERE id = %s", call.get("id").partition(":")[2])
    assert rows == [{"service": "campaign", "outcome": "accepted"}]


@pytest.mark.parametrize("who,service,words", [("anna", "nothing", "there is no service"), ("anna", "main line", "it makes none"),
                                               ("anna", "quiet", "there is no service"), ("boris", "campaign", "you do not work for")])
def test_a_service_that_cannot_be_dialled_for_is_refused(calm, who, service, words):
    answer = getattr(calm, who).request(f"<dial xmlns='{NS}' number='{PAVEL}' service='{service}'/>")
    assert answer.get("type") == "error"
    denied = answer.find(f".//{{{NS}}}denied")
    assert denied.get("rule") == "service" and words in "".join(answer.itertext())


# ---- import and export ----

def exported(company) -> str:
    done = company.daemon.command("export")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_export_import_export_is_identical(calm):
    before = exported(calm)
    assert yaml.safe_load(before)["services"][1]["wrap_up"]["codes"][0]["label"] == 'Sold, "yes"'
    done = bring_in(calm, before)
    assert "nothing to change" in done.stdout
    bring_in(calm, "{}")
    assert yaml.safe_load(exported(calm)) in (None, {})
    bring_in(calm, before)
    assert exported(calm) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(calm):
    before = exported(calm)
    roster = yaml.safe_load(before)
    del roster["seats"]
    roster["operators"][0]["extension"] = "209"
    roster["services"].append({"name": "new", "pbx": "hq", "queue": "sales"})
    done = bring_in(calm, roster, "--dry-run")
    assert sorted(done.stdout.splitlines()) == ["+ service new", "- seat 4", "3 changes, none made (--dry-run)",
                                                f"~ operator {ANNA}: extension nothing -> 209"]
    assert exported(calm) == before


def test_a_file_with_faults_changes_nothing_and_says_where_they_are(calm):
    before = exported(calm)
    done = bring_in(calm, "operators:\n  - jid: new@example.org\nservices:\n  - name: s\n    pbx: paris\n    pop:\n      url: javascript:alert(1)\n", code=2)
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and "roster.yaml:5: key services[0].pbx: is `paris`" in lines[0] and "roster.yaml:7: key services[0].pop.url:" in lines[1]
    assert exported(calm) == before


def test_people_of_our_table_extend_those_of_the_crm(calm):
    """A user with an extension is an operator without a row of ours; a row of ours overrides what it holds."""
    with_row = calm.site.client("david")
    try:
        call = calm.ring("205")
        assert with_row.expect(state="ringing").id == call
    finally:
        with_row.stop()
        calm.site.clients.remove(with_row)


# ---- the database away ----

def test_services_and_people_are_there_when_the_database_is_not(calm):
    calm.daemon.stop()
    calm.site.database.stop()
    try:
        calm.daemon.start()
        assert "services=3 seats=1" in calm.daemon.text().rpartition("begins")[2]
        calm.ring(number=PAVEL)
        pop = calm.anna.expect(state="ringing", timeout=15)
        assert pop.child("service").get("name") == "main line" and texts(pop)["direction"] == "in"
        assert "record=120" in pop.body
        calm.hang_up()
        calm.anna.expect(state="ended", leg=pop.leg)
    finally:
        calm.site.database.start()
    wait_until(lambda: "link=crm state=up" in calm.daemon.text().rpartition("begins")[2], 60, "the database is back")


def test_a_change_reaches_the_running_daemon(calm):
    roster = yaml.safe_load(yaml.safe_dump(ROSTER))
    roster["services"][0]["language"] = "cs"
    in_force(calm, roster)
    assert probe(calm).child("service").get("language") == "cs"
    roster["services"] = roster["services"][1:]
    in_force(calm, roster)
    assert readings(calm)[-1] == 2
    pop = probe(calm)
    assert pop.child("service") is None and texts(pop) == {}


# ---- a real queue ----

def test_a_queue_names_the_service_and_how_long_the_caller_waited():
    need("asterisk-22")
    company = Company(asterisk=(22,))
    try:
        in_force(company, {"services": [{"name": "support line", "pbx": "hq", "queue": "support", "language": "en",
                                         "operators": [{"jid": ANNA, "penalty": 0}]}]})
        company.inbound("600", NOBODY)
        pop = company.anna.expect(state="ringing", timeout=15)
        queue = pop.child("queue")
        assert (queue.get("name"), queue.get("waited")) == ("support", "0")
        assert (pop.child("service").get("name"), pop.child("service").get("language")) == ("support line", "en")
        assert pop.child("dialed").get("number") == "02079460600"
        company.site.hang_up_everything()
        company.anna.expect(state="ended", leg=pop.leg)
        row = company.call_row(pop.id)
        assert (row["service"], row["queue"], row["disposition"]) == ("support line", "support", "abandoned")
    finally:
        company.stop()
