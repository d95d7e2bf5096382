"""As much SIP as the lab's own user agents need (UDP on loopback): messages, calls either way, digest login. The provider and the handset are made of it."""
import hashlib
import random
import re
import socket
import struct
import threading
import time

from .process import LabError

REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved Temporarily", 404: "Not Found", 480: "Temporarily Unavailable",
           486: "Busy Here", 487: "Request Terminated", 503: "Service Unavailable", 603: "Decline"}


def token() -> str:
    return f"{random.getrandbits(64):016x}"


def as_bytes(text) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")


def escape_user(number) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.!~*'()&=+$,;?/") else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogateescape"))
                   for c in str(number))


def uri_in(header: bytes) -> bytes:
    found = re.search(rb"<([^>]+)>", header)
    return found[1] if found else b""


def tag_in(header: bytes) -> str:
    found = re.search(rb";tag=([^;>\s]+)", header)
    return found[1].decode() if found else ""


class Message:
    def __init__(self, data: bytes):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.first = lines[0].decode(errors="replace")
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            self.headers.append((name.strip().lower().decode(errors="replace"), value.strip()))
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0
        self.method = "" if self.status else self.first.split()[0]

    def get(self, name: str) -> bytes:
        return next((value for key, value in self.headers if key == name), b"")

    def all(self, name: str) -> list:
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> int:
        return int(self.get("cseq").split()[0])

    @property
    def cseq_method(self) -> str:
        return self.get("cseq").split()[-1].decode()


def voice_to(message: Message):
    """Address and port of the SDP in it; None when there is none."""
    address, port = re.search(rb"c=IN IP4 ([\d.]+)", message.body), re.search(rb"m=audio (\d+)", message.body)
    return (address[1].decode(), int(port[1])) if address and port else None


class Call:
    """One call of an agent, either way. States: new, ringing, answered, ended (then `code` says how: the final status, or 0 for a BYE).
    `by_us`: who ended it. `times` has when a state was entered first."""

    def __init__(self, agent, from_pbx: bool, number: str):
        self.agent, self.number, self.from_pbx = agent, number, from_pbx
        self.state, self.code, self.by_us, self.reason = "new", None, False, ""
        self.times = {"new": time.time()}
        self.id = f"{token()}@{agent.address}"
        self.tag, self.branch, self.cseq, self.first_cseq = token(), "z9hG4bK" + token(), 1, 1
        self.invite = self.invite_cseq = None          # the pbx's INVITE, when it called us
        self.local = self.remote = self.target = self.last_response = self.early = b""
        self.extra, self.heard, self.direction, self.version = [], False, "sendrecv", 1
        self.held_at, self.resumed_at = [], []
        self.media = None               # where the other side wants its voice
        self.changed = agent.changed

    @property
    def provider(self):
        return self.agent

    def enter(self, state: str, code=None, by_us: bool = False):
        with self.changed:
            if self.state == "ended" or self.state == state:
                return
            self.state = state
            self.times.setdefault(state, time.time())
            if code is not None:
                self.code = code
            if state == "ended":
                self.by_us = by_us
            self.changed.notify_all()

    def wait(self, state: str, timeout: float = 10):
        """Until the call is (or has been) in that state."""
        with self.changed:
            if not self.changed.wait_for(lambda: state in self.times or self.state == "ended", timeout) or state not in self.times:
                raise LabError(f"the call of {self.number} at {self.agent.name} is '{self.state}' (code {self.code}), not '{state}', after {timeout:g} s")
        return self

    def hangup(self):
        """CANCEL, BYE or a refusal, whichever fits."""
        if self.state == "ended":
            return
        if self.state == "answered":
            self.agent.request(self, "BYE")
            self.enter("ended", 0, by_us=True)
        elif self.from_pbx:
            self.reject(480)
        else:
            self.agent.cancel(self)
            self.by_us = True

    # calls of the pbx to us

    def ring(self):
        self.agent.respond(self, 180)
        self.enter("ringing")

    def answer(self):
        self.agent.respond(self, 200)
        self.enter("answered")

    def reject(self, code: int = 486, headers=()):
        self.agent.respond(self, code, headers=headers)
        self.enter("ended", code, by_us=True)


class Agent:
    """A user agent on one UDP socket whose only peer is a pbx. What comes in and is a new call goes to `incoming`."""

    speaks = False      # sends silence as long as it is in a call: Asterisk's clock for digits that AMI plays

    def __init__(self, pbx, name: str, address: str, port: int, user: str, secret: str = ""):
        self.pbx, self.name, self.address, self.port, self.user, self.secret = pbx, name, address, port, user, secret
        self.changed = threading.Condition()
        self.calls = []
        self._by_id = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind((address, 0))
        self._closing = False

    def start(self):
        for work in (self._read, self._swallow_media, *([self._speak] if self.speaks else [])):
            threading.Thread(target=work, name=self.name, daemon=True).start()
        return self

    def stop(self):
        for call in list(self.calls):
            try:
                call.hangup()
            except OSError:
                pass
        self._closing = True
        for s in (self._socket, self._media):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def incoming(self, call: Call):
        raise NotImplementedError

    def within(self, call: Call, message: Message):
        """A request within a call that is neither INVITE, ACK, BYE nor CANCEL."""
        self.respond(call, 200, message)

    def notified(self, message: Message, call):
        """A NOTIFY, within a call or not."""

    def begin(self, to: str, number, name=b"", headers=()) -> Call:
        """An INVITE to `to`. `number` and `name` may be any text or bytes; the name goes out as it is."""
        call = Call(self, False, str(number))
        user = number if isinstance(number, bytes) else as_bytes(escape_user(number))
        call.local = name + b"<sip:" + user + b"@" + self.address.encode() + b">;tag=" + call.tag.encode()
        call.remote = f"<sip:{to}@127.0.0.1:{self.pbx.sip}>".encode()
        call.target = f"sip:{to}@127.0.0.1:{self.pbx.sip}".encode()
        call.extra = [as_bytes(h) for h in headers]
        with self.changed:
            self.calls.append(call)
            self._by_id[call.id.encode()] = call
        self._send_invite(call)
        return call

    def request(self, call: Call, method: str, body: bytes = b"", kind: bytes = b"application/sdp", headers=()):
        call.cseq += 1
        self._send(self._request(call, method, "z9hG4bK" + token(), call.cseq, body, headers, kind))

    def cancel(self, call: Call):
        self._send(self._request(call, "CANCEL", call.branch, call.first_cseq))

    def respond(self, call: Call, code: int, message: Message = None, body: bytes = b"", headers=()):
        request = message or call.invite
        if not message and code == 200:
            body = self.sdp(call)
        lines = [f"SIP/2.0 {code} {REASONS.get(code, 'Because')}".encode()]
        lines += [b"Via: " + via for via in request.all("via")] + [b"Record-Route: " + route for route in request.all("record-route")]
        to = request.get("to")
        if code > 100 and b"tag=" not in to:
            to += b";tag=" + call.tag.encode()
        lines += [b"From: " + request.get("from"), b"To: " + to, b"Call-ID: " + request.get("call-id"), b"CSeq: " + request.get("cseq")]
        lines += [as_bytes(h) for h in headers] or [b"Contact: " + self.contact()]
        if body:
            lines.append(b"Content-Type: application/sdp")
        lines.append(b"Content-Length: %d" % len(body))
        data = b"\r\n".join(lines) + b"\r\n\r\n" + body
        if not message:
            call.last_response = data
        self._send(data)

    # underneath

    def contact(self) -> bytes:
        return f"<sip:{self.user}@{self.address}:{self.port}>".encode()

    def sdp(self, call: Call) -> bytes:
        return (f"v=0\r\no=- {int(call.tag[:7], 16)} {call.version} IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
                f"m=audio {self._media.getsockname()[1]} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na={call.direction}\r\n").encode()

    def _send(self, data: bytes):
        if not self._closing:
            self._socket.sendto(data, ("127.0.0.1", self.pbx.sip))

    def _request(self, call: Call, method: str, branch: str, cseq: int, body: bytes = b"", extra=(), kind: bytes = b"application/sdp") -> bytes:
        lines = [as_bytes(method) + b" " + call.target + b" SIP/2.0",
                 f"Via: SIP/2.0/UDP {self.address}:{self.port};branch={branch};rport".encode(),
                 b"Max-Forwards: 70", b"From: " + call.local, b"To: " + call.remote, b"Call-ID: " + call.id.encode(),
                 f"CSeq: {cseq} {method}".encode(), b"Contact: " + self.contact(), *map(as_bytes, extra)]
        if body:
            lines.append(b"Content-Type: " + kind)
        lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _send_invite(self, call: Call, extra=()):
        data = self._request(call, "INVITE", call.branch, call.first_cseq, self.sdp(call), [*call.extra, *extra])
        cseq = call.first_cseq

        def again(pause: float):
            if call.state == "new" and not call.heard and cseq == call.first_cseq and pause < 5 and not self._closing:
                self._send(data)
                timer = threading.Timer(pause, again, (pause * 2,))
                timer.daemon = True
                timer.start()
        again(0.5)

    def _login(self, message: Message, method: str, uri: bytes) -> bytes:
        """The digest answer (RFC 2617) to a 401 or 407."""
        challenge = (message.get("www-authenticate") or message.get("proxy-authenticate")).decode()
        field = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        realm, nonce, uri = field.get("realm", ""), field.get("nonce", ""), uri.decode()

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        first, second = md5(f"{self.user}:{realm}:{self.secret}"), md5(f"{method}:{uri}")
        answer = f'Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5'
        if "auth" in field.get("qop", ""):
            cnonce = token()
            answer += f', qop=auth, nc=00000001, cnonce="{cnonce}", response="{md5(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")}"'
        else:
            answer += f', response="{md5(f"{first}:{nonce}:{second}")}"'
        if "opaque" in field:
            answer += f', opaque="{field["opaque"]}"'
        name = "Authorization" if message.status == 401 else "Proxy-Authorization"
        return f"{name}: {answer}".encode()

    def _speak(self):
        packet, ident = 0, random.getrandbits(32)
        while not self._closing:
            time.sleep(0.02)
            packet += 1
            voice = struct.pack("!BBHII", 0x80, 8, packet & 0xffff, packet * 160 & 0xffffffff, ident) + b"\xd5" * 160
            for call in [c for c in self.calls if c.state == "answered" and c.media and c.direction == "sendrecv"]:
                try:
                    self._media.sendto(voice, call.media)
                except OSError:
                    break

    def _swallow_media(self):
        while not self._closing:
            try:
                if not self._media.recv(4096):
                    return
            except OSError:
                return

    def _read(self):
        while not self._closing:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if data.strip():
                message = Message(data)
                try:
                    (self._take_response if message.status else self._take_request)(message)
                except OSError:
                    if self._closing:
                        return
                    raise

    def _take_response(self, message: Message):
        call = self._by_id.get(message.get("call-id"))
        if call is None:
            return
        call.heard = True
        if message.cseq_method != "INVITE":
            self.answered(call, message)
        elif message.status >= 200 and message.cseq != call.first_cseq:
            self._send(self._request(call, "ACK", "z9hG4bK" + token(), message.cseq))       # of a re-INVITE
        elif message.status >= 300:
            to, call.remote = call.remote, message.get("to")
            self._send(self._request(call, "ACK", call.branch, message.cseq))
            call.remote = to
            if message.status in (401, 407) and self.secret and call.first_cseq == 1:
                call.cseq = call.first_cseq = 2
                call.branch, call.heard = "z9hG4bK" + token(), False
                self._send_invite(call, [self._login(message, "INVITE", call.target)])
            else:
                call.enter("ended", message.status, by_us=call.by_us)
        elif message.status >= 200:
            call.remote = message.get("to")
            call.target = uri_in(message.get("contact")) or call.target
            call.media = voice_to(message)
            self._send(self._request(call, "ACK", "z9hG4bK" + token(), message.cseq))
            call.enter("answered", message.status)
        elif message.status in (180, 183):
            call.early = message.get("to")
            if call.state == "new":
                call.enter("ringing")

    def answered(self, call: Call, message: Message):
        """The answer to a request of ours other than INVITE."""

    def _take_request(self, message: Message):
        call = self._by_id.get(message.get("call-id"))
        if message.method == "INVITE" and call is None:
            self._new_call(message)
        elif call is None:
            if message.method == "OPTIONS":
                self.respond(Call(self, True, ""), 200, message)
            elif message.method == "NOTIFY":
                self.respond(Call(self, True, ""), 200, message)           # message waiting, unasked; or an order
                self.notified(message, None)
            elif message.method != "ACK":
                self.respond(Call(self, True, ""), 404, message)
        elif message.method == "INVITE" and message.get("cseq") == call.invite_cseq:
            self._send(call.last_response)                     # a retransmission
        elif message.method == "INVITE":
            self.respond(call, 200, message, self.sdp(call))      # hold and connected-line updates
        elif message.method == "BYE":
            self.respond(call, 200, message)
            call.reason = message.get("reason").decode(errors="replace")
            call.enter("ended", 0)
        elif message.method == "CANCEL":
            self.respond(call, 200, message)
            call.reason = message.get("reason").decode(errors="replace")
            if call.state != "answered":
                self.respond(call, 487)
                call.enter("ended", 487)
        elif message.method != "ACK":
            self.within(call, message)

    def _new_call(self, message: Message):
        number = re.match(r"INVITE sips?:([^@;]*)", message.first)
        call = Call(self, True, number[1] if number else "")
        call.invite, call.invite_cseq, call.id = message, message.get("cseq"), message.get("call-id").decode()
        call.local = message.get("to") + b";tag=" + call.tag.encode()
        call.remote = message.get("from")
        call.target = uri_in(message.get("contact"))
        call.media = voice_to(message)
        with self.changed:
            self.calls.append(call)
            self._by_id[call.id.encode()] = call
            self.changed.notify_all()
        self.respond(call, 100)
        self.incoming(call)
