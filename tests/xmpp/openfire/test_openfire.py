"""The scripted Openfire against a component library that is not ours, and by hand where a library is too polite."""
import asyncio
import hashlib
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest
import slixmpp

from openfire import Openfire

COMPONENT, SECRET = "cti.example.org", "component-secret"
PHONE = "<query xmlns='http://jabber.org/protocol/disco#info' node='anna'/>"


@pytest.fixture
def server():
    with Openfire() as running:
        yield running


class Component(slixmpp.ComponentXMPP):
    """slixmpp's component in a thread of its own."""

    def __init__(self, server, name="phone"):
        self.ready = threading.Event()
        self.openfire, self.shown_as = server, name
        self.thread = threading.Thread(target=self.main, daemon=True)
        self.thread.start()
        assert self.ready.wait(10)

    def main(self):
        self.own_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.own_loop)
        super().__init__(COMPONENT, SECRET, "127.0.0.1", self.openfire.port)
        self.loop = self.own_loop
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self["xep_0030"].add_identity(category="directory", itype="phone", name=self.shown_as)
        self["xep_0092"].software_name, self["xep_0092"].version = "probe", "1.2"
        self.heard = []
        self.add_event_handler("presence", self.heard.append)
        self.add_event_handler("session_start", lambda _: self.ready.set())
        self.connect()
        self.own_loop.run_forever()
        tasks = asyncio.all_tasks(self.own_loop)
        for task in tasks:
            task.cancel()
        self.own_loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def stop(self):
        self.own_loop.call_soon_threadsafe(self.own_loop.stop)
        self.thread.join(5)


class ByHand:
    """A component of bytes."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.seen = ""

    def send(self, text):
        self.socket.sendall(text.encode())

    def until(self, pattern):
        while not (found := re.search(pattern, self.seen)):
            data = self.socket.recv(65536)
            assert data, f"closed; seen: {self.seen}"
            self.seen += data.decode()
        return found

    def closed(self):
        try:
            while data := self.socket.recv(65536):
                self.seen += data.decode()
            return True
        except ConnectionError:
            return True

    def handshake(self, to=COMPONENT, secret=SECRET):
        self.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{to}'>")
        identity = self.until(r"<stream:stream[^>]* id='([^']*)'").group(1)
        self.send(f"<handshake>{hashlib.sha1((identity + secret).encode()).hexdigest()}</handshake>")
        return self

    def up(self):
        self.handshake().until("<handshake></handshake>")
        return self


def test_lists_a_component_under_its_first_identity_and_asks_its_version(server):
    component = Component(server)
    server.wait_connected()
    server.wait(lambda: server.versions.get(COMPONENT) == "1.2", what="version")
    anna = server.user("anna").login("Spark")
    items = anna.iq("<query xmlns='http://jabber.org/protocol/disco#items'/>", to=COMPONENT)
    assert items.get("type") == "result"
    assert server.items == {COMPONENT: "phone"}
    component.stop()


def test_users_and_component_reach_each_other(server):
    component = Component(server)
    server.wait_connected()
    anna = server.user("anna").login("desk")
    assert anna.iq("<ping xmlns='urn:xmpp:ping'/>").get("type") == "result"
    assert anna.iq("<query xmlns='urn:nobody'/>").get("type") == "error"
    anna.presence()
    server.wait(lambda: component.heard, what="presence at the component")
    anna.logout()
    server.wait(lambda: component.heard[-1]["type"] == "unavailable", what="unavailable at the component")
    component.stop()


def message(to, kind, inner="<body>x</body>"):
    return f"<message type='{kind}' from='{COMPONENT}' to='{to}'>{inner}</message>"


def test_delivery_of_messages(server):
    hand = ByHand(server.port).up()
    desk, phone, away = (server.user("anna").login(*login) for login in (("desk", 5), ("phone", 0), ("away", -1)))
    hand.send(message("anna@example.org", "headline", "<body>all</body>"))
    hand.send(message("anna@example.org", "normal", "<body>best</body>"))
    hand.send(message("anna@example.org/away", "headline", "<body>full</body>"))
    hand.send(message("anna@example.org/gone", "headline", "<body>lost</body>"))
    hand.send(message("nobody@example.org", "chat"))
    hand.send(message("boris@example.org", "headline", "<body>offline headline</body>"))
    hand.send(message("boris@example.org", "normal", "<body>not stored</body><no-store xmlns='urn:xmpp:hints'/>"))
    hand.send(message("boris@example.org", "normal", "<body>stored</body>"))
    hand.send(f"<iq type='get' from='{COMPONENT}' to='anna@example.org/gone' id='last'><ping xmlns='urn:xmpp:ping'/></iq>")
    hand.until("id='last'.*service-unavailable")      # behind everything: it has been routed

    def texts(session):
        return ["".join(e.itertext()) for m in session.messages for e in m if e.tag.endswith("body")]
    assert (texts(desk), texts(phone), texts(away)) == (["all", "best"], ["all"], ["full"])
    boris = server.user("boris").login()
    assert texts(boris) == ["stored"] and boris.messages[0].find("{urn:xmpp:delay}delay") is not None
    assert "error" not in hand.seen.split("service-unavailable")[0].rsplit("<iq", 1)[0]


def test_pings(server):
    hand = ByHand(server.port).up()
    server.user("anna").login("desk")
    for to in ("example.org", "anna@example.org", "anna@example.org/desk"):
        hand.send(f"<iq type='get' from='{COMPONENT}' to='{to}' id='p-{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
        hand.until(f"<iq type='result'[^>]* id='p-{to}'")


def test_answers_are_matched_by_id_alone(server):
    """A component that answers a user with the id of the server's own question has answered that question."""
    hand = ByHand(server.port).up()
    identity = hand.until(r"<iq type='get' id='([^']*)' from='component.example.org'").group(1)
    hand.send(f"<iq type='result' from='{COMPONENT}' to='anna@example.org/desk' id='{identity}'>"
              "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='x' type='y' name='stolen'/></query></iq>")
    server.wait(lambda: server.items.get(COMPONENT) == "stolen", what="name")


def test_a_second_connection_gets_conflict(server):
    first = ByHand(server.port).up()
    second = ByHand(server.port)
    second.send("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='cti'>")
    second.until("<conflict")
    assert second.closed()
    first.send(f"<iq type='get' from='{COMPONENT}' to='example.org' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")
    first.until("<iq type='result'[^>]* id='1'")


def test_a_second_connection_gets_no_word_from_openfire_5():
    with Openfire(second="silence") as server:
        first, second = ByHand(server.port).up(), ByHand(server.port)
        second.send("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='cti'>")
        assert second.closed() and first.socket.fileno() >= 0
        assert "<stream:stream" in second.seen and " id=" not in second.seen and "error" not in second.seen


@pytest.mark.parametrize("to,secret,error", [(COMPONENT, "wrong", "not-authorized"), ("other.example.org", SECRET, "host-unknown")])
def test_refusals(server, to, secret, error):
    hand = ByHand(server.port)
    hand.handshake(to, secret)
    hand.until(f"<{error}")
    assert hand.closed() and server.stream is None


def test_no_secret_configured():
    with Openfire(secret="") as server:
        hand = ByHand(server.port)
        hand.handshake()
        hand.until("<internal-server-error")


@pytest.mark.parametrize("sent,error", [
    ("<message to='anna@example.org'><body>no from</body></message>", "invalid-from"),
    ("<message from='example.org' to='anna@example.org'><body>x</body></message>", "invalid-from"),
    (f"<message from='{COMPONENT}' to='anna@example.org'><body>\x01</body></message>", "not-well-formed"),
    (f"<message from='{COMPONENT}' to='anna@example.org'><body>{'x' * 1100000}</body></message>", "policy-violation"),
], ids=["no-from", "foreign-from", "control", "too-large"])
def test_what_costs_the_stream(server, sent, error):
    hand = ByHand(server.port).up()
    try:
        hand.send(sent)
    except ConnectionError:
        pass                             # refused before it was all written
    hand.until(f"<{error}")
    assert hand.closed()
    server.wait_disconnected()


def test_a_silent_connection_is_closed_and_white_space_is_not_silence():
    with Openfire(idle=1.0) as server:
        hand = ByHand(server.port).up()
        for _ in range(3):
            time.sleep(0.6)
            hand.send(" ")
        assert "connection-timeout" not in hand.seen and server.wait(lambda: server.stream) is not None
        began = time.monotonic()
        hand.until("<connection-timeout")
        assert 0.5 < time.monotonic() - began < 3
        assert hand.closed()


def test_direct_tls(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=example.org"],
                   check=True, capture_output=True)
    with Openfire(tls=(key, cert)) as server:
        hand = ByHand(server.tls_port, tls=True).up()
        assert server.wait(lambda: server.stream, what="stream").tls and hand.seen


def test_cut_and_restart_on_the_same_port(server):
    hand = ByHand(server.port).up()
    server.cut()
    assert hand.closed() and "stream:error" not in hand.seen
    hand = ByHand(server.port).up()
    server.stop()
    hand.until("<system-shutdown")
    server.start()
    assert ByHand(server.port).up().seen
