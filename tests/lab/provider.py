"""The telephone company: calls in with any caller's name and number, down to bytes no handset would send, and takes the calls that go out.

A SIP user agent of its own, because a test must decide call by call, and at a moment of its choosing, what the far end does. It speaks as much SIP as a
trunk on loopback needs (UDP, no authentication: it is known by its address) and sends no media.
"""
import random
import re
import socket
import threading
import time

from .process import LabError

ADDRESS = "127.0.0.2"
REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 404: "Not Found", 480: "Temporarily Unavailable",
           486: "Busy Here", 487: "Request Terminated", 503: "Service Unavailable", 603: "Decline", 302: "Moved Temporarily"}


def _token() -> str:
    return f"{random.getrandbits(64):016x}"


def _bytes(text) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")


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
    def cseq_method(self) -> str:
        return self.get("cseq").split()[-1].decode()


class Call:
    """One call of the provider, either way. States: new, ringing, answered, ended (then `code` says how: the final status, or 0 for a BYE)."""

    def __init__(self, provider, outbound_of_pbx: bool, number: str):
        self.provider, self.number = provider, number
        self.from_pbx = outbound_of_pbx
        self.state, self.code = "new", None
        self.times = {"new": time.time()}
        self.id = f"{_token()}@{ADDRESS}"
        self.tag, self.branch, self.cseq = _token(), "z9hG4bK" + _token(), 1
        self.invite = None          # the pbx's INVITE, when it called us
        self.local = self.remote = b""
        self.target = b""
        self.changed = provider.changed

    def _enter(self, state: str, code=None):
        with self.changed:
            if self.state == "ended":
                return
            self.state = state
            self.times[state] = time.time()
            if code is not None:
                self.code = code
            self.changed.notify_all()

    def wait(self, state: str, timeout: float = 10):
        """Until the call is (or has been) in that state."""
        with self.changed:
            if not self.changed.wait_for(lambda: state in self.times or self.state == "ended", timeout) or state not in self.times:
                raise LabError(f"the provider's call of {self.number} is '{self.state}' (code {self.code}), not '{state}', after {timeout:g} s")
        return self

    def hangup(self):
        """CANCEL, BYE or a refusal, whichever fits."""
        if self.state == "ended":
            return
        if self.state == "answered":
            self.provider.request(self, "BYE")
            self._enter("ended", 0)
        elif self.from_pbx:
            self.reject(480)
        else:
            self.provider.cancel(self)

    # calls of the pbx to us

    def ring(self):
        self.provider.respond(self, 180)
        self._enter("ringing")

    def answer(self):
        self.provider.respond(self, 200)
        self._enter("answered")

    def reject(self, code: int = 486):
        self.provider.respond(self, code)
        self._enter("ended", code)


class Provider:
    def __init__(self, pbx, default=1.0):
        """`default`: what a number does that `behave` did not name."""
        self.pbx, self.default = pbx, default
        self.behaviour = {}
        self.changed = threading.Condition()
        self.calls = []
        self._by_id = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, pbx.provider_port))
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind((ADDRESS, 0))
        self._closing = False

    def start(self):
        for work in (self._read, self._swallow_media):
            threading.Thread(target=work, name="provider", daemon=True).start()
        return self

    def stop(self):
        self._closing = True
        for call in list(self.calls):
            try:
                call.hangup()
            except OSError:
                pass
        for s in (self._socket, self._media):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def behave(self, number: str, how):
        """What `number` does when the pbx calls it: seconds of ringing before the answer, a SIP status to refuse with at once,
        "silent" (rings for ever), or "manual" (the test decides; `taken()` waits for the call)."""
        self.behaviour[number] = how

    def taken(self, number: str, timeout: float = 15) -> Call:
        """The last call of the pbx to `number`."""
        def found():
            return next((c for c in reversed(self.calls) if c.from_pbx and c.number == number), None)
        with self.changed:
            if not self.changed.wait_for(lambda: found() is not None, timeout):
                raise LabError(f"nobody called {number} in {timeout:g} s; called: {[c.number for c in self.calls if c.from_pbx]}")
            return found()

    def call(self, to: str, number="+447700900123", name="", headers=()) -> Call:
        """Calls `to` at the pbx. `number` and `name` may be any text or bytes; the name is quoted as SIP demands, unless it is bytes: those go out as they are."""
        call = Call(self, False, str(number))
        shown = b""
        if isinstance(name, bytes):
            shown = name + b" "
        elif name:
            shown = b'"' + _bytes(name.replace("\\", "\\\\").replace('"', '\\"')) + b'" '
        user = number if isinstance(number, bytes) else _bytes(_escape_user(number))
        call.local = shown + b"<sip:" + user + b"@" + ADDRESS.encode() + b">;tag=" + call.tag.encode()
        call.remote = f"<sip:{to}@127.0.0.1:{self.pbx.sip}>".encode()
        call.target = f"sip:{to}@127.0.0.1:{self.pbx.sip}".encode()
        with self.changed:
            self.calls.append(call)
            self._by_id[call.id.encode()] = call
        call.sdp = True
        call.extra = [_bytes(h) for h in headers]
        self._send_invite(call)
        return call

    # underneath

    def _contact(self) -> bytes:
        return f"<sip:provider@{ADDRESS}:{self.pbx.provider_port}>".encode()

    def _sdp(self) -> bytes:
        return (f"v=0\r\no=- {random.getrandbits(30)} 1 IN IP4 {ADDRESS}\r\ns=-\r\nc=IN IP4 {ADDRESS}\r\nt=0 0\r\n"
                f"m=audio {self._media.getsockname()[1]} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n").encode()

    def _send(self, data: bytes):
        if not self._closing:
            self._socket.sendto(data, ("127.0.0.1", self.pbx.sip))

    def _request(self, call: Call, method: str, branch: str, cseq: int, body: bytes = b"", extra=()) -> bytes:
        lines = [_bytes(method) + b" " + call.target + b" SIP/2.0",
                 f"Via: SIP/2.0/UDP {ADDRESS}:{self.pbx.provider_port};branch={branch};rport".encode(),
                 b"Max-Forwards: 70", b"From: " + call.local, b"To: " + call.remote, b"Call-ID: " + call.id.encode(),
                 f"CSeq: {cseq} {method}".encode(), b"Contact: " + self._contact(), *extra]
        if body:
            lines.append(b"Content-Type: application/sdp")
        lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _send_invite(self, call: Call):
        data = self._request(call, "INVITE", call.branch, call.cseq, self._sdp(), call.extra)

        def again(pause: float):
            if call.state == "new" and not getattr(call, "heard", False) and pause < 5 and not self._closing:
                self._send(data)
                timer = threading.Timer(pause, again, (pause * 2,))
                timer.daemon = True
                timer.start()
        again(0.5)

    def request(self, call: Call, method: str):
        call.cseq += 1
        self._send(self._request(call, method, "z9hG4bK" + _token(), call.cseq))

    def cancel(self, call: Call):
        self._send(self._request(call, "CANCEL", call.branch, call.cseq))

    def respond(self, call: Call, code: int, message: Message = None, body: bytes = b""):
        request = message or call.invite
        if not message and code == 200:
            body = self._sdp()
        lines = [f"SIP/2.0 {code} {REASONS.get(code, 'Because')}".encode()]
        lines += [b"Via: " + via for via in request.all("via")] + [b"Record-Route: " + route for route in request.all("record-route")]
        to = request.get("to")
        if code > 100 and b"tag=" not in to:
            to += b";tag=" + call.tag.encode()
        lines += [b"From: " + request.get("from"), b"To: " + to, b"Call-ID: " + request.get("call-id"), b"CSeq: " + request.get("cseq"),
                  b"Contact: " + self._contact()]
        if body:
            lines.append(b"Content-Type: application/sdp")
        lines.append(b"Content-Length: %d" % len(body))
        data = b"\r\n".join(lines) + b"\r\n\r\n" + body
        if not message:
            call.last_response = data
        self._send(data)

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
            return
        if message.status >= 200:
            call.remote = message.get("to")
            contact = re.search(rb"<([^>]+)>", message.get("contact"))
            if message.status < 300:
                if contact:
                    call.target = contact[1]
                self._send(self._request(call, "ACK", "z9hG4bK" + _token(), call.cseq))
                if call.state != "answered":
                    call._enter("answered", message.status)
            else:
                self._send(self._request(call, "ACK", call.branch, call.cseq))
                call._enter("ended", message.status)
        elif message.status in (180, 183) and call.state == "new":
            call._enter("ringing")

    def _take_request(self, message: Message):
        call = self._by_id.get(message.get("call-id"))
        if message.method == "INVITE" and call is None:
            self._new_call(message)
        elif call is None:
            if message.method == "OPTIONS":
                self.respond(Call(self, True, ""), 200, message)
            elif message.method != "ACK":
                self.respond(Call(self, True, ""), 404, message)
        elif message.method == "INVITE" and message.get("cseq") == call.invite_cseq:
            self._send(call.last_response)                     # a retransmission
        elif message.method == "INVITE":
            self.respond(call, 200, message, self._sdp())      # hold and connected-line updates
        elif message.method == "BYE":
            self.respond(call, 200, message)
            call._enter("ended", 0)
        elif message.method == "CANCEL":
            self.respond(call, 200, message)
            if call.state != "answered":
                self.respond(call, 487)
                call._enter("ended", 487)
        elif message.method != "ACK":
            self.respond(call, 200, message)

    def _new_call(self, message: Message):
        number = re.match(r"INVITE sips?:([^@;]*)", message.first)
        call = Call(self, True, number[1] if number else "")
        call.invite, call.invite_cseq, call.id = message, message.get("cseq"), message.get("call-id").decode()
        call.local = message.get("to") + b";tag=" + call.tag.encode()
        call.remote = message.get("from")
        contact = re.search(rb"<([^>]+)>", message.get("contact"))
        call.target = contact[1] if contact else b""
        with self.changed:
            self.calls.append(call)
            self._by_id[call.id.encode()] = call
            self.changed.notify_all()
        how = self.behaviour.get(call.number, self.default)
        self.respond(call, 100)
        if isinstance(how, int) and not isinstance(how, bool) and how >= 300:
            call.reject(how)
        elif how == "manual":
            return
        else:
            call.ring()
            if isinstance(how, (int, float)):
                timer = threading.Timer(how, lambda: call.state == "ringing" and call.answer())
                timer.daemon = True
                timer.start()


def _escape_user(number) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.!~*'()&=+$,;?/") else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogateescape"))
                   for c in str(number))
