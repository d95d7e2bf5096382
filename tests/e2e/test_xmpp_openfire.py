"""The bridge at a server that behaves as Openfire does (tests/xmpp/openfire): scripted, so that it can fail, refuse, hang and lie when a test wants it."""
import hashlib
import pathlib
import re
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from company import PAVEL
from lab import places, tls
from lab.client import NS, Notice, error_of
from lab.process import wait_until
from lab.xmpp_servers import COMPONENT, DOMAIN, SECRET
from quick import Quick

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "xmpp"))
from openfire import Openfire  # noqa: E402

IDLE = 4                      # seconds after which the server gives a silent connection up
TAKEN = "another connection has this component's name"


class Server:
    """What the lab asks of an XMPP server, and the scripted one in it."""

    def __init__(self, _folder):
        ours = tls.certificate()
        self.openfire = Openfire(COMPONENT, SECRET, DOMAIN, idle=IDLE, tls=(ours.key, ours.cert), port=places.free_port())

    @property
    def component(self):
        return self.openfire.port

    def start(self):
        self.openfire.start()
        return self

    def stop(self):
        self.openfire.stop()


class Desk:
    """A logged-in client of the scripted server, with the words of lab.client."""

    def __init__(self, openfire, user: str):
        self.session = openfire.user(user).login("desk")

    def find(self, **wanted):
        notices = [Notice(message) for message in self.session.messages]
        return [n for n in notices if n.call is not None and all(n.call.get(k) == v for k, v in wanted.items())]

    def expect(self, timeout: float = 8, **wanted):
        return wait_until(lambda: next(iter(self.find(**wanted)), None), timeout, f"{self.session.jid} has a notice with {wanted}")

    def clear(self):
        self.session.messages.clear()


@pytest.fixture(scope="module")
def running():
    def prepare(site):
        site.daemon.config["xmpp"]["ping"] = "1s"
    company = Quick(prepare, users=(), xmpp=Server)
    company.openfire = company.site.xmpp.openfire
    for user in ("anna", "boris", "clara"):
        setattr(company, user, Desk(company.openfire, user))
    company.openfire.wait_connected()
    yield company
    company.stop()


def silent(company):
    """No call goes on and every ring has ended."""
    company.hang_up()
    for desk in (company.anna, company.boris, company.clara):
        wait_until(lambda desk=desk: company.open_rings(desk) == [], 10, "every ring has ended")
        desk.clear()


@pytest.fixture
def calm(running):
    silent(running)
    pid = running.daemon.child.pid
    running.popped = running.restarted = False
    yield running
    if not running.popped:
        pops(running)
    assert running.daemon.child.running() and (running.restarted or running.daemon.child.pid == pid)


def pops(company, timeout: float = 8):
    """Every test ends with it: a call that begins now pops within the time; again and again, since one that began while the stream was down must not pop later."""
    def tried():
        company.openfire.wait_connected(timeout)
        silent(company)
        company.ring("201")
        try:
            return company.anna.expect(timeout=1, state="ringing")
        except Exception:
            return None
    pop = wait_until(tried, timeout, "calls pop", 0.05)
    silent(company)
    company.popped = True
    return pop


def said(company, since: int, pattern: str, timeout: float = 8):
    """The line of the daemon's log, after `since` characters, with this in it."""
    return wait_until(lambda: re.search(f"^.*{pattern}.*$", company.daemon.text()[since:], re.M), timeout, f"the log says {pattern}").group()


class ByHand:
    """Another component of our name, of bytes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.sendall(f"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{COMPONENT}'>".encode())
        identity = self.until(r"<stream:stream[^>]* id='([^']*)'")
        self.socket.sendall(f"<handshake>{hashlib.sha1((identity + SECRET).encode()).hexdigest()}</handshake>".encode())
        self.until("(<handshake></handshake>)")

    def until(self, pattern):
        seen = ""
        while not (found := re.search(pattern, seen)):
            data = self.socket.recv(65536)
            assert data, seen
            seen += data.decode()
        return found.group(1)


# ---- the usual

def test_a_pop_reaches_the_user(calm):
    assert calm.openfire.items == {COMPONENT: "phone"}             # under which Spark looks for us
    call = calm.ring("201")
    pop = calm.anna.expect(state="ringing")
    assert (pop.type, pop.sender, pop.to, pop.id) == ("headline", COMPONENT, f"anna@{DOMAIN}", call)
    assert "Pavel Doležal" in pop.body and pop.party.get("number") == PAVEL and [m.get("id") for m in pop.matches] == ["120"]
    assert calm.boris.find() == []
    answer = calm.anna.session.iq(f"<hangup xmlns='{NS}' id='{pop.id}' leg='{pop.leg}'/>", "set")
    assert answer.get("type") == "result"
    calm.anna.expect(state="ended", leg=pop.leg)


def test_a_silent_company_keeps_its_connection(calm):
    """No call, no console: only the bridge's own pings."""
    stream = calm.openfire.stream
    time.sleep(IDLE + 1)
    assert calm.openfire.stream is stream and not stream.closed
    assert time.monotonic() - stream.heard_at < 3


# ---- the server fails

def test_the_server_dies_during_a_call(calm):
    calm.ring("201")
    pop = calm.anna.expect(state="ringing")
    calm.openfire.stop(kindly=False)
    calm.openfire.wait_disconnected()
    calm.ring("202")                                               # begins and ends while nobody can be told
    time.sleep(0.3)
    calm.hang_up()
    still = calm.ring("203")                                       # begins, and rings on
    time.sleep(0.3)
    calm.openfire.start()
    calm.openfire.wait_connected()
    assert calm.anna.expect(state="ended", leg=pop.leg).cause in ("cancelled", "no-answer", "hangup")
    assert calm.clara.expect(state="ringing").id == still
    time.sleep(1)
    assert [n.state for n in calm.anna.find(leg=pop.leg)] == ["ringing", "ended"]       # exactly one
    assert [n.state for n in calm.clara.find()] == ["ringing"]
    assert calm.boris.find() == []                                 # no stale pop


def test_a_call_outlives_two_connections(calm):
    calm.ring("201")
    pop = calm.anna.expect(state="ringing")
    for _ in range(2):
        calm.openfire.cut()
        calm.openfire.wait_disconnected()
        calm.openfire.wait_connected()
    calm.hang_up()
    calm.anna.expect(state="ended", leg=pop.leg)
    time.sleep(0.5)
    told = [n.state for n in calm.anna.find(leg=pop.leg)]
    assert told == ["ringing"] * 3 + ["ended"]                     # each new connection begins with the picture as it is
    numbers = [int(n.seq) for n in calm.anna.find(leg=pop.leg)]
    assert numbers == sorted(set(numbers))


@pytest.fixture
def dead(calm):
    """A connection of our name that nobody is behind any more, as after a power cut of the host; the bridge is yet to be started."""
    calm.daemon.stop()
    calm.openfire.wait_disconnected()
    calm.restarted = True
    connection = ByHand(calm.openfire.port)
    yield connection
    connection.socket.close()
    calm.openfire.second = "conflict"
    if COMPONENT not in calm.openfire.items:
        calm.daemon.stop()                                         # it would wait a quarter of a minute more
    if not calm.daemon.child.running():
        calm.daemon.start()
    calm.openfire.wait_connected()


def refused(calm) -> str:
    before = len(calm.daemon.text())
    calm.daemon.start()
    line = said(calm, before, TAKEN)
    assert line.startswith("<4>link=xmpp down:") and 10000 <= int(re.search(r"again in (\d+) ms", line).group(1)) <= 30000, line
    return line


def test_a_dead_connection_has_our_name_until_the_server_notices(calm, dead):
    assert "conflict" in refused(calm)
    calm.openfire.wait_connected(25)


def test_a_server_that_refuses_a_second_connection_without_a_word(calm, dead):
    calm.openfire.second = "silence"
    refused(calm)
    checked = calm.daemon.command("check")
    assert f"the name {COMPONENT} is connected already" in checked.stdout, checked.stdout + checked.stderr


# ---- TLS

@pytest.fixture
def with_tls(calm):
    """Starts the daemon on the server's TLS port with this authority."""
    usual = dict(calm.daemon.config["xmpp"])

    def begin(authority):
        calm.daemon.stop()
        calm.daemon.config["xmpp"] = {**usual, "port": calm.openfire.tls_port, "tls": {"ca": str(authority), "verify": True}}
        calm.daemon.write()
        before = len(calm.daemon.text())
        calm.daemon.start()
        return before
    calm.restarted = True
    yield begin
    calm.daemon.stop()
    calm.daemon.config["xmpp"] = usual
    calm.daemon.write()
    calm.daemon.start()
    calm.openfire.wait_connected()


def test_direct_tls(calm, with_tls):
    with_tls(tls.certificate().cert)
    assert calm.openfire.wait_connected().tls
    pops(calm)


def test_a_certificate_of_nobody_we_trust(calm, with_tls, tmp_path):
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", other, "-subj", "/CN=other.example.org"],
                   check=True, capture_output=True)
    before = with_tls(other)
    line = said(calm, before, "link=xmpp down: the certificate of 127.0.0.1 is refused")
    assert "self-signed" in line.replace("self signed", "self-signed") and "tls.ca" in line
    assert calm.openfire.stream is None


# ---- a hostile user, with a server that lets everything through

def stanza(inner: str, sender: str = f"anna@{DOMAIN}/desk", kind: str = "set") -> str:
    return f"<iq type='{kind}' from='{sender}' to='{COMPONENT}' id='hostile'>{inner}</iq>"


@pytest.mark.parametrize("inner", ["<a xmlns='urn:x'>" + "<a>" * 50_000 + "</a>" * 50_000 + "</a>", f"<note xmlns='{NS}'>" + "x" * 2_000_000 + "</note>"],
                         ids=["50,000 levels", "2 MB"])
def test_what_is_too_deep_or_too_large_costs_its_sender_an_error(calm, inner):
    stream = calm.openfire.stream
    calm.anna.session.answers.pop("hostile", None)
    calm.anna.session.raw(stanza(inner))
    answer = calm.openfire.wait(lambda: calm.anna.session.answers.get("hostile"), 8, "an answer")
    assert error_of(answer) == "not-acceptable", ET.tostring(answer)
    pops(calm)
    assert calm.openfire.stream is stream                          # the stream stands


FOREIGN = {
    "another domain": "eve@evil.example.net/x",
    "the server's own": DOMAIN,
    "ourselves": COMPONENT,
    "a user of ours": f"anna@{COMPONENT}/desk",
    "no JID": "@@//",
    "nobody": "",
    "a subdomain": f"anna@chat.{DOMAIN}/desk",
}


@pytest.mark.parametrize("sender", FOREIGN.values(), ids=FOREIGN)
def test_senders_that_are_no_users_get_nothing(calm, sender):
    stream = calm.openfire.stream
    dials = len(calm.database.rows("SELECT id FROM cti_dial"))
    calm.anna.session.raw(stanza(f"<dial xmlns='{NS}' number='{PAVEL}'/>", sender))
    calm.anna.session.raw(stanza(f"<hangup xmlns='{NS}' id='hq:1.1' leg='1.1'/>", sender))
    calm.anna.session.raw(f"<presence from='{sender}' to='{COMPONENT}'/><message from='{sender}' to='{COMPONENT}'><body>x</body></message>")
    pops(calm)
    assert calm.openfire.stream is stream
    assert len(calm.database.rows("SELECT id FROM cti_dial")) == dials
    assert all(ET.tostring(s).find(b"type=\"result\"") < 0 for s in calm.openfire.strays if s.get("to") == sender)


def test_the_stream_is_cut_inside_an_entity(calm):
    stream = calm.openfire.stream
    calm.anna.session.raw(f"<message from='anna@{DOMAIN}/desk' to='{COMPONENT}'><body>fish &am")
    time.sleep(0.1)
    calm.openfire.cut()
    pops(calm)
    assert calm.openfire.stream is not stream


NESTED = {
    "in a message": f"<message from='anna@{DOMAIN}/desk' to='{COMPONENT}'><stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='x'/></message>",
    "in a request": stanza("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='x'><stream:error><conflict/></stream:error></stream:stream>"),
    "as a stanza": "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='x' from='cti.example.org'></stream:stream>",
    "an error in a message": f"<message from='anna@{DOMAIN}/desk' to='{COMPONENT}'><stream:error><conflict/></stream:error></message>",
}


@pytest.mark.parametrize("xml", NESTED.values(), ids=NESTED)
def test_streams_in_streams(calm, xml):
    stream = calm.openfire.stream
    calm.anna.session.raw(xml)
    pops(calm)
    assert calm.openfire.stream is stream


@pytest.mark.parametrize("xml", ["</nothing>", "<message <", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]>", "\x00\x01", "<a b='1' b='2'/>"],
                         ids=["an end tag", "a tag in a tag", "a DTD", "controls", "an attribute twice"])
def test_bytes_that_are_no_xml_cost_at_most_the_stream(calm, xml):
    calm.anna.session.raw(xml)
    pops(calm)
