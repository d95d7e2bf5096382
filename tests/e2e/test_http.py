"""The HTTP port of the running daemon: the dialplan of a real Asterisk asks who calls, vTiger's connector has calls made, the console's files; and nobody can take the port up."""
import pathlib
import socket
import urllib.parse

import pytest
from company import ANNA, NOBODY, PAVEL, Company
from conftest import SETS, need
from lab import places
from lab.client import NS, error_of
from lab.process import wait_until

SECRET = "s3cr3tKey 42"
SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "etc/asterisk/extensions_ctibridge.conf"
# A DID whose dialplan asks first; what it learned is sent as the called phone's business.
ASKING = """
[from-trunk](+)
exten => 02079460777,1,Gosub(ctibridge-caller,s,1)
 same => n,UserEvent(Asked,Name: ${CTI_NAME},Owner: ${CTI_OWNER},Last: ${CTI_LAST},Record: ${CTI_RECORD})
 same => n,Dial(@TECH@/201,8)
 same => n,Hangup()
"""


class Served(Company):
    def __init__(self, **options):
        self.port = places.free_port()

        def prepare(site):
            www = site.daemon.folder / "www"
            www.mkdir()
            (www / "index.html").write_text("<!doctype html><title>console</title>")
            site.daemon.config["http"] = [{"listen": f"127.0.0.1:{self.port}", "serve": ["caller", "makecall", "health", "console"], "makecall_secret": SECRET, "console": str(www)}]
            site.daemon.write()
            folder = site.pbx.folder / "etc"
            (folder / SNIPPET.name).write_text(SNIPPET.read_text().replace("127.0.0.1:8383", f"127.0.0.1:{self.port}"))
            file = folder / "extensions.conf"
            file.write_text(file.read_text() + f"\n#include {SNIPPET.name}\n" + ASKING.replace("@TECH@", site.pbx.tech))
            site.pbx.cli("dialplan reload")
        super().__init__(prepare=prepare, phones=("201", "202"), handsets=("201", "202"), **options)

    def raw(self, data: bytes, timeout: float = 20) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout) as s:
            s.sendall(data)
            answer = b""
            while piece := s.recv(65536):
                answer += piece
            return answer

    def ask(self, target: str, method: str = "GET", headers: str = "") -> tuple:
        """Status and body."""
        answer = self.raw(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n{headers}\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def makecall(self, **fields) -> str:
        """As vTiger posts it."""
        form = {"event": "OutgoingCall", "secret": SECRET, "from": "201", "to": PAVEL, "context": "from-internal", **fields}
        status, body = self.ask("/makecall?" + urllib.parse.urlencode(form), "POST", "Content-Length: 0\r\n")
        assert status == 200
        return body

    def caller(self, number: str) -> dict:
        status, body = self.ask("/caller?number=" + urllib.parse.quote(number))
        assert status == 200, body
        return {name: values[0] for name, values in urllib.parse.parse_qs(body, keep_blank_values=True).items()}


@pytest.fixture(scope="module", params=SETS)
def served(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Served(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(served):
    served.calm()
    for phone in served.phones.values():
        phone.calls.clear()
    yield served
    served.calm()


# ---- the dialplan asks

def test_the_dialplan_learns_who_calls_before_the_phone_rings(calm):
    before = calm.caller(PAVEL)
    assert before["record"] == "120" and before["module"] == "Contacts" and "Pavel" in before["name"]
    calm.provider.call("02079460777", PAVEL)
    calm.phone("201").wait("ringing")
    invite = calm.phone("201").calls[-1].invite
    assert "Pavel Dole".encode() in invite.get("from") + invite.get("p-asserted-identity") + invite.get("remote-party-id"), invite.headers
    # What we said is not read back as what the network said.
    pop = calm.anna.expect(state="ringing")
    assert [m.get("id") for m in pop.matches] == ["120"] and pop.party.get("name") is None


def test_the_dialplan_learns_who_talked_with_the_caller_last(calm):
    caller = calm.inbound("202", ALFA := "+420601234567")
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    notice = calm.boris.expect(state="answered")
    caller.hangup()
    calm.call_row(notice.id)
    wait_until(lambda: calm.caller(ALFA)["last"] == "202", 10, f"who talked last: {calm.caller(ALFA)}", 0.2)
    assert calm.caller(ALFA)["name"] == ""      # an account and a contact have this number


def test_nobody_known_calls_and_the_phone_rings(calm):
    assert calm.caller(NOBODY) == {"name": "", "owner": "", "last": "", "record": "", "module": ""}
    assert calm.caller("anonymous") == calm.caller("") == calm.caller("x" * 500) == calm.caller(NOBODY)
    calm.provider.call("02079460777", NOBODY)
    calm.phone("201").wait("ringing")


def test_a_bridge_that_is_away_does_not_hold_up_the_call(calm):
    calm.daemon.stop()
    try:
        calm.provider.call("02079460777", PAVEL)
        calm.phone("201").wait("ringing")
    finally:
        calm.daemon.start()


# ---- vTiger

def test_a_click_in_vtiger_calls(calm):
    assert calm.makecall(to="+420 736 763 072") == "Success"
    calm.phone("201").wait("ringing")
    dialing = calm.anna.expect(state="dialing")
    assert dialing.party.get("number") == PAVEL and dialing.child("match").get("id") == "120"
    row = wait_until(lambda: calm.database.rows("SELECT jid, number, outcome, action FROM cti_dial ORDER BY at DESC LIMIT 1"), 10, "audit row", 0.1)[0]
    assert row == {"jid": ANNA, "number": "+420 736 763 072", "outcome": "accepted", "action": "dial"}


def test_a_click_is_refused_by_the_same_rules_as_every_dial(calm):
    assert calm.makecall(to="+420900123456") == "Error"
    assert wait_until(lambda: calm.database.rows("SELECT outcome FROM cti_dial WHERE number = '+420900123456'"), 10, "audit row", 0.1)[0]["outcome"] == "refused:deny:+420900*"
    assert calm.makecall(to="nonsense") == "Error"
    assert calm.makecall(**{"from": "299"}) == "Error"
    assert calm.makecall(event="Other") == "Error"
    assert calm.phone("201").idle


def test_a_wrong_secret_is_told_and_no_secret_is_in_the_log(calm):
    for wrong in ("", "wrongSecret", SECRET + "x", SECRET[:-1]):
        assert calm.makecall(secret=wrong) == "Authentication Failure"
    text = calm.daemon.text()
    assert "Authentication Failure" in text and SECRET not in text and "s3cr3tKey" not in text and "wrongSecret" not in text
    assert calm.phone("201").idle


# ---- the port

def test_the_console_is_served_and_nothing_beside_it(calm):
    assert calm.ask("/") == (200, "<!doctype html><title>console</title>")
    assert calm.ask("/index.html")[0] == 200
    for path in ("/../ctibridge.yaml", "/%2e%2e/ctibridge.yaml", "//etc/passwd", "/www", "/nothing"):
        assert calm.ask(path)[0] == 404, path
    assert calm.ask("/health") == (200, "ok\n")
    assert calm.ask("/health", "DELETE")[0] == 405
    assert calm.ask("/metrics")[0] == 404


def test_callers_are_no_business_of_a_page_or_of_another_machine(calm):
    assert calm.ask("/caller?number=1", headers="X-Forwarded-For: 192.0.2.1\r\n")[0] == 403
    assert b" 403 " in calm.raw(b"GET /caller?number=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").split(b"\r\n")[0]


def test_slow_and_broken_clients_do_not_keep_others_out(calm):
    slow = [socket.create_connection(("127.0.0.1", calm.port), 20) for _ in range(100)]
    try:
        for s in slow:
            try:
                s.sendall(b"GET / HTTP/1.1\r\nX-")
            except OSError:
                pass
        for s in slow:          # each is cut off, at the latest at its deadline
            try:
                assert s.recv(10) == b""
            except ConnectionResetError:
                pass
    finally:
        for s in slow:
            s.close()
    assert calm.ask("/health")[0] == 200
    assert b" 431 " in calm.raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n").split(b"\r\n")[0]
    assert calm.ask("/health")[0] == 200
    assert error_of(calm.anna.request(f"<calls xmlns='{NS}'/>", "get")) == ""
