"""The users' side: who is logged in, what they got, what they send."""
import itertools
import time
import xml.etree.ElementTree as ET

PING = "{urn:xmpp:ping}ping"
HINTS = "{urn:xmpp:hints}no-store"
_ids = itertools.count(1)


def local(tag: str) -> str:
    return tag.split("}")[-1]


def body(message: ET.Element) -> str:
    return next((child.text or "" for child in message if local(child.tag) == "body"), "")


class User:
    """An account. Sessions of one user by resource; messages stored while nobody is there."""

    def __init__(self, server, name: str):
        self.server, self.name = server, name
        self.bare = f"{name}@{server.domain}"
        self.sessions = {}
        self.stored = []

    def login(self, resource: str = "test", priority: int = 0) -> "Session":
        return self.server.run(self._login, resource, priority)

    def _login(self, resource, priority):
        session = self.sessions[resource] = Session(self, resource, priority)
        for message in self.stored:
            delayed = ET.fromstring(ET.tostring(message))
            ET.SubElement(delayed, "{urn:xmpp:delay}delay", stamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            session.got(delayed)
        self.stored.clear()
        return session

    def available(self) -> list:
        return [session for session in self.sessions.values() if session.priority >= 0]

    def take_message(self, message: ET.Element, resource: str):
        """Delivery of a message from the component by Openfire's rules."""
        kind = message.get("type", "normal")
        if resource:
            if session := self.sessions.get(resource):
                return session.got(message)
            if kind != "chat":
                return None
        best = max((session.priority for session in self.available()), default=None)
        if kind == "headline":
            for session in self.available():
                session.got(message)
        elif best is not None:
            next(s for s in self.available() if s.priority == best).got(message)
        elif message.find(HINTS) is None:
            self.stored.append(message)
        return None


class Session:
    """One logged-in client. Everything may be called from the test's thread."""

    def __init__(self, user: User, resource: str, priority: int):
        self.user, self.server, self.resource, self.priority = user, user.server, resource, priority
        self.jid = f"{user.bare}/{resource}"
        self.messages, self.presences, self.requests, self.answers = [], [], [], {}
        self.answers_pings = True
        self._directed = False

    # ---- from the component

    def got(self, stanza: ET.Element):
        stanza.set("received", f"{time.monotonic():.6f}")
        kind = local(stanza.tag)
        if kind == "message":
            self.messages.append(stanza)
        elif kind == "presence":
            self.presences.append(stanza)
        elif stanza.get("type") in ("result", "error"):
            self.answers[stanza.get("id")] = stanza
        else:
            self.requests.append(stanza)
            if self.answers_pings and stanza.find(PING) is not None:
                self.server.to_component(f"<iq type='result' from='{self.jid}' to='{stanza.get('from')}' id='{stanza.get('id')}'/>")
        self.server.changed()

    # ---- to the component

    def raw(self, xml: str):
        """Any bytes in the component's stream, as a hostile user might get them past a careless server."""
        self.server.run(self.server.to_component, xml)

    def send_iq(self, payload: str, kind: str = "set", to: str = None) -> str:
        """Sends without waiting; the id."""
        identity = f"user-{next(_ids)}"
        self.raw(f"<iq type='{kind}' from='{self.jid}' to='{to or self.server.component}' id='{identity}'>{payload}</iq>")
        return identity

    def iq(self, payload: str, kind: str = "get", to: str = None, timeout: float = 10) -> ET.Element:
        """The whole answer, result or error."""
        identity = self.send_iq(payload, kind, to)
        return self.server.wait(lambda: self.answers.get(identity), timeout, f"an answer to {payload[:200]}")

    def presence(self, kind: str = None, inner: str = ""):
        """Directed presence; when it was available, `unavailable` follows at the end of the session."""
        self._directed = kind is None
        attribute = f" type='{kind}'" if kind else ""
        self.raw(f"<presence from='{self.jid}' to='{self.server.component}'{attribute}>{inner}</presence>")

    def message(self, text: str, kind: str = "chat"):
        self.raw(f"<message type='{kind}' from='{self.jid}' to='{self.server.component}'><body>{text}</body></message>")

    def logout(self):
        def leave():
            self.user.sessions.pop(self.resource, None)
            if self._directed:
                self.server.to_component(f"<presence type='unavailable' from='{self.jid}' to='{self.server.component}'/>")
        self.server.run(leave)

    # ---- for the test

    def expect(self, where, timeout: float = 10, what: str = "a message") -> ET.Element:
        """The first message that got or gets here for which `where(message)` holds."""
        return self.server.wait(lambda: next((m for m in self.messages if where(m)), None), timeout,
                                lambda: f"{what}; {self.jid} got {[ET.tostring(m, encoding='unicode') for m in self.messages[-5:]]}")
