"""An XMPP client that is not ours (slixmpp), made synchronous: what an operator's program sends and sees."""
import asyncio
import logging
import threading
import time
import xml.etree.ElementTree as ET

for noisy in ("slixmpp", "asyncio"):        # what they think of their own speed and tasks is no news to a test
    logging.getLogger(noisy).setLevel(logging.CRITICAL)
import slixmpp  # noqa: E402

from .process import LabError
from .xmpp_servers import COMPONENT, DOMAIN, password

NS = "urn:ctibridge:1"
_loop = None
_loop_lock = threading.Lock()


def _run_loop():
    global _loop
    with _loop_lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="xmpp clients", daemon=True).start()
    return _loop


class Notice:
    """A <message/> with what a test asks of it."""

    def __init__(self, element: ET.Element):
        self.at = time.time()
        self.xml = element
        self.type = element.get("type")
        self.sender = element.get("from")
        self.to = element.get("to")
        self.body = next((child.text or "" for child in element if child.tag.endswith("}body")), "")
        self.oob = next((e.text for e in element.iter("{jabber:x:oob}url")), None)
        self.call = element.find(f"{{{NS}}}call")

    def __getattr__(self, name):
        """Attributes of <call/>: notice.state, notice.leg, notice.cause, …"""
        if name.startswith("_") or self.call is None:
            raise AttributeError(name)
        return self.call.get(name)

    def child(self, name: str):
        return None if self.call is None else self.call.find(f"{{{NS}}}{name}")

    @property
    def party(self):
        return self.child("party")

    @property
    def matches(self):
        return [] if self.call is None else self.call.findall(f"{{{NS}}}match")

    def __repr__(self):
        return ET.tostring(self.xml, encoding="unicode")


class _Client(slixmpp.ClientXMPP):
    def __init__(self, jid, secret, owner):
        super().__init__(jid, secret)
        self.owner = owner

    async def get_dns_records(self, domain, port=None):     # the lab's servers are known by port, never by DNS
        return [(domain, "127.0.0.1", self.address[1])]


class Client:
    def __init__(self, server, user: str, console: bool = False, resource: str = "test"):
        self.server, self.user, self.console = server, user, console
        self.jid = f"{user}@{DOMAIN}"
        self.notices = []
        self.on_notice = None
        self.roster = False         # asks for the contact list before it says that it is there, as clients for people do
        self.on_presence = None     # called with every <presence/>, also those of our own
        self._changed = threading.Condition()
        self._online = threading.Event()
        self._failed = None
        self._resource = resource
        self._xmpp = None

    def start(self, timeout: float = 15):
        loop = _run_loop()

        def begin():
            asyncio.set_event_loop(loop)
            xmpp = self._xmpp = _Client(f"{self.jid}/{self._resource}", password(self.user), self)
            xmpp.loop = loop
            xmpp.add_event_handler("session_start", self._session)
            xmpp.add_event_handler("failed_auth", lambda _: self._fail("the server refused the login"))
            xmpp.register_handler(slixmpp.xmlstream.handler.Callback(
                "all messages", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}message"), self._message))
            xmpp.register_handler(slixmpp.xmlstream.handler.Callback(
                "all presence", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}presence"),
                lambda stanza: self.on_presence and self.on_presence(stanza.xml)))
            xmpp.connect(("127.0.0.1", self.server.c2s), use_ssl=False, force_starttls=False, disable_starttls=True)
        loop.call_soon_threadsafe(begin)
        if not self._online.wait(timeout):
            raise LabError(f"{self.jid} is not online after {timeout:g} s: {self._failed or 'no answer'}")
        return self

    def _fail(self, why):
        self._failed = why

    def _session(self, _event):
        if self.roster:
            self.ask_roster()
        self._xmpp.send_presence()
        if self.console:
            self._xmpp.send_presence(pto=COMPONENT)
        # A ping behind the presence: when it is answered, the server has taken the presence.
        iq = self._xmpp.make_iq_get(ito=DOMAIN)
        iq.append(ET.Element("{urn:xmpp:ping}ping"))
        iq.send(callback=lambda _: self._online.set(), timeout_callback=lambda _: self._online.set())

    def _message(self, stanza):
        notice = Notice(stanza.xml)
        with self._changed:
            self.notices.append(notice)
            self._changed.notify_all()
        if self.on_notice:
            self.on_notice(self, notice)

    def stop(self):
        if self._xmpp is not None:
            done = threading.Event()

            def end():
                self._xmpp.add_event_handler("disconnected", lambda _: done.set())
                self._xmpp.disconnect(wait=0.0)
            _loop.call_soon_threadsafe(end)
            done.wait(3)
            self._xmpp = None

    def clear(self):
        with self._changed:
            self.notices.clear()

    def find(self, **wanted) -> list:
        """The notices that came so far whose <call/> has these attributes."""
        return [n for n in self.notices if n.call is not None and all(n.call.get(k) == v for k, v in wanted.items())]

    def expect(self, timeout: float = 10, where=None, **wanted) -> Notice:
        """The first notice with these attributes (and for which `where` holds), waiting for it if need be."""
        def found():
            return next((n for n in self.find(**wanted) if where is None or where(n)), None)
        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, timeout):
                seen = "\n  ".join(map(repr, self.notices[-8:])) or "nothing"
                raise LabError(f"{self.jid} got no notice with {wanted} in {timeout:g} s; it got:\n  {seen}")
            return found()

    def quiet(self, seconds: float, **unwanted):
        """Fails if a notice with these attributes is there or comes within the time."""
        time.sleep(seconds)
        got = self.find(**unwanted)
        if got:
            raise LabError(f"{self.jid} got what must not come: {got[0]}")

    def request(self, xml: str, kind: str = "set", timeout: float = 10) -> ET.Element:
        """Sends <iq/> with this child to the component; the answer (result or error), whole."""
        result, done = [], threading.Event()

        def go():
            iq = self._xmpp.make_iq(ito=COMPONENT, itype=kind)
            iq.append(ET.fromstring(xml))

            def answered(stanza):
                result.append(stanza.xml)
                done.set()
            name = "answer " + iq["id"]
            self._xmpp.register_handler(slixmpp.xmlstream.handler.Callback(
                name, slixmpp.xmlstream.matcher.MatcherId(iq["id"]), answered, once=True))
            self._xmpp.send_raw(str(iq))
        _loop.call_soon_threadsafe(go)
        if not done.wait(timeout):
            raise LabError(f"{self.jid}: no answer within {timeout:g} s to {xml}")
        return result[0]

    def dial(self, number: str, record=None, timeout: float = 10) -> ET.Element:
        inner = f"<record module='{record[0]}' id='{record[1]}'/>" if record else ""
        return self.request(f"<dial xmlns='{NS}' number='{number}'>{inner}</dial>", timeout=timeout)

    @property
    def online(self) -> bool:
        return self._online.is_set()

    def ask_roster(self):
        """Servers tell of subscriptions only who has asked for the contact list."""
        self.raw("<iq type='get' id='the-roster'><query xmlns='jabber:iq:roster'/></iq>")

    def raw(self, text: str):
        _loop.call_soon_threadsafe(lambda: self._xmpp.send_raw(text))


def error_of(answer: ET.Element) -> str:
    """The condition of an error answer, e.g. `not-acceptable`; empty for a result."""
    for child in answer.iter():
        if child.tag.startswith("{urn:ietf:params:xml:ns:xmpp-stanzas}") and not child.tag.endswith("}text"):
            return child.tag.split("}")[1]
    return ""
