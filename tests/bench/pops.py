"""Ring bytes at the AMI socket -> stanza read at an XMPP client: the daemon, and beside it a relay that sends prepared stanzas."""
import json
import os
import pathlib
import queue
import re
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.daemon import Daemon, configuration            # noqa: E402
from lab.process import Child, wait_until                # noqa: E402
from lab.raw_xmpp import RawClient                       # noqa: E402
from lab.xmpp_servers import COMPONENT, SECRET           # noqa: E402

MESSAGE = re.compile(rb"<message\b.*?</message>", re.S)


class Reader(RawClient):
    """An XMPP client that only notes when a stanza was read."""

    def __init__(self, port: int, user: str):
        super().__init__(port, user, "bench")
        self.rings = {}                 # leg -> (monotonic ns, stanza)
        self.sizes = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                return
            at = time.monotonic_ns()
            if not piece:
                return
            self.data += piece
            end = 0
            for found in MESSAGE.finditer(self.data):
                end = found.end()
                call = re.search(rb"<call\b[^>]*>", found.group())
                if call and re.search(rb"state=['\"]ringing['\"]", call.group()):
                    leg = re.search(rb"leg=['\"]([^'\"]*)", call.group()).group(1).decode()
                    self.rings.setdefault(leg, (at, found.group()))
            self.data = self.data[end:]


class Pbx:
    """The simulated pbx in a process of its own."""
    name, tech = "hq", "PJSIP"
    secret = "sim-secret"

    def __init__(self):
        script = pathlib.Path(__file__).resolve().parents[1] / "load/simulate"
        self.process = subprocess.Popen([str(script), "--extensions", "201"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reports = queue.Queue()
        self.rings = {}
        self.logins = 0
        self.ami = json.loads(self.process.stdout.readline())["listening"]
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            report = json.loads(line)
            if "ring" in report:
                self.rings.setdefault(report["ring"], report["at_ns"])
            self.logins += "login" in report

    def generate(self, per_second, calls):
        self.process.stdin.write(json.dumps({"do": "generate", "with": {"per_second": per_second, "calls": calls}}) + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int, what="VmRSS") -> int:
    return int(re.search(rf"^{what}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def percentile(values, share) -> float:
    """The smallest value that at least that share of all values does not exceed."""
    values = sorted(values)
    return values[min(len(values) - 1, int(-(-len(values) * share // 1)) - 1)]


def measure(pbx: Pbx, reader: Reader, per_second: float, calls: int, pid: int) -> dict:
    pbx.rings.clear()
    reader.rings.clear()
    cpu, start = cpu_seconds(pid), time.monotonic()
    pbx.generate(per_second, calls)
    wait_until(lambda: len(pbx.rings) >= calls, calls / per_second + 30, f"{calls} calls rang")
    wait_until(lambda: len(set(pbx.rings) & set(reader.rings)) >= calls or None, 20, "every ring was read at the client")
    time.sleep(max(0.0, calls / per_second + 5 - (time.monotonic() - start)))     # to the end of the last call
    spent, span = cpu_seconds(pid) - cpu, time.monotonic() - start
    times = [(reader.rings[leg][0] - at) / 1e6 for leg, at in pbx.rings.items()]
    return {"calls": calls, "calls_per_minute": per_second * 60, "median_ms": round(statistics.median(times), 3),
            "p99_ms": round(percentile(times, 0.99), 3), "max_ms": round(max(times), 3), "cpu_percent": round(100 * spent / span, 2),
            "cpu_ms_per_call": round(1000 * spent / calls, 2), "memory_kib": memory_kib(pid), "memory_peak_kib": memory_kib(pid, "VmHWM"),
            "stanza_bytes": len(next(iter(reader.rings.values()))[1])}


def run_daemon(root, pbx, xmpp, database, reader, loads) -> tuple[list, bytes]:
    daemon = Daemon(root / "ctibridge", configuration(root / "ctibridge", [pbx], xmpp, database))
    daemon.config["log"]["level"] = "info"
    daemon.write()
    daemon.migrate()
    daemon.start()
    try:
        pid = daemon.child.pid
        wait_until(lambda: pbx.logins >= 1, 20, "the daemon is logged in to the pbx")
        time.sleep(1)
        idle = memory_kib(pid)
        pbx.generate(5, 5)              # warm: first use of everything
        wait_until(lambda: len(set(pbx.rings) & set(reader.rings)) >= 5, 30, f"the first rings were read\n{daemon.text()[-2000:]}")
        time.sleep(5)
        results = [measure(pbx, reader, rate, calls, pid) for rate, calls in loads]
        leg, (_, stanza) = next(iter(reader.rings.items()))
        for result in results:
            result["memory_idle_kib"] = idle
        return results, stanza.replace(leg.encode(), b"@LEG@", 1)
    finally:
        daemon.stop()


def run_relay(root, pbx, xmpp, reader, stanza: bytes, loads, relay: pathlib.Path) -> list:
    prepared = root / "stanza.xml"
    prepared.write_bytes(stanza)
    log = root / "relay.log"
    child = Child("relay", [relay, pbx.ami, "ctibridge", pbx.secret, COMPONENT, xmpp.component, SECRET, prepared], log)
    try:
        wait_until(lambda: "ready" in log.read_text(), 20, f"the relay is ready: {log.read_text()}")
        pbx.generate(5, 5)
        wait_until(lambda: len(set(pbx.rings) & set(reader.rings)) >= 5, 30, "the relay's first rings were read")
        time.sleep(5)
        return [measure(pbx, reader, rate, calls, child.pid) for rate, calls in loads]
    finally:
        child.stop()
