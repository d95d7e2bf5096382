"""The link to the telephone exchange is cut in the middle of calls, and the calls go on: afterwards the lists tell what is, and the log what was missed.

Real Asterisk 22 and 16 with FreePBX's dialplan; the daemon's AMI connection goes through a proxy, or the daemon itself is killed.
"""
import re
import time

import pytest
from company import ANNA, BORIS, PAVEL
from conftest import SETS, need
from kinds import Kinds, seconds
from lab.client import NS
from lab.process import wait_until
from lab.proxy import Proxy

GAP = re.compile(r"gap (pbx=hq .*)")


@pytest.fixture(scope="module", params=SETS)
def running(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    company = Kinds(**options)
    daemon = company.site.daemon
    company.ami = company.site._begin(Proxy(company.pbx.ami))
    daemon.stop()
    daemon.config["pbx"][0]["port"] = company.ami.port
    daemon.write()
    daemon.start()
    yield company
    company.stop()


@pytest.fixture
def calm(running):
    running.calm()
    for phone in running.phones.values():
        phone.calls.clear()
    running.missed = len(accounts(running))
    yield running
    running.ami.mend()
    running.calm()


def accounts(company) -> list:
    """The accounts of gaps in the daemon's log, as dicts of numbers."""
    return [{key: int(value) for key, _, value in (field.partition("=") for field in line.split()) if value.isdigit()} for line in GAP.findall(company.daemon.text())]


class Gap:
    """with Gap(company): the daemon is blind; behind it the lists have been read."""

    def __init__(self, company):
        self.company = company

    def __enter__(self):
        self.company.ami.cut()
        self.began = time.time()
        time.sleep(0.3)
        return self

    def __exit__(self, kind, *_):
        time.sleep(0.3)
        self.company.ami.mend()
        if kind is None:
            found = wait_until(lambda: accounts(self.company)[self.company.missed:], 20, "the log has an account of the gap", 0.1)
            self.ended = time.time()
            self.account = found[0]
            self.company.missed += 1

    def counted(self, **wanted):
        got = {key: value for key, value in self.account.items() if key not in ("down_ms", "memberships_mended") and value}
        assert got == wanted, self.account
        assert 300 <= self.account["down_ms"] <= (self.ended - self.began) * 1000 + 500

    def holds(self, moment) -> bool:
        return self.began - 1 <= seconds(moment) <= self.ended + 1


def shown(client) -> list:
    """What the operator is shown as going on: (leg, state)."""
    calls = client.request(f"<calls xmlns='{NS}'/>", "get").find(f"{{{NS}}}calls")
    return sorted((call.get("leg"), call.get("state")) for call in calls.findall(f"{{{NS}}}call"))


def talk(company, extension: str = "201"):
    caller = company.provider.call("02079460" + extension, PAVEL)
    company.answer(extension)
    return caller


def once(client, leg: str):
    assert [n.state for n in client.find(leg=leg)].count("ended") == 1, client.find(leg=leg)


def test_two_phones_of_a_queue_ring_and_one_answers_unseen(calm):
    caller = calm.provider.call("02079460650", PAVEL)
    calm.ring("201", "202")
    anna, boris = (client.expect(state="ringing") for client in (calm.anna, calm.boris))
    with Gap(calm) as gap:
        calm.answer("202")
    assert calm.anna.expect(state="ended", leg=anna.leg).cause == "lost"
    answered = calm.boris.expect(state="answered", leg=boris.leg)
    assert (answered.id, answered.child("queue").get("name")) == (anna.id, "650")
    assert (shown(calm.anna), shown(calm.boris)) == ([], [(boris.leg, "answered")])
    gap.counted(calls_changed=1, rings_closed=1, rings_changed=1)
    caller.hangup()
    assert calm.boris.expect(state="ended", leg=boris.leg).cause == "hangup"
    row = calm.call_row(anna.id)
    assert (row["disposition"], row["answered_by"], row["queue"]) == ("answered", BORIS, "650")
    assert gap.holds(row["answered"])
    legs = {leg["extension"]: leg["cause"] for leg in calm.leg_rows(anna.id, 2)}
    assert legs == {"201": "lost", "202": "hangup"}
    once(calm.anna, anna.leg)
    once(calm.boris, boris.leg)


def test_one_call_ends_and_another_begins_unseen(calm):
    caller = talk(calm)
    first = calm.anna.expect(state="answered")
    with Gap(calm) as gap:
        caller.hangup()
        calm.phone("201").wait("idle")
        calm.provider.call("02079460202", PAVEL)
        calm.ring("202")
    assert calm.anna.expect(state="ended", leg=first.leg).cause == "lost"
    pop = calm.boris.expect(state="ringing")
    assert (pop.party.get("number"), [m.get("id") for m in pop.matches], pop.child("dialed").get("number")) == (PAVEL, ["120"], "02079460202")
    gap.counted(calls_begun=1, calls_ended=1, rings_opened=1, rings_closed=1)
    calm.phone("202").accept()
    calm.boris.expect(state="answered", leg=pop.leg)
    calm.phone("202").hangup()
    assert calm.boris.expect(state="ended", leg=pop.leg).cause == "hangup"
    row = calm.call_row(pop.id)
    assert (row["disposition"], row["direction"], row["dialed_number"]) == ("answered", "inbound", "02079460202")
    row = calm.call_row(first.id)
    assert (row["disposition"], row["answered_by"]) == ("answered", ANNA) and gap.holds(row["ended"])


def test_held_and_resumed_unseen(calm):
    caller = talk(calm)
    leg = calm.anna.expect(state="answered").leg
    with Gap(calm) as gap:
        calm.phone("201").hold()
        time.sleep(0.5)
    calm.anna.expect(state="held", leg=leg)
    assert shown(calm.anna) == [(leg, "held")]
    gap.counted(rings_changed=1)
    calm.anna.clear()
    with Gap(calm) as gap:
        calm.phone("201").resume()
        time.sleep(0.5)
    calm.anna.expect(state="answered", leg=leg)
    assert shown(calm.anna) == [(leg, "answered")]
    caller.hangup()
    assert calm.anna.expect(state="ended", leg=leg).cause == "hangup"


def test_nothing_happens_in_the_gap(calm):
    caller = talk(calm)
    leg = calm.anna.expect(state="answered").leg
    told = len(calm.anna.find())
    with Gap(calm) as gap:
        pass
    gap.counted()
    assert len(calm.anna.find()) == told and shown(calm.anna) == [(leg, "answered")]
    caller.hangup()
    assert calm.anna.expect(state="ended", leg=leg).cause == "hangup"


def consult(company):
    caller = talk(company)
    phone = company.phone("201")
    first = phone.calls[-1]
    phone.hold(first)
    company.pause()
    second = phone.dial("202")
    company.answer("202")
    return caller, first, second


def test_attended_transfer_completed_unseen(calm):
    caller, first, second = consult(calm)
    held = calm.anna.expect(state="held")
    own = calm.anna.expect(state="answered", where=lambda n: n.leg != held.leg)
    boris = calm.boris.expect(state="answered")
    assert boris.id == own.id != held.id
    with Gap(calm) as gap:
        calm.phone("201").join(first, second)
        calm.phone("201").wait("idle")
    for leg in (held.leg, own.leg):
        assert calm.anna.expect(state="ended", leg=leg).cause == "lost"
    moved = calm.boris.expect(state="answered", leg=boris.leg, id=held.id)
    assert [n.replaces for n in calm.boris.find(leg=boris.leg) if n.replaces] == [boris.id]
    assert shown(calm.boris) == [(boris.leg, "answered")]
    assert gap.account["calls_merged"] == 1 and gap.account["rings_closed"] == 2
    caller.hangup()
    assert calm.boris.expect(state="ended", leg=moved.leg).cause == "hangup"
    row = calm.call_row(held.id)
    assert (row["disposition"], row["answered_by"]) == ("answered", ANNA)
    assert calm.call_row(own.id)["merged_into"] == held.id


def test_blind_transfer_unseen_and_the_target_rings(calm):
    caller = talk(calm)
    first = calm.anna.expect(state="answered")
    with Gap(calm) as gap:
        calm.phone("201").transfer("202")
        calm.ring("202")
    assert calm.anna.expect(state="ended", leg=first.leg).cause == "lost"
    pop = calm.boris.expect(state="ringing")
    assert (pop.id, pop.party.get("number")) == (first.id, PAVEL)
    gap.counted(calls_changed=1, rings_opened=1, rings_closed=1)
    calm.phone("202").accept()
    calm.boris.expect(state="answered", leg=pop.leg)
    calm.pause()
    caller.hangup()
    assert calm.boris.expect(state="ended", leg=pop.leg).cause == "hangup"
    assert calm.call_row(first.id)["answered_by"] == ANNA


def test_parked_unseen_and_taken_by_a_colleague_afterwards(calm):
    caller = talk(calm)
    first = calm.anna.expect(state="answered")
    with Gap(calm) as gap:
        calm.phone("201").transfer("70")
        calm.phone("201").wait("idle")
    assert calm.anna.expect(state="ended", leg=first.leg).cause == "lost"
    assert shown(calm.anna) == []
    gap.counted(calls_changed=1, rings_closed=1)
    calm.phone("205").dial("71")
    taken = calm.filip.expect(state="answered", id=first.id)
    assert taken.party.get("number") == PAVEL
    calm.pause()
    caller.hangup()
    assert calm.filip.expect(state="ended", leg=taken.leg).cause == "hangup"
    row = calm.call_row(first.id)
    assert (row["disposition"], row["answered_by"]) == ("answered", ANNA)


def test_the_daemon_is_killed_and_started_in_the_middle_of_calls(calm):
    first = talk(calm)
    anna = calm.anna.expect(state="answered")
    calm.provider.call("02079460652", PAVEL)        # a queue of devices; 201 is busy
    calm.ring("202")
    boris = calm.boris.expect(state="ringing")
    time.sleep(0.4)                                 # durable 100 ms after reading, 300 ms allowed for what was sent
    calm.daemon.kill()
    calm.phone("202").accept()
    calm.phone("202").wait("talking")
    calm.provider.call("02079460205", PAVEL)
    calm.ring("205")
    calm.daemon.start()
    filip = calm.filip.expect(timeout=15, state="ringing")
    wait_until(lambda: shown(calm.anna) == [(anna.leg, "answered")], 15, "the talk of 201 is shown", 0.2)
    wait_until(lambda: shown(calm.boris) == [(boris.leg, "answered")], 15, "the talk of 202 is shown", 0.2)
    assert (filip.party.get("number"), [m.get("id") for m in filip.matches]) == (PAVEL, ["120"])
    first.hangup()
    assert calm.anna.expect(state="ended", leg=anna.leg).cause == "hangup"
    calm.phone("202").hangup()
    assert calm.boris.expect(state="ended", leg=boris.leg).cause == "hangup"
    calm.phone("205").accept()
    calm.filip.expect(state="answered", leg=filip.leg)
    calm.phone("205").hangup()
    calm.filip.expect(state="ended", leg=filip.leg)
    for client, notice in ((calm.anna, anna), (calm.boris, boris), (calm.filip, filip)):
        once(client, notice.leg)
        row = calm.call_row(notice.id)
        assert (row["disposition"], row["answered_by"], row["caller_number"]) == ("answered", client.jid, PAVEL), row
    assert calm.call_row(boris.id)["queue"] == "652"
    assert "gap pbx=hq down_ms=unknown" in calm.daemon.text()
