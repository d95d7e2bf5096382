"""Operators at work in the queues of a real Asterisk: what a test asks of their clients, and whether Asterisk's queues say the same."""
import datetime
import pathlib
import xml.etree.ElementTree as ET

import yaml
from company import ANNA, BORIS, CLARA, DAVID, FILIP, Company
from lab.client import NS, error_of
from lab.process import LabError, wait_until
from lab.proxy import Proxy
from lab.queues import Queues

EXTENSIONS = {"anna": "201", "boris": "202", "clara": "203", "david": "204", "filip": "205"}
QUEUES = ("help", "orders", "fixed")
HELP_LINE, ORDER_LINE = "02079460610", "02079460611"
WRAP_UP = 4
ROSTER = {
    "operators": [{"jid": jid, "pbx": "hq", "extension": EXTENSIONS[jid.split("@")[0]], "name": name}
                  for jid, name in ((ANNA, "Anna"), (BORIS, "Boris"), (CLARA, "Clara"), (DAVID, "David"), (FILIP, "Filip"))]
    + [{"jid": "hugo@example.org", "role": "application", "name": "Timesheet"}],
    "services": [
        {"name": "help line", "pbx": "hq", "queue": "help", "wrap_up": {"time": f"{WRAP_UP}s", "codes": [{"code": "solved", "label": "Solved"}]},
         "operators": [{"jid": ANNA, "penalty": 1}, {"jid": BORIS, "penalty": 2}, {"jid": "hugo@example.org", "supervisor": True}]},
        {"name": "order line", "pbx": "hq", "queue": "orders", "operators": [{"jid": ANNA, "penalty": 3}, {"jid": BORIS}, {"jid": CLARA, "supervisor": True}]},
        {"name": "ghost line", "pbx": "hq", "queue": "no-such-queue", "operators": [{"jid": CLARA}, {"jid": DAVID}]},
        {"name": "fixed line", "pbx": "hq", "queue": "fixed", "operators": [{"jid": FILIP}]},
    ],
    "seats": [{"id": "window", "pbx": "hq", "extension": "203", "keys": ["desk-by-the-window"]}],
}
AGENTS = {"reasons": [{"code": "lunch", "label": "Lunch break", "number": 7}, {"code": "meeting"}], "grace": "2s", "logout": "3s", "ping": "1s"}


def prepare(site):
    """Our tables before the daemon's first look at them, its AMI behind a link that can be cut."""
    site.ami_link = site._begin(Proxy(site.pbx.ami))
    site.daemon.config["pbx"][0]["port"] = site.ami_link.port
    site.daemon.config["agents"] = AGENTS
    site.daemon.write()
    site.daemon.migrate()
    file = pathlib.Path(site.daemon.folder) / "roster.yaml"
    file.write_text(yaml.safe_dump(ROSTER))
    done = site.daemon.command("import", str(file))
    assert done.returncode == 0, (done.stdout, done.stderr)


class Floor(Company):
    """A company whose operators have consoles."""

    def __init__(self, **options):
        super().__init__(prepare=prepare, users=(), **options)
        self.queues = Queues(self.site.pbx)
        self.desks = {}

    def desk(self, user: str, resource: str = "desk") -> "Desk":
        """The operator's console, signed in at the messenger; the same one again while it is there."""
        if user not in self.desks:
            self.desks[user] = Desk(self, user, resource)
        return self.desks[user]

    def leave(self, user: str):
        desk = self.desks.pop(user)
        desk.client.stop()
        if desk.client in self.site.clients:
            self.site.clients.remove(desk.client)

    def calm(self):
        """No call, nobody signed in, no console."""
        super().calm()
        for user in EXTENSIONS:
            self.desk(user).set(state="logged-out", allowed=("not-allowed",))
        for user in list(self.desks):
            self.leave(user)
        for extension in EXTENSIONS.values():
            for queue, member in self.members(extension).items():
                if member.dynamic:
                    self.queues.remove(extension, queue)
                elif member.paused:
                    self.queues.pause(extension, False, queue)

    def members(self, extension: str) -> dict:
        """What Asterisk has of this phone in the queues of the services."""
        return {queue: member for queue, member in self.queues.of(extension).items() if queue in QUEUES}

    def rows(self, jid: str) -> list:
        return self.site.database.rows("SELECT * FROM cti_agent_event WHERE jid = %s ORDER BY at, id", jid)


class Desk:
    """One operator's console."""

    def __init__(self, floor: Floor, user: str, resource: str = "desk"):
        self.floor, self.user, self.extension = floor, user, EXTENSIONS.get(user, "")
        self.client = floor.site.client(user, console=True, resource=resource)

    def ask(self, **attributes) -> ET.Element:
        text = "".join(f" {name.replace('_', '-')}='{value}'" for name, value in attributes.items())
        return self.client.request(f"<agent xmlns='{NS}'{text}/>", kind="set", timeout=15)

    def set(self, allowed=(), **attributes) -> ET.Element:
        """Must be done; the picture in the answer. `allowed`: conditions of a refusal that is all right."""
        answer = self.ask(**attributes)
        condition = error_of(answer)
        assert not condition or condition in allowed, ET.tostring(answer)
        return answer.find(f"{{{NS}}}agent")

    def refused(self, condition: str, **attributes) -> str:
        """Must be refused with that; the text for people."""
        answer = self.ask(**attributes)
        assert error_of(answer) == condition, ET.tostring(answer)
        return "".join(e.text or "" for e in answer.iter("{urn:ietf:params:xml:ns:xmpp-stanzas}text"))

    def now(self, **attributes) -> ET.Element:
        """The picture as it is asked for."""
        text = "".join(f" {name.replace('_', '-')}='{value}'" for name, value in attributes.items())
        answer = self.client.request(f"<agent xmlns='{NS}'{text}/>", kind="get")
        assert not error_of(answer), ET.tostring(answer)
        return answer.find(f"{{{NS}}}agent")

    def told(self, of: str = "") -> list:
        """The pictures that were pushed, oldest first."""
        of = of or self.client.jid
        found = [n.xml.find(f"{{{NS}}}agent") for n in self.client.notices]
        return [one for one in found if one is not None and one.get("jid") == of]

    def wait(self, state: str, timeout: float = 10, **attributes) -> ET.Element:
        """Until the last pushed picture says so."""
        def found():
            return [last for last in self.told()[-1:] if last.get("state") == state and all(last.get(k) == v for k, v in attributes.items())]
        try:
            return wait_until(found, timeout, "so")[0]
        except LabError:
            seen = "\n  ".join(ET.tostring(one, encoding="unicode") for one in self.told()[-5:]) or "nothing"
            raise LabError(f"{self.user} was not told {state} {attributes} in {timeout:g} s, but:\n  {seen}") from None

    def members(self) -> dict:
        return self.floor.members(self.extension)


def services(picture: ET.Element) -> dict:
    return {one.get("name"): one for one in picture.findall(f"{{{NS}}}service")}


def time_of(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def agree(desk: Desk, state: str, **attributes) -> ET.Element:
    """The desk says `state`, and Asterisk's queues say the same, now: membership, penalty, name, pause and its reason."""
    picture, members = desk.now(), desk.members()
    shown = ET.tostring(picture, encoding="unicode"), members
    assert picture.get("state") == state, shown
    for name, value in attributes.items():
        assert picture.get(name) == value, shown
    wanted = {}
    for service in ROSTER["services"]:
        for who in service["operators"]:
            if who["jid"] == desk.client.jid and service["queue"] in QUEUES:
                wanted[service["queue"]] = who.get("penalty", 0), service["name"]
    if state == "logged-out":
        assert members == {}, shown
        return picture
    assert set(members) == set(wanted), shown
    for queue, member in members.items():
        penalty, service = wanted[queue]
        assert services(picture)[service].get("state") == "in", shown
        if not member.dynamic:
            continue
        assert (member.penalty, member.name) == (penalty, desk.user.capitalize()), shown
        if state in ("ready", "not-ready", "wrap-up"):
            assert member.paused == (state != "ready"), shown
        if state == "not-ready":
            assert member.reason == (picture.get("reason") or ""), shown
        if state == "wrap-up":
            assert member.reason == "wrap-up", shown
    return picture
