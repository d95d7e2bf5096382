"""The daemon fed with a recorded session (`replay --serve`) tells its operators what `replay` of that session prints, and writes its rows."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tarfile
import threading
import time

import pytest
import yaml
from conftest import need  # noqa: F401  the lab's folder is in sys.path from here on
from lab import places
from lab.client import Client
from lab.daemon import binary
from lab.process import LabError, wait_until
from lab.site import Site
from lab.xmpp_servers import DOMAIN, password

DATA = pathlib.Path(__file__).parents[1] / "data"
EXTENSIONS = ("201", "202", "203")
PLAYERS = 8         # pbxs of the daemon that play side by side: the recordings last 21 minutes one after the other
SETTLE = 1.2        # longer than the evidence that the desk waits for at the end of a call
# A part of the recordings is enough to see that the two ways agree; CTIBRIDGE_TRACES_ALL=1 plays every one.
SHORT = 0 if os.environ.get("CTIBRIDGE_TRACES_ALL") else 13


class Trace:
    def __init__(self, folder: pathlib.Path, count: int, data: bytes, times: bytes):
        self.name = folder.name
        # Click-to-dials were numbered alike in several recordings: each gets ids of its own, of the same length.
        mark = b"%c%c" % (65 + count // 26, 65 + count % 26)
        folder.mkdir(parents=True)
        self.ami, self.times = folder / "trace.ami", folder / "trace.times"
        self.ami.write_bytes(re.sub(rb"\bctd-\d\d(?=\d\d)", b"ctd-" + mark, data))
        self.times.write_bytes(times)
        self.seconds = int(times.split()[-1]) / 1000

    def replay(self, config: pathlib.Path, people: pathlib.Path, pbx: str) -> dict:
        """What `replay` prints: notices, calls and legs."""
        done = subprocess.run([str(binary()), "replay", "--config", str(config), "--people", str(people), "--pbx", pbx, "--times", str(self.times),
                               str(self.ami)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (self.name, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {kind: [line[kind] for line in lines if kind in line] for kind in ("notice", "call", "leg")}

    def play(self, port: int):
        """As a pbx on that port, until it is over and the daemon has had time to decide the last things."""
        child = subprocess.Popen([str(binary()), "replay", "--serve", str(port), "--wait", "--stay", "--times", str(self.times), str(self.ami)],
                                 stdout=subprocess.PIPE, text=True)
        try:
            for line in child.stdout:
                if "played" in json.loads(line):
                    break
            else:
                raise LabError(f"{self.name}: `replay --serve` ended with {child.wait()}")
            time.sleep(SETTLE)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(10)


def recordings(folder: pathlib.Path) -> list:
    """The longest first."""
    found = []
    for archive in ("ami-traces", "ami-traces-more"):
        files = {}
        with tarfile.open(DATA / f"{archive}.tar.xz") as tar:
            for member in tar:
                if re.search(r"(?<!\.actions)\.(ami|times)$", member.name):
                    files[member.name] = tar.extractfile(member).read()
        for name in sorted(name for name in files if name.endswith(".ami")):
            trace = Trace(folder / pathlib.PurePath(name).stem, len(found), files[name], files[name[:-4] + ".times"])
            found.append(trace)
    return sorted((trace for trace in found if not SHORT or trace.seconds <= SHORT), key=lambda trace: -trace.seconds)


class Exchange:
    """A pbx of the daemon on which one recording after the other is played."""
    tech = "PJSIP"

    def __init__(self, name: str):
        self.name, self.secret, self.ami = name, "any", places.free_port()

    def stop(self):
        pass


class Played:
    def __init__(self):
        self.site = Site(asterisk=(), phones=())
        try:
            self._begin()
        except BaseException:
            self.site.stop()
            raise

    def _begin(self):
        site, self.pbxs, self.clients = self.site, [Exchange(f"p{i}") for i in range(PLAYERS)], {}
        for pbx in self.pbxs:
            site.add(pbx)
        for pbx in site.daemon.config["pbx"]:
            pbx.update(channels=["PJSIP/{extension}", "SIP/{extension}"], country="GB")
        site.daemon.write()
        site.daemon.migrate()
        accounts = next((site.folder.path / "xmpp").glob("data/*/accounts"))
        self.people = {}
        for pbx in self.pbxs:
            people = [{"jid": f"{pbx.name}-{extension}@{DOMAIN}", "pbx": pbx.name, "extension": extension} for extension in EXTENSIONS]
            self.people[pbx.name] = site.folder.path / f"{pbx.name}.yaml"
            self.people[pbx.name].write_text(yaml.safe_dump(people))
            for person in people:
                site.database.rows("INSERT INTO cti_operator (jid, pbx, extension) VALUES (%s, %s, %s)", *person.values())
                user = person["jid"].partition("@")[0]
                (accounts / f"{user.replace('-', '%2d')}.dat").write_text(f'return {{ ["password"] = "{password(user)}"; }};\n')
        site.start_daemon()
        for pbx in self.pbxs:
            for extension in EXTENSIONS:
                client = Client(site.xmpp, f"{pbx.name}-{extension}", console=True).start()
                site.clients.append(client)
                self.clients[client.jid] = client
        self.traces, self.failed = recordings(site.folder.path / "traces"), []
        self.where = {}
        waiting, lock = list(self.traces), threading.Lock()

        def player(pbx):
            while True:
                with lock:
                    if not waiting or self.failed:
                        return
                    trace = waiting.pop(0)
                    self.where[trace.name] = pbx.name
                try:
                    trace.play(pbx.ami)
                except Exception as error:      # noqa: BLE001  told by the test
                    self.failed.append(f"{trace.name}: {error}")
        threads = [threading.Thread(target=player, args=(pbx,)) for pbx in self.pbxs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.failed, self.failed
        # Rows go through the outbox.
        wait_until(self._rows_are_there, 30, "the call log is written", 0.5)
        read = {"call": "SELECT * FROM cti_call", "leg": "SELECT * FROM cti_leg"}
        self.rows = {kind: site.database.rows(sql) for kind, sql in read.items()}

    def _rows_are_there(self):
        before, self.count = getattr(self, "count", None), self.site.database.rows(
            "SELECT (SELECT SUM(revision) FROM cti_call) AS calls, (SELECT SUM(revision) FROM cti_leg) AS legs")
        return before == self.count and self.count

    def expected(self, trace: Trace) -> dict:
        pbx = self.where[trace.name]
        return trace.replay(self.site.daemon.file, self.people[pbx], pbx)

    def stop(self):
        code, text = self.site.daemon.stop(), self.site.daemon.text()
        self.site.stop()
        assert code == 0 and "runtime error" not in text and "AddressSanitizer" not in text, text[-4000:]


@pytest.fixture(scope="module")
def played():
    running = Played()
    yield running
    running.stop()


def told(notices) -> list:
    """Per key, in order: what an operator was told, without the times."""
    keys = {}
    for n in notices:
        n = {**n, "name": None} if internal(n["number"]) else n
        keys.setdefault((n["to"], n["leg"]), []).append({key: n[key] for key in (
            "id", "replaces", "state", "direction", "cause", "extension", "number", "name", "dialed", "queue", "service", "variables", "request")})
    return keys


def of_replay(n: dict) -> dict:
    return {**n, "number": n["party"]["number"], "name": n["party"]["name"]}


def internal(number) -> bool:
    """Colleagues are called by their names in the CRM, which `replay` does not ask."""
    return bool(number) and re.fullmatch(r"2\d\d", number) is not None


def of_client(client, n) -> dict:
    def child(name, key):
        return n.child(name).get(key) if n.child(name) is not None else None
    withheld = n.party is not None and n.party.get("withheld") == "true"
    return {"to": client.jid, "leg": n.leg, "id": n.id, "replaces": n.replaces, "state": n.state, "direction": n.direction, "cause": n.cause,
            "extension": n.extension, "number": "anonymous" if withheld else child("party", "number"), "name": child("party", "name"), "dialed": child("dialed", "number"),
            "queue": child("queue", "name"), "service": child("service", "name"), "request": n.request,
            "variables": {v.get("name"): v.text for v in n.call.findall("{urn:ctibridge:1}variable")}}


def without_lost(received: dict, expected: dict) -> dict:
    """A ring that goes on at the end of the recording is ended by the next connection, which does not know it."""
    for key, notices in received.items():
        if len(notices) == len(expected.get(key, [])) + 1 and notices[-1]["cause"] == "lost":
            notices.pop()
    return received


def differences(expected: dict, received: dict) -> list:
    lines = []
    for key in sorted({*expected, *received}):
        one, other = expected.get(key, []), received.get(key, [])
        for i in range(max(len(one), len(other))):
            a, b = (x[i] if i < len(x) else {} for x in (one, other))
            if a != b:
                lines.append(f"{key[1]} of {key[0]}, notice {i}: " + ", ".join(
                    f"{name}: replay {a.get(name)!r}, daemon {b.get(name)!r}" for name in sorted({*a, *b}) if a.get(name) != b.get(name)))
    return lines


def test_the_daemon_tells_what_replay_tells(played):
    faults = {}
    for trace in played.traces:
        notices = [of_replay(n) for n in played.expected(trace)["notice"]]
        legs = {n["leg"] for n in notices}
        pbx = played.where[trace.name]
        got = [of_client(client, n) for jid, client in played.clients.items() if jid.startswith(pbx + "-") for n in client.find()]
        expected = told(notices)
        received = without_lost(told(n for n in got if n["leg"] in legs), expected)
        if lines := differences(expected, received):
            faults[trace.name] = lines
    known = {n["leg"] for trace in played.traces for n in played.expected(trace)["notice"]}
    strangers = [n for client in played.clients.values() for n in client.find() if n.leg not in known]
    text = "\n".join(f"{name}\n  " + "\n  ".join(lines) for name, lines in faults.items())
    assert not faults and not strangers, f"{len(faults)} of {len(played.traces)} recordings differ:\n{text}\nnot in any recording: {strangers}"


def row_faults(kind: str, expected: dict, row: dict) -> list:
    """Values are equal; a moment is there or not, and spans agree within what a busy machine needs."""
    faults = []
    for column, value in expected.items():
        if column in ("started_ms", "offered_ms", "answered_ms", "ended_ms"):
            there = row[column[:-3]] is not None
            if there != (value is not None):
                faults.append(f"{column}: replay {value}, daemon {row[column[:-3]]}")
        elif column in ("wait_ms", "talk_ms"):
            if (value is None) != (row[column] is None) or abs((value or 0) - (row[column] or 0)) > 3000:
                faults.append(f"{column}: replay {value}, daemon {row[column]}")
        elif column not in ("pbx", "module", "record", "label", "leg", "caller_name") and str(value) != str(row[column]):
            faults.append(f"{column}: replay {value!r}, daemon {row[column]!r}")
    return faults


def test_the_daemon_writes_the_rows_replay_prints(played):
    rows = {kind: {key(row): row for row in played.rows[kind]}
            for kind, key in (("call", lambda row: row["id"]), ("leg", lambda row: (row["uniqueid"], row["jid"])))}
    faults, compared = [], 0
    for trace in played.traces:
        expected = played.expected(trace)
        for kind, key in (("call", lambda row: row["id"]), ("leg", lambda row: (row["leg"], row["jid"]))):
            for one in expected[kind]:
                if one["ended_ms"] is None:     # the next connection ended it
                    continue
                compared += 1
                row = rows[kind].get(key(one))
                lines = row_faults(kind, one, row) if row else ["no row"]
                faults += [f"{trace.name}: {kind} {key(one)}: {line}" for line in lines]
    assert compared > 100 and not faults, "\n".join(faults)
