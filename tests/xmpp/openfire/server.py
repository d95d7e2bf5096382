"""The server: listeners, the component's connection, routing. Runs in a thread of its own; tests call it from theirs."""
import asyncio
import itertools
import ssl
import threading
import time
import xml.etree.ElementTree as ET

from .session import PING, User, local
from .stream import Stream

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"


class Openfire:
    def __init__(self, component: str = "cti.example.org", secret: str = "component-secret", domain: str = "example.org",
                 users=("anna", "boris", "clara", "admin", "stranger"), idle: float = 360, tls=None, port: int = 0, multiple: bool = False,
                 second: str = "conflict"):
        """`tls`: (key file, certificate file) for the direct TLS listener. `idle`: seconds without a byte. `multiple`: allowMultiple.
        `second`: what a second connection of the name is told: "conflict", or "silence" as by Openfire 5.2 (a header without id, then the end)."""
        self.component, self.secret, self.domain, self.idle, self.multiple = component, secret, domain, idle, multiple
        self.port, self.tls_port, self._tls = port, 0, tls
        self.users = {name: User(self, name) for name in users}
        self.streams = []                # every connection there was
        self.stream = None               # the one that is up
        self.items = {}                  # disco#items of the server: JID -> name
        self.versions = {}               # JID -> version that it told
        self.strays = []                 # answers that nobody waited for
        self.second = second
        self.deaf = False                # reads and ignores, as a server that hangs
        self.mute_handshake = False      # never answers the handshake
        self._ids = (f"{n}-0" for n in itertools.count(100))
        self._asked = {}                 # id of the server's own question -> what to do with the answer
        self._tracked = set()            # ids of the component's questions
        self._changed = threading.Condition()
        self._loop = None

    # ---- life

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._loop = asyncio.new_event_loop()
        ready, failed = threading.Event(), []
        self._thread = threading.Thread(target=self._serve, args=(ready, failed), name="openfire", daemon=True)
        self._thread.start()
        ready.wait(10)
        if failed:
            raise failed[0]
        return self

    def _serve(self, ready, failed):
        asyncio.set_event_loop(self._loop)

        async def listen(tls):
            # As much in one gulp as any stanza needs; the limit is ours to apply.
            return await asyncio.start_server(lambda r, w: self._accept(r, w, tls is not None), "127.0.0.1", 0 if tls else self.port, ssl=tls)
        try:
            listeners = [self._loop.run_until_complete(listen(None))]
            self.port = listeners[0].sockets[0].getsockname()[1]
            if self._tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self._tls[1], self._tls[0])
                listeners.append(self._loop.run_until_complete(listen(context)))
                self.tls_port = listeners[1].sockets[0].getsockname()[1]
        except OSError as error:
            failed.append(error)
            ready.set()
            return
        ready.set()
        self._loop.run_forever()
        for listener in listeners:
            listener.close()
        for stream in self.streams:
            stream.abort()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader, writer, tls):
        stream = Stream(self, reader, writer, tls)
        self.streams.append(stream)
        self.changed()
        await stream.run()

    def stop(self, kindly: bool = True):
        """Kindly: with an end tag, as at a shutdown; else as kill -9. Accounts, sessions and what they got stay for a later start()."""
        if self._loop is None:
            return

        def end():
            for stream in self.streams:
                if kindly and not stream.closed:
                    stream.error("system-shutdown")
        self.run(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop = None
        self.stream = None

    def run(self, function, *arguments):
        """In the server's thread; waits for the result."""
        if self._loop is None:
            return function(*arguments)       # not running: nobody else is there
        if threading.current_thread() is self._thread:
            return function(*arguments)
        result = asyncio.run_coroutine_threadsafe(_call(function, arguments), self._loop)
        return result.result(10)

    # ---- waiting

    def changed(self):
        with self._changed:
            self._changed.notify_all()

    def wait(self, found, timeout: float = 10, what="it"):
        """The first value of found() that is something; an element without children is false to Python, but here it counts."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while (value := found()) is None or value is False or value == []:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no {what() if callable(what) else what} within {timeout:g} s")
                self._changed.wait(min(left, 0.2))
        return value

    def wait_connected(self, timeout: float = 10) -> Stream:
        """The component has shaken hands and answered the server's first questions."""
        return self.wait(lambda: self.stream if self.stream and self.component in self.items else None, timeout, "component")

    def wait_disconnected(self, timeout: float = 10):
        self.wait(lambda: self.stream is None, timeout, "end of the connection")

    def user(self, name: str) -> User:
        return self.users[name]

    def cut(self):
        """The connection breaks without a word."""
        self.run(lambda: [stream.abort() for stream in self.streams if not stream.closed])

    # ---- the component

    def component_up(self, stream: Stream):
        self.stream = stream
        stream.write("<handshake></handshake>")
        for xmlns, learn in ((DISCO_INFO, self._learn_name), ("jabber:iq:version", self._learn_version)):
            identity = next(self._ids)
            self._asked[identity] = learn
            stream.write(f"<iq type='get' id='{identity}' from='component.{self.domain}' to='{self.component}'><query xmlns='{xmlns}'/></iq>")
        self.changed()

    def component_down(self, stream: Stream):
        if self.stream is stream:
            self.stream = None
            self.items.pop(self.component, None)
        self.changed()

    def _learn_name(self, answer: ET.Element):
        identity = answer.find(f".//{{{DISCO_INFO}}}identity")
        if identity is not None:
            self.items[self.component] = identity.get("name")

    def _learn_version(self, answer: ET.Element):
        self.versions[self.component] = next((e.text for e in answer.iter("{jabber:iq:version}version")), None)

    def to_component(self, xml: str):
        if self.stream is not None:
            self.stream.write(xml)

    def from_component(self, stream: Stream, stanza: ET.Element):
        sender, to, kind = stanza.get("from", ""), stanza.get("to", ""), local(stanza.tag)
        if sender.split("/")[0].split("@")[-1] != self.component:
            return stream.error("invalid-from")
        if kind == "iq" and stanza.get("type") in ("result", "error"):
            # By id alone: an answer to a user that has the id of a question of ours is taken for the answer to that.
            if learn := self._asked.pop(stanza.get("id"), None):
                learn(stanza)
                return self.changed()
        elif kind == "iq":
            self._tracked.add(stanza.get("id"))
        if to.split("/")[0] in (self.domain, ""):
            return self._for_the_server(stanza)
        name, _, resource = to.partition("/")
        user = self.users.get(name.split("@")[0]) if name.endswith("@" + self.domain) else None
        if kind == "message":
            return user.take_message(stanza, resource) if user else None       # unknown: silence
        session = user.sessions.get(resource) if user and resource else None
        if session:
            return session.got(stanza)
        if kind == "iq" and stanza.get("type") in ("get", "set"):
            if user and not resource and stanza.find(PING) is not None:
                return self._answer(stanza)
            return self._answer(stanza, "service-unavailable")
        if kind == "iq":
            self.strays.append(stanza)
        return None

    def _for_the_server(self, stanza: ET.Element):
        if local(stanza.tag) != "iq" or stanza.get("type") not in ("get", "set"):
            return None
        if stanza.find(PING) is not None:
            return self._answer(stanza)
        if stanza.find(f"{{{DISCO_ITEMS}}}query") is not None:
            items = "".join(f"<item jid='{jid}' name='{name}'/>" for jid, name in self.items.items())
            return self._answer(stanza, payload=f"<query xmlns='{DISCO_ITEMS}'>{items}</query>")
        return self._answer(stanza, "service-unavailable")

    def _answer(self, stanza: ET.Element, error: str = "", payload: str = ""):
        if error:
            payload = f"<error type='cancel'><{error} xmlns='{STANZAS}'/></error>"
        self.to_component(f"<iq type='{'error' if error else 'result'}' from='{stanza.get('to')}' to='{stanza.get('from')}' id='{stanza.get('id')}'>{payload}</iq>")


async def _call(function, arguments):
    return function(*arguments)
