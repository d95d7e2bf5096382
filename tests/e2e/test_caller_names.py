"""Queue calls: the agents' phones show the caller's name as the CRM has it, the CDR has the record, and what the network said is what the rows and pops say."""
import json
import pathlib
from typing import NamedTuple

import pytest
import yaml
from company import ALFA, ANNA, BORIS, NOBODY, Company
from conftest import SETS, need
from lab.process import wait_until
from lab.tape import Tape

# A menu before the queue, as an IVR is one. `support` has 201 and 202, `fixed` 205.
MENU = """
[from-trunk](+)
exten => 02079460620,1,Goto(menu,support,1)
exten => 02079460621,1,Goto(menu,fixed,1)
exten => 02079460622,1,Goto(menu,moved,1)
exten => 02079460623,1,Goto(menu,prefixed,1)

[menu]
exten => support,1,Answer()
 same => n,Wait(1)
 same => n,Queue(support,,,,15)
 same => n,Hangup()
exten => fixed,1,Answer()
 same => n,Wait(1)
 same => n,Queue(fixed,,,,15)
 same => n,Hangup()
; named before those of the first queue, who do not answer
exten => moved,1,Answer()
 same => n,Wait(1)
 same => n,Queue(support,,,,3)
 same => n,Queue(fixed,,,,60)
 same => n,Hangup()
exten => prefixed,1,Set(CALLERID(name)=SALES:${CALLERID(name)})
 same => n,Answer()
 same => n,Wait(1)
 same => n,Queue(support,,,,15)
 same => n,Hangup()
"""
SUPPORT, FIXED, MOVED, PREFIXED = (f"0207946062{n}" for n in range(4))
GUEST = "guest@example.org"             # no user of the CRM
ROSTER = {
    "operators": [{"jid": jid, "pbx": "hq", "extension": extension} for jid, extension in ((ANNA, "201"), (BORIS, "202"), (GUEST, "205"))],
    "services": [
        {"name": "menu", "pbx": "hq", "contexts": ["menu"], "queue": "support", "operators": [{"jid": ANNA}, {"jid": BORIS}]},
        {"name": "fixed line", "pbx": "hq", "queue": "fixed", "operators": [{"jid": GUEST}]},
    ],
}


class Contact(NamedTuple):
    id: str
    label: str
    number: str
    seen_by: set


class Named(Company):
    def __init__(self, **options):
        def prepare(site):
            site.daemon.config["pbx"][0]["queue"] = {"names": True}
            site.daemon.config["crm"]["visibility"] = "crm"
            site.daemon.write()
            site.daemon.migrate()
            roster = pathlib.Path(site.daemon.folder) / "roster.yaml"
            roster.write_text(yaml.safe_dump(ROSTER))
            done = site.daemon.command("import", str(roster))
            assert done.returncode == 0, (done.stdout, done.stderr)
            file = site.pbx.folder / "etc/extensions.conf"
            file.write_text(file.read_text() + MENU)
            site.pbx.cli("dialplan reload")
        super().__init__(prepare=prepare, users=("anna", "boris"), phones=("201", "202", "205"), handsets=("201", "202", "205"), **options)
        self.tape = self.site._begin(Taped(self.site.pbx))
        self.numbers = self.contacts()
        self.both = next(c for c in self.numbers if c.seen_by == {"anna", "boris"})
        self.anna_only = next(c for c in self.numbers if c.seen_by == {"anna"})

    def contacts(self) -> list:
        """Contacts whose mobile number is theirs alone, and which of the two operators the CRM shows them to."""
        rows = self.database.rows("SELECT e.crmid, e.label, d.mobile FROM vtiger_crmentity e JOIN vtiger_contactdetails d ON d.contactid = e.crmid "
                                  "WHERE d.mobile LIKE '+4%%' AND e.deleted = 0 ORDER BY e.crmid", database="vtiger")
        given = {"".join(c for c in row["mobile"] if c in "+0123456789"): row for row in rows}
        seen = {number: set() for number in given}
        for user in ("anna", "boris"):
            done = self.daemon.command("lookup", "--json", "--as", f"{user}@example.org", *given)
            assert done.returncode == 0, done.stderr
            for answer in map(json.loads, done.stdout.splitlines()):
                found = answer["matches"]
                if len(found) != 1 or found[0].get("quality", "exact") != "exact":
                    seen.pop(answer["number"], None)
                elif "label" in found[0] and answer["number"] in seen:
                    seen[answer["number"]].add(user)
        return [Contact(str(given[number]["crmid"]), given[number]["label"], number, users) for number, users in seen.items()]

    def shown(self, extension: str) -> str:
        """What the phone that rings has on its display."""
        phone = self.phone(extension)
        phone.wait("ringing", 15)
        invite = phone.calls[-1].invite
        return (invite.get("from") + b" " + invite.get("p-asserted-identity") + b" " + invite.get("remote-party-id")).decode()

    def cdrs(self, call: str) -> set:
        """CrmId of the Cdr events of a call that is over."""
        linkedid = call.split(":")[1]
        return {one.get("CrmId", "") for one in wait_until(lambda: [e for e in self.tape.tape.events("Cdr") if e.get("LinkedId") == linkedid], 10, "a Cdr event", 0.1)}

    def why(self, call: str) -> str:
        return self.daemon.command("explain", call).stdout


class Taped:
    def __init__(self, pbx):
        self.pbx, self.tape = pbx, None

    def start(self):
        self.tape = Tape(self.pbx)

    def stop(self):
        if self.pbx.child and self.pbx.child.running():
            self.tape.stop()


@pytest.fixture(scope="module", params=SETS)
def named(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Named(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(named):
    named.calm()
    for phone in named.phones.values():
        phone.calls.clear()
    yield named
    named.calm()


def test_the_phone_shows_the_record_s_label_and_the_cdr_has_its_id(calm):
    who = calm.both
    caller = calm.provider.call(SUPPORT, who.number, "NETWORK NAME")
    shown = calm.shown("201")
    assert who.label in shown and "NETWORK" not in shown, shown
    pop = calm.anna.expect(state="ringing")
    # What the network said is what we say.
    assert pop.party.get("name") == "NETWORK NAME" and [m.get("id") for m in pop.matches] == [who.id]
    calm.phone("201").accept()
    answered = calm.anna.expect(state="answered")
    assert answered.party.get("name") == "NETWORK NAME"
    caller.hangup()
    row = calm.call_row(pop.id)
    assert (row["caller_name"], row["caller_number"], row["record"], row["service"]) == ("NETWORK NAME", who.number, who.id, "menu")
    assert calm.cdrs(pop.id) == {who.id}
    assert who.label in calm.why(pop.id) and f"record {who.id}" in calm.why(pop.id)


def test_a_caller_without_a_name_stays_without_one(calm):
    caller = calm.provider.call(SUPPORT, calm.both.number)
    assert calm.both.label in calm.shown("202")
    pop = calm.boris.expect(state="ringing")
    assert pop.party.get("name") is None
    caller.hangup()
    assert calm.call_row(pop.id)["caller_name"] in (None, "")


def test_a_queue_s_prefix_stays_before_the_name(calm):
    caller = calm.provider.call(PREFIXED, calm.both.number, "NETWORK NAME")
    shown = calm.shown("201")
    assert "SALES:" + calm.both.label in shown, shown
    assert calm.anna.expect(state="ringing").party.get("name") == "SALES:NETWORK NAME"
    caller.hangup()


@pytest.mark.parametrize("number, why", [(ALFA, "2 records have the number"), (NOBODY, "no record has the number")], ids=["several", "nobody"])
def test_nobody_is_named_without_certainty(calm, number, why):
    caller = calm.provider.call(SUPPORT, number, "NETWORK NAME")
    shown = calm.shown("201")
    assert "NETWORK NAME" in shown, shown
    pop = calm.anna.expect(state="ringing")
    caller.hangup()
    calm.call_row(pop.id)
    assert calm.cdrs(pop.id) == {""}
    assert why in calm.why(pop.id)


def test_nobody_is_named_before_somebody_who_may_not_see_the_record(calm):
    who = calm.anna_only
    caller = calm.provider.call(SUPPORT, who.number, "NETWORK NAME")
    shown = calm.shown("202")
    assert "NETWORK NAME" in shown and who.label not in shown, shown
    pop = calm.anna.expect(state="ringing")
    assert [m.get("label") for m in pop.matches] == [who.label]         # Anna may
    caller.hangup()
    calm.call_row(pop.id)
    assert calm.cdrs(pop.id) == {""} and "may see the record" in calm.why(pop.id)


def test_the_name_is_taken_back_when_the_next_queue_may_not_see_it(calm):
    caller = calm.provider.call(MOVED, calm.both.number, "NETWORK NAME")
    assert calm.both.label in calm.shown("201")
    guest = calm.phone("205")
    guest.wait("ringing", 15)           # this ring may have come before the name was taken back: Queue() follows Queue() at once
    guest.hangup()
    guest.wait("idle")
    shown = calm.shown("205")
    assert "NETWORK NAME" in shown and calm.both.label not in shown, shown
    caller.hangup()


@pytest.mark.parametrize("change", [{"queue": {"names": False}}, {"username": "restricted"}], ids=["switched-off", "no-right"])
def test_nothing_is_set_where_nobody_asked_for_it_or_the_ami_user_may_not(calm, change):
    was = dict(calm.daemon.config["pbx"][0])
    calm.daemon.stop()
    calm.daemon.config["pbx"][0].update(change)
    calm.daemon.write()
    calm.daemon.start()
    try:
        caller = calm.provider.call(SUPPORT, calm.both.number, "NETWORK NAME")
        assert "NETWORK NAME" in calm.shown("201")
        pop = calm.anna.expect(state="ringing")
        assert ("may not set variables" in calm.why(pop.id)) == ("username" in change)
        caller.hangup()
        calm.call_row(pop.id)
        assert calm.cdrs(pop.id) == {""}
    finally:
        calm.daemon.stop()
        calm.daemon.config["pbx"][0] = was
        calm.daemon.write()
        calm.daemon.start()


def test_a_restart_during_the_call_does_not_take_our_name_for_the_network_s(calm):
    caller = calm.provider.call(SUPPORT, calm.both.number, "NETWORK NAME")
    assert calm.both.label in calm.shown("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered")
    calm.daemon.stop()
    calm.daemon.start()
    caller.hangup()
    row = calm.call_row(pop.id)
    assert row["caller_name"] in ("NETWORK NAME", "", None) and row["record"] == calm.both.id
