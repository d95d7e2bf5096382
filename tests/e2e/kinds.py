"""A company with FreePBX's dialplan, and the truth of a call as others than the bridge saw it: the phones, the provider and the test itself.

A test plays a call and says in `truth` what it was. That is compared with what the operators' clients were told and with the rows; the times of rings, answers and
ends with what each phone wrote down. Then the AMI session of the test (lab/tape.py) is replayed, and the replay must tell the same as the daemon did.
"""
import datetime
import json
import os
import pathlib
import time

import pytest
import truth_file
import yaml
from company import PAVEL, Company
from lab.process import LabError, wait_until
from lab.tape import Tape

PEOPLE = {"anna": ("201",), "boris": ("202",), "clara": ("203",), "david": ("204",), "filip": ("205",), "hugo": ("203",)}
KEEP = os.environ.get("CTIBRIDGE_KEEP_TRACES")
CLOSE = 1.0         # seconds by which the clocks of a phone and of a row may differ: SIP, AMI, and a machine that is busy with something else
PAUSE = 0.3         # between two things people do


def seconds(moment) -> float:
    """A DATETIME(3) in UTC as time.time() counts."""
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()


def jid(user: str) -> str:
    return f"{user}@example.org"


def inbound(**fields):
    """What `truth` shall find of a call from outside."""
    return {"direction": "inbound", "caller_number": PAVEL, "queue": None, **fields}


def internal(caller: str, dialed: str, **fields):
    return {"direction": "internal", "caller_number": caller, "dialed_number": dialed, "queue": None, **fields}


def young(caller: str, dialed: str):
    """A call that became part of an older one."""
    return {"direction": "internal", "caller_number": caller, "dialed_number": dialed, "merged": True, "legs": []}


def _internal_numbers(site):
    """What an administrator of such a site would say: phones and the rest of the 2xx, groups, queues and rooms, parking."""
    for pbx in site.daemon.config["pbx"]:
        pbx["extensions"] = ["2??", "6??", "7?"]
    site.daemon.write()


# The first digits of our numbers: the same phones and queues behind FreePBX's dialplan and behind a plain one.
either_dialplan = pytest.mark.parametrize("line", ["02079460", "02079461"], ids=["freepbx", "plain"])


class Kinds(Company):
    def __init__(self, **options):
        super().__init__(prepare=_internal_numbers, users=("anna", "boris", "clara", "david", "filip"), phones=("201", "202", "203", "204", "205"), handsets=("201", "203", "205"),
                         dialplan="freepbx", **options)
        people = [{"jid": jid(user), "pbx": "hq", "extension": extension} for user, (extension,) in PEOPLE.items()]
        self.people = self.site.folder.path / "people.yaml"
        self.people.write_text(yaml.safe_dump(people))
        self.tape, self.switched = None, False

    def begin(self, name: str):
        self.calm()
        if self.switched:
            for family in ("CF", "DND", "FOLLOW"):
                self.site.pbx.cli(f"database deltree {family}")
        self.switched = False
        for phone in self.site.phones.values():
            phone.calls.clear()
            phone.behaviour = "manual"
        self.site.provider.calls.clear()
        self.name, self.began = name, time.time()
        self.tape = Tape(self.site.pbx)

    def end(self):
        if self.tape:
            self._keep()

    # what people do

    def pause(self, seconds: float = PAUSE):
        time.sleep(seconds)

    def ring(self, *extensions, timeout: float = 10):
        """Until all these phones ring."""
        for extension in extensions:
            try:
                self.phone(extension).wait("ringing", timeout)
            except LabError as error:
                placed = [(call.number, call.state, call.code) for call in self.site.provider.calls if not call.from_pbx]
                raise LabError(f"{error}; calls of the provider: {placed}") from None
        self.pause()

    def answer(self, extension: str):
        """It rings, is picked up and talked to."""
        self.ring(extension)
        self.phone(extension).accept()
        self.phone(extension).wait("talking")
        self.pause()

    def switch(self, family: str, extension: str, value: str = "yes"):
        """A setting of FreePBX: CF (to where), DND, FOLLOW."""
        self.site.pbx.cli(f"database put {family} {extension} {value}")
        self.switched = True

    def device(self, extension: str) -> str:
        return f"{self.site.pbx.tech}/{extension}"

    # the truth

    def truth(self, *calls, unheard=()):
        """The calls of this test in the order they began, each a dict: the columns of cti_call that matter, `merged` when it went into another one of them,
        (a tuple: one of these), and `legs`: (extension, states in words or a tuple of possible ones, cause). `unheard`: rings of phones that are no leg, as (extension, how many)."""
        wait_until(lambda: self.site.pbx.channels() == 0, 20, "no channel is left", 0.1)
        rows = wait_until(lambda: self._rows(len(calls)), 15, f"{len(calls)} calls have ended rows", 0.1)
        for wanted, row in zip(calls, rows):
            got = {column: row[column] for column in wanted if column not in ("legs", "merged")}
            assert all(value in (wanted[c] if isinstance(wanted[c], tuple) else (wanted[c],)) for c, value in got.items()), f"row {row['id']}: {got}"
        older = {row["id"] for row, call in zip(rows, calls) if not call.get("merged")}
        for row, call in zip(rows, calls):
            assert row["merged_into"] in older if call.get("merged") else row["merged_into"] is None, f"row {row['id']} is merged into {row['merged_into']}"
        legs = self._legs(rows)
        told = self._told(legs)
        said = [_said(row["id"], leg, told) for row, call in zip(rows, calls) for leg in call["legs"]]
        assert sorted(said) == sorted(told), f"\nthe test:   {sorted(said)}\nthe bridge: {sorted(told)}"
        self._heard(legs, dict(unheard))
        self._notices(legs, {row["id"]: row["merged_into"] for row in rows})
        self._spans(rows)
        self._replayed(rows, legs, calls)

    def finished(self, count: int):
        """The rows of the calls of this test, once they are so many and have ended."""
        return self._rows(count)

    def _rows(self, count: int):
        since = datetime.datetime.fromtimestamp(self.began, datetime.timezone.utc).replace(tzinfo=None)
        rows = self.site.database.rows("SELECT * FROM cti_call WHERE started >= %s ORDER BY started, id", since)
        assert len(rows) <= count, f"{len(rows)} calls, the test made {count}: {[(r['id'], r['caller_number'], r['dialed_number'], r['disposition']) for r in rows]}"
        return rows if len(rows) == count and all(row["ended"] for row in rows) else None

    def _legs(self, rows) -> list:
        """The rows of cti_leg of these calls, once all that clients were told of have ended."""
        wait_until(self._settled, 10, "every ring has ended", 0.1)
        legs = []
        marks = ", ".join(["%s"] * len(rows))

        def found():
            legs[:] = self.site.database.rows(f"SELECT * FROM cti_leg WHERE `call` IN ({marks}) ORDER BY uniqueid, jid", *[row["id"] for row in rows])
            known = {(leg["uniqueid"], leg["jid"]) for leg in legs if leg["ended"]}
            told = {(n.leg, client.jid) for client in self.site.clients for n in client.find()}
            return told <= known and all(leg["ended"] for leg in legs)
        try:
            wait_until(found, 10, "cti_leg has the rows of all rings that were told", 0.1)
        except LabError as error:
            raise LabError(f"{error}; there is {legs}") from None
        return legs

    def _states(self, user: str, leg: str) -> list:
        told = []
        client = next((c for c in self.site.clients if c.jid == user), None)
        for notice in client.find(leg=leg) if client else ():
            if not told or told[-1] != notice.state:
                told.append(notice.state)
        return told

    def _told(self, legs) -> list:
        """(call, extension, states, cause) of each leg, once per leg and not per operator of a shared extension."""
        told = {}
        for leg in legs:
            if any(client.jid == leg["jid"] for client in self.site.clients):
                told[leg["uniqueid"]] = (leg["call"], leg["extension"], " ".join(self._states(leg["jid"], leg["uniqueid"])), leg["cause"])
        return list(told.values())

    def _heard(self, legs, unheard):
        """Every ring of a phone is a leg with its times, and every leg that rang is a ring of a phone."""
        for (_, extension), phone in self.site.phones.items():
            rang = sorted((c for c in phone.calls if c.from_pbx and "ringing" in c.times), key=lambda c: c.times["ringing"])
            mine = sorted({leg["uniqueid"]: leg for leg in legs if leg["extension"] == extension and leg["offered"] and self._rang(leg)}.values(),
                          key=lambda leg: leg["offered"])
            assert len(rang) == len(mine) + unheard.get(extension, 0), f"{extension} rang {len(rang)} times, legs: {mine}"
            for call, leg in zip(rang, mine):
                if leg["cause"] != "transferred":
                    wait_until(lambda call=call: "ended" in call.times, 5, f"{extension} saw its call end")
                for column, state in (("offered", "ringing"), ("answered", "answered"), ("ended", "ended")):
                    if (column, leg["cause"]) != ("ended", "transferred"):      # the phone hears of that later, or never
                        self._same_time(call.times.get(state), leg[column], f"{extension} {column}: {leg}")

    def _rang(self, leg) -> bool:
        return "ringing" in self._states(leg["jid"], leg["uniqueid"]) or not any(c.jid == leg["jid"] for c in self.site.clients)

    @staticmethod
    def _same_time(seen, column, what: str):
        assert (seen is None) == (column is None), f"{what}; the phone saw {seen}"
        assert seen is None or abs(seen - seconds(column)) < CLOSE, f"{what}; the phone saw it {seen - seconds(column):+.3f} s later"

    def _notices(self, legs, merged):
        """One epoch, no gap, exactly one `ended` for each key and it is the last, its cause that of the row."""
        cause = {(leg["uniqueid"], leg["jid"]): (leg["cause"], leg["call"]) for leg in legs}
        for client in self.site.clients:
            told = client.find()
            if not told:
                continue
            numbers = [int(n.seq) for n in told]
            assert len({n.epoch for n in told}) == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))), told
            for leg in {n.leg for n in told}:
                mine = [n for n in told if n.leg == leg]
                assert [n.state for n in mine].count("ended") == 1 and mine[-1].state == "ended", mine
                why, call = cause[leg, client.jid]
                # a leg that had ended before its call became part of another was told under its own
                assert mine[-1].cause == why and call in (mine[-1].id, merged.get(mine[-1].id)), (mine[-1], why, call)
                ids = [n.id for n in mine]
                for before, after, notice in zip(ids, ids[1:], mine[1:]):
                    assert before == after or notice.replaces == before, mine

    def _spans(self, rows):
        """Calls of the provider: began, talked to and ended when the provider says so."""
        theirs = [c for c in self.site.provider.calls if not c.from_pbx]
        mine = [row for row in rows if row["direction"] == "inbound"]
        assert len(theirs) == len(mine), (len(theirs), mine)
        for call, row in zip(sorted(theirs, key=lambda c: c.times["new"]), mine):
            self._same_time(call.times["new"], row["started"], f"{row['id']} started")
            if not row["merged_into"]:
                self._same_time(call.times["ended"], row["ended"], f"{row['id']} ended")
            if row["answered"]:
                assert row["wait_ms"] == round((row["answered"] - row["started"]).total_seconds() * 1000), row
                assert abs(row["talk_ms"] - (row["ended"] - row["answered"]).total_seconds() * 1000) < 1000, row
            else:
                assert row["talk_ms"] in (0, None), row

    # the same again, from the recording

    def _keep(self, written=None) -> pathlib.Path:
        """The tape as a file; in CTIBRIDGE_KEEP_TRACES, for those who want to look at it later, with what `truth` said in the form of truth.json."""
        self.tape.stop()
        for (_, extension), phone in self.site.phones.items():
            for call in phone.calls:
                self.tape.notes += [(self.tape.ms(at), f"phone {extension}: {'called' if call.from_pbx else 'dialled'}: {state}") for state, at in call.times.items()]
        for call in self.site.provider.calls:
            self.tape.notes += [(self.tape.ms(at), f"provider, {call.number}: {state}") for state, at in call.times.items()]
        folder = pathlib.Path(KEEP) if KEEP else self.site.folder.path / "traces"
        trace = self.tape.save(folder, f"{self.site.pbx.version}-{self.name}", written, self.site.pbx.secret)
        self.tape = None
        return trace

    def _replayed(self, rows, legs, calls):
        written = truth_file.of(self, calls) if KEEP else None
        trace = self._keep(written)
        done = self.site.daemon.command("replay", "--people", str(self.people), "--pbx", "hq", "--times", str(trace.with_suffix(".times")), str(trace))
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        replayed = {}
        for notice in (line["notice"] for line in lines if "notice" in line):
            replayed.setdefault((notice["to"], notice["leg"]), []).append(notice)
        for client in self.site.clients:
            for leg in {n.leg for n in client.find()} | {leg for to, leg in replayed if to == client.jid}:
                live = _steps((n.state, n.cause, n.id, n.replaces) for n in client.find(leg=leg))
                again = _steps((n["state"], n["cause"], n["id"], n["replaces"]) for n in replayed.get((client.jid, leg), ()))
                assert live == again, f"{client.jid} {leg}\nlive:   {live}\nreplay: {again}"
        columns = ("direction", "caller_number", "dialed_number", "queue", "disposition", "answered_by", "merged_into")
        live = {row["id"]: {c: row[c] for c in columns} for row in rows}
        again = {line["call"]["id"]: {c: line["call"][c] for c in columns} for line in lines if "call" in line}
        assert live == again, f"\nlive:   {live}\nreplay: {again}"
        live = sorted((leg["call"], leg["uniqueid"], leg["jid"], leg["extension"], leg["cause"]) for leg in legs)
        again = sorted((x["call"], x["leg"], x["jid"], x["extension"], x["cause"]) for x in (line["leg"] for line in lines if "leg" in line))
        assert live == again, f"\nlive:   {live}\nreplay: {again}"


def _said(call: str, leg, told) -> tuple:
    """A leg as the test has it; of several right sequences of states and several right causes those that were told."""
    extension, states, causes = leg
    states, causes = (one if isinstance(one, tuple) else (one,) for one in (states, causes))
    ways = [(call, extension, state, cause) for state in states for cause in causes]
    return next((way for way in ways if way in told), ways[0])


def _steps(told) -> list:
    """Without repetitions: what else is in a notice may change more often."""
    steps = []
    for one in told:
        if not steps or steps[-1] != one:
            steps.append(one)
    return steps
