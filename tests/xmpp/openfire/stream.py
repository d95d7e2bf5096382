"""One connection of a component: XML in, stanzas out; handshake, limits, idle time."""
import asyncio
import hashlib
import secrets
import time
import xml.etree.ElementTree as ET

STREAM = "http://etherx.jabber.org/streams"
ACCEPT = "jabber:component:accept"
ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
LARGEST = 1024 * 1024


class Stream:
    def __init__(self, server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: bool):
        self.server, self.reader, self.writer, self.tls = server, reader, writer, tls
        self.id = secrets.token_hex(5)
        self.accepted_at = self.heard_at = time.monotonic()
        self.up = self.closed = self.header_sent = False
        self.why = ""                # how it ended
        self.received = 0            # bytes
        self._parser = ET.XMLPullParser(("start", "end"))
        self._depth = self._since_stanza = 0
        self._root = None

    async def run(self):
        try:
            while not self.closed:
                left = self.heard_at + self.server.idle - time.monotonic()
                try:
                    data = await asyncio.wait_for(self.reader.read(65536), max(left, 0.001))
                except asyncio.TimeoutError:
                    if time.monotonic() - self.heard_at >= self.server.idle:
                        self.error("connection-timeout")
                    continue
                if not data:
                    self.end("the component closed the connection")
                    break
                self.heard_at = time.monotonic()
                self.received += len(data)
                if self.server.deaf:
                    continue
                self.feed(data)
                await self.writer.drain()
        except (ConnectionError, OSError) as error:
            self.end(str(error))
        finally:
            self.end("closed")
            await self.linger()

    async def linger(self):
        """Takes what the component was still writing, so that it can read why the stream ended."""
        try:
            self.writer.write_eof() if self.writer.can_write_eof() else None
            while await asyncio.wait_for(self.reader.read(65536), 0.5):
                pass
        except (asyncio.TimeoutError, OSError):
            pass
        self.writer.close()

    def feed(self, data: bytes):
        self._since_stanza += len(data)
        if self._since_stanza > LARGEST:
            return self.error("policy-violation", "Maximum stanza length exceeded")
        try:
            self._parser.feed(data)
            for event, element in self._parser.read_events():
                self._depth += 1 if event == "start" else -1
                if event == "start" and self._depth == 1:
                    self._root = element
                    self.header(element)
                elif event == "end" and self._depth == 1:
                    self._since_stanza = 0
                    self._root.remove(element)
                    self.stanza(element)
                elif event == "end" and self._depth == 0:
                    self.write("</stream:stream>")
                    self.end("the component ended the stream")
                if self.closed:
                    return None
        except ET.ParseError as error:
            return self.error("not-well-formed", str(error))
        return None

    def header(self, element: ET.Element):
        to = element.get("to", "")
        name = to if "." in to else f"{to}.{self.server.domain}"
        taken = self.server.stream is not None and not self.server.multiple
        if taken and self.server.second == "silence":
            self.open_stream(name, named=False)
            return self.end("conflict")
        self.open_stream(name)
        if element.tag != f"{{{STREAM}}}stream" or self.server.component != name:
            return self.error("host-unknown")
        if not self.server.secret:
            return self.error("internal-server-error")
        if taken:
            return self.error("conflict")
        return None

    def open_stream(self, name: str, named: bool = True):
        self.header_sent = True
        identity = f" id='{self.id}'" if named else ""
        self.write(f"<?xml version='1.0' encoding='UTF-8'?><stream:stream xmlns:stream='{STREAM}' xmlns='{ACCEPT}' from='{name}'{identity}>")

    def stanza(self, element: ET.Element):
        if not self.up:
            if element.tag != f"{{{ACCEPT}}}handshake":
                return self.error("not-authorized")
            wanted = hashlib.sha1((self.id + self.server.secret).encode()).hexdigest()
            if (element.text or "").strip() != wanted:
                return self.error("not-authorized")
            if self.server.mute_handshake:
                return None
            self.up = True
            return self.server.component_up(self)
        return self.server.from_component(self, element)

    def write(self, xml: str):
        if not self.closed:
            self.writer.write(xml.encode(errors="surrogatepass"))

    def error(self, condition: str, text: str = ""):
        if not self.header_sent:
            self.open_stream(self.server.component)
        inner = f"<text xmlns='{ERRORS}'>{text}</text>" if text else ""
        self.write(f"<stream:error><{condition} xmlns='{ERRORS}'/>{inner}</stream:error></stream:stream>")
        self.end(condition)

    def end(self, why: str):
        if not self.closed:
            self.closed, self.why = True, why
            self.server.component_down(self)

    def abort(self):
        """As if the cable were pulled: no end tag."""
        if not self.closed:
            self.end("aborted")
            self.writer.transport.abort()
