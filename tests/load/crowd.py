"""Everybody signs in at once: a simulated pbx with as many phones as there are operators, people and services for them, and one XMPP connection that asks for all."""
import re
import threading
import time

from lab.raw_xmpp import RawClient
from lab.xmpp_servers import COMPONENT, DOMAIN

NS = "urn:ctibridge:1"
FIRST = 3000
SERVICES = ("help", "orders", "sales", "support")
ANSWER = re.compile(rb"<iq\b[^>]*?\bid=['\"]in-(\d+)['\"].*?</iq>", re.S)


def extensions(count: int) -> list:
    return [str(FIRST + n) for n in range(count)]


def jid(extension: str) -> str:
    return f"p{extension}@{DOMAIN}"


def services_of(extension: str) -> set:
    """Two for each."""
    n = int(extension)
    return {SERVICES[n % len(SERVICES)], SERVICES[(n + 1) % len(SERVICES)]}


def roster(count: int) -> dict:
    people = extensions(count)
    return {"operators": [{"jid": jid(one), "pbx": "hq", "extension": one, "name": f"Person {one}"} for one in people],
            "services": [{"name": f"{queue} line", "pbx": "hq", "queue": queue,
                          "operators": [{"jid": jid(one), "penalty": int(one) % 7} for one in people if queue in services_of(one)]} for queue in SERVICES]}


class Crowd(RawClient):
    """Asks for all of them over one connection, as an administrator may, and notes when each was answered."""

    def __init__(self, port: int, user: str = "admin"):
        super().__init__(port, user, "crowd")
        self.answers = {}               # number of the request -> (monotonic s, the stanza)
        self._all = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, people, state: str, timeout: float = 120) -> float:
        """Seconds to the last answer. All requests are on their way before the first one is answered."""
        self.answers.clear()
        begun = time.monotonic()
        for number, one in enumerate(people):
            self.socket.sendall(f"<iq type='set' id='in-{number}' to='{COMPONENT}'><agent xmlns='{NS}' state='{state}' on-behalf-of='{jid(one)}'/></iq>".encode())
        with self._all:
            if not self._all.wait_for(lambda: len(self.answers) >= len(people), timeout):
                raise TimeoutError(f"{len(people) - len(self.answers)} of {len(people)} requests have no answer after {timeout:g} s")
        return max(at for at, _ in self.answers.values()) - begun

    def refused(self) -> list:
        return [stanza for _, stanza in self.answers.values() if b"type='result'" not in stanza and b'type="result"' not in stanza]

    def _read(self):
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                return
            if not piece:
                return
            self.data += piece
            end = 0
            with self._all:
                for found in ANSWER.finditer(self.data):
                    end = found.end()
                    self.answers[int(found[1])] = time.monotonic(), found[0]
                self._all.notify_all()
            self.data = self.data[end:]


def members(pbx) -> dict:
    """queue -> {extension: member}, as the simulated pbx has them."""
    return {name: {member.extension: member for member in queue.members.values()} for name, queue in pbx.pbx.exchange.queues.items()}


def actions(pbx, name: str) -> list:
    """Those of that name the pbx was asked for."""
    return [report["action"] for report in pbx.reports if report.get("action", {}).get("Action") == name]
