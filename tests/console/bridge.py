"""A bridge that says what a test tells it, word for word as docs/design.md section 5 has it: for what needs no telephone, and for answers that a real one gives seldom."""
import asyncio
import threading
import xml.etree.ElementTree as ET

import slixmpp
from lab.client import NS, _run_loop
from lab.process import wait_until
from lab.xmpp_servers import COMPONENT, SECRET, Prosody
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


class Refusal(Exception):
    def __init__(self, condition: str, text: str = ""):
        super().__init__(condition)
        self.condition, self.text = condition, text


class Bridge:
    """`answers`: what an element is answered, as text of XML or a function of the element; what is not there is not part of this version."""

    def __init__(self, folder):
        self.xmpp = Prosody(folder)
        self.answers, self.asked, self.consoles = {}, [], set()
        self.epoch, self.seq, self.current = "e1", 0, {}
        self._waiting = {}
        self._ready = threading.Event()
        self._loop = _run_loop()

    def start(self):
        self.xmpp.start()
        self._loop.call_soon_threadsafe(self._begin)
        assert self._ready.wait(15), "the component is not connected"
        return self

    def _begin(self):
        asyncio.set_event_loop(self._loop)
        self._component = slixmpp.ComponentXMPP(COMPONENT, SECRET, "127.0.0.1", self.xmpp.component)
        self._component.loop = self._loop
        self._component.add_event_handler("session_start", lambda _: self._ready.set())
        accept = "{jabber:component:accept}"
        self._component.register_handler(Callback("requests", MatchXPath(accept + "iq"), self._iq))
        self._component.register_handler(Callback("presences", MatchXPath(accept + "presence"), self._presence))
        self._component.connect()

    def stop(self):
        self._loop.call_soon_threadsafe(lambda: self._component.disconnect(wait=0.0))
        self.xmpp.stop()

    def reset(self, **answers):
        """Forgets everything; a new life."""
        self.epoch, self.seq, self.current = f"e{id(object())}-{len(self.asked)}", 0, {}
        self.asked.clear()
        self.consoles.clear()
        self.answers = answers

    # what it is asked

    def _presence(self, stanza):
        sender = str(stanza["from"])
        (self.consoles.discard if stanza["type"] == "unavailable" else self.consoles.add)(sender)

    def hear(self, take, console: str, payload: str):
        """Asks a console; `take` gets the kind of its answer."""
        self._waiting[f"q{id(take)}-{len(self._waiting)}"] = take
        text = f"<iq type='get' from='{COMPONENT}' to='{console}' id='{list(self._waiting)[-1]}'>{payload}</iq>"
        self._loop.call_soon_threadsafe(self._component.send_raw, text)

    def _iq(self, stanza):
        if stanza.xml.get("type") not in ("get", "set"):
            self._waiting.get(stanza.xml.get("id"), lambda _: None)(stanza.xml.get("type"))
            return
        payload = next(iter(stanza.xml))
        name = payload.tag.split("}")[1]
        try:
            answer = self._answer(payload, name, stanza.xml.get("type"))
            kind = "result"
        except Refusal as refusal:
            kind = "error"
            answer = f"<error type='cancel'><{refusal.condition} xmlns='{STANZAS}'/><text xmlns='{STANZAS}'>{refusal.text}</text></error>"
        self._component.send_raw(f"<iq type='{kind}' from='{COMPONENT}' to='{stanza['from']}' id='{stanza['id']}'>{answer}</iq>")

    def _answer(self, payload, name, kind) -> str:
        if payload.tag.startswith("{urn:xmpp:ping}"):
            return ""
        if name == "calls":
            return f"<calls xmlns='{NS}' epoch='{self.epoch}' seq='{self.seq}'>{''.join(self.current.values())}</calls>"
        self.asked.append((name, kind, payload))
        answer = self.answers.get(name + ("" if kind == "get" else "!"))
        if answer is None:
            raise Refusal("service-unavailable", f"`{name}` is not part of version 0.1.0")
        return answer(payload) if callable(answer) else answer

    def wait_for(self, name: str, kind: str = "set", timeout: float = 10) -> ET.Element:
        """The last such request."""
        return wait_until(lambda: [payload for asked, how, payload in self.asked if (asked, how) == (name, kind)][-1:], timeout, f"<{name}/> was asked")[0]

    # what it says

    def say(self, inner: str):
        self.seq += 1
        self.raw(inner.replace(" ", f" xmlns='{NS}' epoch='{self.epoch}' seq='{self.seq}' ", 1))

    def raw(self, inner: str):
        ET.fromstring(inner)                # what is no XML would end our stream, and every test after this one
        for console in self.consoles:
            text = f"<message type='headline' from='{COMPONENT}' to='{console}'>{inner}</message>"
            self._loop.call_soon_threadsafe(self._component.send_raw, text)

    def call(self, state: str, leg: str = "1.1", parts: str = "<party number='+420736763072'/>", say: bool = True, **attributes):
        """A notice, with everything that <calls/> will answer from now on."""
        known = {"pbx": "hq", "leg": leg, "id": "hq:1.0", "state": state, "direction": "inbound", "extension": "201", "at": "2026-11-20T15:08:49.305Z",
                 "started": "2026-11-20T15:08:49.000Z", "actions": "hangup", **attributes}
        words = " ".join(f"{name}='{value}'" for name, value in known.items())
        if state == "ended":
            self.current.pop(leg, None)
        else:
            self.current[leg] = f"<call xmlns='{NS}' {words} epoch='{self.epoch}' seq='{self.seq + 1}'>{parts}</call>"
        if say:
            self.say(f"<call {words}>{parts}</call>")
        else:
            self.seq += 1
