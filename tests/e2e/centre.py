"""A call centre at the simulated pbx: many calls of every kind at once, and a ledger that knows what they were."""
import os
import pathlib

from lab.process import wait_until
from lab.site import Site
from lab.xmpp_servers import DOMAIN
from load.pbx import Simulated

DISPOSITIONS = {"no-answer": "no-answer", "busy": "busy", "abandoned": "abandoned", "answered": "answered", "lost": "lost"}
KEEP = os.environ.get("CTIBRIDGE_KEEP_LOG")     # a file: the daemon's log is written there
SLACK = 0.5         # seconds around an outage in which the daemon may or may not have seen what happened


class Centre:
    """`people`: extensions, each an operator pEXT; the last `agents` of them take two queues."""

    def __init__(self, people: list, agents: list):
        self.people, self.agents = people, agents
        self.site, self.pbx, self.outages = Site(asterisk=(), phones=()), None, []
        self.calls, self.legs, self.ledger, self._last = {}, {}, {}, None
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self):
        self.pbx = Simulated("hq", extensions=self.people)
        self.pbx.do("queue", "support", self.agents[:5], ring=1.0, retry=0.5)
        self.pbx.do("queue", "sales", self.agents[5:], ring=1.0, retry=0.5, strategy="rrmemory")
        self.site.add(self.pbx.start())
        self.site.daemon.config["pbx"][0].update(country="GB")
        self.site.daemon.write()
        self.site.daemon.migrate()
        for extension in self.people:
            self.site.database.rows("INSERT INTO cti_operator (jid, pbx, extension) VALUES (%s, 'hq', %s)", f"p{extension}@{DOMAIN}", extension)

    def up_count(self) -> int:
        return sum("link=pbx:hq state=up" in line for line in self.site.daemon.text().splitlines())

    def finish(self, generated):
        """Until every call is over and written; then `ledger`, `calls` and `legs` are there."""
        generated.result(300)
        exchange = self.pbx.pbx.exchange
        wait_until(lambda: not exchange.tasks, 60, "every call is over", 0.2)
        self.ledger = {f"hq:{linkedid}": entry for linkedid, entry in exchange.ledger.items()}
        wait_until(self._settled, 60, "the call log is written", 0.5)
        self.calls = {row["id"]: row for row in self.site.database.rows("SELECT * FROM cti_call")}
        for row in self.site.database.rows("SELECT * FROM cti_leg"):
            self.legs.setdefault(row["call"], {})[row["uniqueid"]] = row

    def _settled(self) -> bool:
        now = self.site.database.rows("SELECT COUNT(*) AS open, COALESCE(SUM(revision), 0) AS sum FROM cti_call WHERE ended IS NULL")[0]
        before, self._last = self._last, now
        return now["open"] == 0 and before == now

    def undisturbed(self, entry) -> bool:
        return not any(entry.started < end and begin < entry.ended for begin, end in self.outages)

    def hidden(self, entry) -> bool:
        """From its beginning to its end while the daemon did not see."""
        return any(begin <= entry.started and entry.ended <= end for begin, end in self.outages)

    def faults_of(self, key: str, entry) -> list:
        """What is wrong with the rows of a call that the daemon saw whole."""
        row = self.calls.get(key)
        if row is None:
            return [f"{key}: no row for {entry}"]
        wanted = {"direction": entry.direction, "caller_number": entry.caller, "dialed_number": entry.dialed, "queue": entry.queue or None,
                  "merged_into": f"hq:{entry.merged_into}" if entry.merged_into else None}
        if not entry.merged_into:
            wanted["disposition"] = DISPOSITIONS[entry.disposition]
            wanted["answered_by"] = f"p{entry.answered_by}@{DOMAIN}" if entry.answered_by else None
        faults = [f"{key}: {column} {row[column]!r}, not {value!r}" for column, value in wanted.items() if row[column] != value]
        for leg in entry.legs:
            if why := _leg_fault(leg, self.legs.get(key, {}).get(leg.uniqueid)):
                faults.append(f"{key}, leg {leg.uniqueid}: {why}")
        strangers = set(self.legs.get(key, {})) - {leg.uniqueid for leg in entry.legs}
        faults += [f"{key}: leg {uniqueid} never was" for uniqueid in strangers]
        talked = entry.ended - entry.answered if entry.answered else 0.0
        if not entry.merged_into and abs((row["talk_ms"] or 0) / 1000 - talked) > 1.0:
            faults.append(f"{key}: talk_ms {row['talk_ms']}, not {1000 * talked:.0f}")
        return faults

    def invented(self) -> list:
        """Rows of calls that never were, and rows left open."""
        return [f"{key} never was" for key in set(self.calls) - set(self.ledger)] + \
            [f"{row['id']} is open" for row in self.calls.values() if row["ended"] is None] + \
            [f"a leg is open: {row}; of {self.calls.get(row['call'])}" for legs in self.legs.values() for row in legs.values() if row["ended"] is None]

    def stop(self):
        daemon = self.site.daemon
        code, text, fault = daemon.stop(), daemon.text(), daemon.fault()
        if KEEP:
            pathlib.Path(KEEP).write_text(text)
        self.site.stop()
        if self.pbx:
            self.pbx.close()
        assert code in (None, 0) and not fault, fault or text[-4000:]


def _leg_fault(leg, row) -> str:
    if row is None:
        return "no row"
    got = (row["extension"], row["cause"], row["offered"] is not None, row["answered"] is not None)
    wanted = (leg.extension, leg.cause, leg.offered is not None, leg.answered is not None)
    return "" if got == wanted else f"{wanted} is {got}"
