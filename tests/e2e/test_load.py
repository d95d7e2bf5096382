"""Calls of every kind at once, and a link that breaks twice: what the daemon writes is what the simulated pbx knows."""
import json
import time

import pytest
from conftest import need  # noqa: F401  the lab's folder is in sys.path from here on
from lab.process import wait_until
from lab.site import Site
from lab.xmpp_servers import DOMAIN
from load.pbx import Simulated

PEOPLE = [str(extension) for extension in range(210, 280)]
AGENTS = PEOPLE[40:]
CALLS = 300
SLACK = 0.5         # seconds around an outage in which the daemon may or may not have seen what happened
DISPOSITIONS = {"no-answer": "no-answer", "busy": "busy", "abandoned": "abandoned", "answered": "answered", "lost": "lost"}


class Load:
    def __init__(self):
        self.site, self.pbx, self.outages = Site(asterisk=(), phones=()), None, []
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self):
        self.pbx = Simulated("hq", extensions=PEOPLE)
        self.pbx.do("queue", "support", AGENTS[:5], ring=1.0, retry=0.5)
        self.pbx.do("queue", "sales", AGENTS[5:], ring=1.0, retry=0.5, strategy="rrmemory")
        self.site.add(self.pbx.start())
        self.site.daemon.config["pbx"][0].update(country="GB")
        self.site.daemon.write()
        self.site.daemon.migrate()
        for extension in PEOPLE:
            self.site.database.rows("INSERT INTO cti_operator (jid, pbx, extension) VALUES (%s, 'hq', %s)", f"p{extension}@{DOMAIN}", extension)
        self.site.daemon.start()
        self.started = time.time()
        generated = self.pbx.mix(16.0, CALLS)
        self._outage(6.0, lambda: self.pbx.do("drop"))
        self._outage(13.0, lambda: self.pbx.do("restart"))
        generated.result(60)
        exchange = self.pbx.pbx.exchange
        wait_until(lambda: not exchange.tasks, 40, "every call is over", 0.2)
        self.ledger = {f"hq:{linkedid}": entry for linkedid, entry in exchange.ledger.items()}
        wait_until(self._settled, 30, "the call log is written", 0.5)
        self.calls = {row["id"]: row for row in self.site.database.rows("SELECT * FROM cti_call")}
        self.legs = {}
        for row in self.site.database.rows("SELECT * FROM cti_leg"):
            self.legs.setdefault(row["call"], {})[row["uniqueid"]] = row

    def _outage(self, at: float, happen):
        time.sleep(max(0.0, self.started + at - time.time()))
        pid = self._up_count()
        begin = time.time()
        happen()
        # Down, and up again: the daemon says so itself.
        wait_until(lambda: self._up_count() > pid, 20, "the link is up again", 0.02)
        self.outages.append((begin - SLACK, time.time() + SLACK))

    def _up_count(self) -> int:
        return sum("link=pbx:hq state=up" in line for line in self.site.daemon.text().splitlines())

    def _settled(self) -> bool:
        now = self.site.database.rows("SELECT COUNT(*) AS open, COALESCE(SUM(revision), 0) AS sum FROM cti_call WHERE ended IS NULL")[0]
        before, self.last = getattr(self, "last", None), now
        return now["open"] == 0 and before == now

    def undisturbed(self, entry) -> bool:
        return not any(entry.started < end and begin < entry.ended for begin, end in self.outages)

    def hidden(self, entry) -> bool:
        """From its beginning to its end while the daemon did not see."""
        return any(begin <= entry.started and entry.ended <= end for begin, end in self.outages)

    def stop(self):
        daemon = self.site.daemon
        code, text = daemon.stop(), daemon.text()
        self.site.stop()
        if self.pbx:
            self.pbx.close()
        assert code in (None, 0) and "runtime error" not in text and "AddressSanitizer" not in text, text[-4000:]


@pytest.fixture(scope="module")
def load():
    running = Load()
    yield running
    running.stop()


def leg_fault(leg, row) -> str:
    if row is None:
        return "no row"
    got = (row["extension"], row["cause"], row["offered"] is not None, row["answered"] is not None)
    wanted = (leg.extension, leg.cause, leg.offered is not None, leg.answered is not None)
    return "" if got == wanted else f"{wanted} is {got}"


def test_every_call_the_daemon_saw_whole_is_a_row_as_the_ledger_has_it(load):
    entries = {key: entry for key, entry in load.ledger.items() if load.undisturbed(entry)}
    faults = []
    for key, entry in entries.items():
        row = load.calls.get(key)
        if row is None:
            faults.append(f"{key}: no row for {entry}")
            continue
        wanted = {"direction": entry.direction, "caller_number": entry.caller, "dialed_number": entry.dialed, "queue": entry.queue or None,
                  "merged_into": f"hq:{entry.merged_into}" if entry.merged_into else None}
        if not entry.merged_into:
            wanted["disposition"] = DISPOSITIONS[entry.disposition]
            wanted["answered_by"] = f"p{entry.answered_by}@{DOMAIN}" if entry.answered_by else None
        faults += [f"{key}: {column} {row[column]!r}, not {value!r}" for column, value in wanted.items() if row[column] != value]
        for leg in entry.legs:
            if why := leg_fault(leg, load.legs.get(key, {}).get(leg.uniqueid)):
                faults.append(f"{key}, leg {leg.uniqueid}: {why}")
        strangers = set(load.legs.get(key, {})) - {leg.uniqueid for leg in entry.legs}
        faults += [f"{key}: leg {uniqueid} never was" for uniqueid in strangers]
        spans = [("talk_ms", entry.ended - entry.answered if entry.answered else 0.0)] if not entry.merged_into else []
        faults += [f"{key}: {column} {row[column]}, not {1000 * value:.0f}" for column, value in spans if abs((row[column] or 0) / 1000 - value) > 1.0]
    kinds = {entry.disposition for entry in entries.values()}
    assert len(entries) > 0.4 * CALLS and {"answered", "no-answer", "busy", "abandoned"} <= kinds, (len(entries), kinds)
    assert not faults, f"{len(faults)} faults in {len(entries)} calls:\n" + "\n".join(faults[:60])


def test_no_call_is_invented_doubled_or_left_open(load):
    assert not set(load.calls) - set(load.ledger)
    assert not [row for row in load.calls.values() if row["ended"] is None]
    assert not [row for legs in load.legs.values() for row in legs.values() if row["ended"] is None]


def test_a_call_an_outage_touched_is_closed_with_what_could_be_known(load):
    touched = {key: entry for key, entry in load.ledger.items() if not load.undisturbed(entry)}
    faults = []
    for key, entry in touched.items():
        row = load.calls.get(key)
        if row is None:
            if not load.hidden(entry):
                faults.append(f"{key}: no row, though {entry}")
            continue
        if row["merged_into"]:
            continue
        if row["caller_number"] != entry.caller:
            faults.append(f"{key}: caller {row['caller_number']!r}, not {entry.caller!r}")
        allowed = {DISPOSITIONS[entry.disposition], "lost", "answered" if entry.answered else "lost"}
        if row["disposition"] not in allowed:
            faults.append(f"{key}: {row['disposition']}, not one of {allowed}: {entry}; there is {row} and {load.legs.get(key)}")
    assert len(touched) > 10, "the outages met calls"
    assert not faults, f"{len(faults)} faults in {len(touched)} calls, outages {load.outages}:\n" + "\n".join(faults[:40])


def test_the_outages_were_seen(load):
    text = load.site.daemon.text()
    assert text.count("link=pbx:hq down:") >= 2, json.dumps([line for line in text.splitlines() if "link=pbx" in line])
