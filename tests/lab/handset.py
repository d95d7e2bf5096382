"""A SIP phone of our own with the commands of `Phone` and what baresip does not have: several calls at once by name, REFER with Replaces, 302, digits.

It registers like any phone and says nothing, in RTP. Digits go as SIP INFO (RFC 2976, application/dtmf-relay), which both channel drivers take.
"""
import threading
import time

from . import places
from .asterisk import PHONE_SECRET, Asterisk
from .process import LabError, wait_until
from .sip import Agent, Call, Message, tag_in


class Handset(Agent):
    """`behaviour`: "manual" (rings until told), "busy" (486 at once), "reject" (603 after it rang), {"forward": NUMBER} (302 at once), or a number: answers after so many
    seconds of ringing."""

    speaks = True

    def __init__(self, folder, pbx: Asterisk, extension: str, behaviour="manual", name: str = ""):
        super().__init__(pbx, name or extension, "127.0.0.1", places.free_port(), extension, PHONE_SECRET)
        self.extension, self.behaviour = extension, behaviour
        self.refused = None             # the status with which the last transfer failed
        self.obeys = True               # does what a NOTIFY with the event `talk` or `hold` says, as desk phones do when they are set so
        self._registration = Call(self, False, extension)
        self._expires, self._logins = 3600, 0     # longer than any test: it is not renewed

    def start(self, register: bool = True):
        super().start()
        if register:
            self._register()
            wait_until(lambda: self.pbx.registered(self.extension), 15, f"phone {self.name} is registered", 0.1)
        return self

    def stop(self):
        if not self._closing:
            for call in list(self.calls):
                call.hangup()
            self._expires = 0
            self._register()
            time.sleep(0.1)             # the challenge is answered by the reading thread
        super().stop()

    # what the test tells the phone; without a call: the last one that fits

    def accept(self, call: Call = None):
        (call or self._last(lambda c: c.from_pbx and c.state == "ringing", "rings")).answer()

    def hangup(self, call: Call = None):
        """As people put the receiver down: the pbx may have ended the call a moment before."""
        if call is None and self.calls and self.idle:
            return
        call = call or self._last(lambda c: c.state != "ended", "lives")
        if call.from_pbx and call.state == "ringing":
            call.reject(486)
        else:
            call.hangup()

    def hold(self, call: Call = None):
        call = call or self._last(lambda c: c.state == "answered", "was answered")
        call.held_at.append(time.time())
        self._offer(call, "sendonly")

    def resume(self, call: Call = None):
        call = call or self._last(lambda c: c.state == "answered", "was answered")
        call.resumed_at.append(time.time())
        self._offer(call, "sendrecv")

    def dial(self, number: str) -> Call:
        call = self.begin(number, self.extension)
        call.number = number
        return call

    def transfer(self, number: str, call: Call = None):
        """Blind, by REFER."""
        self._refer(call or self._last(lambda c: c.state == "answered", "was answered"), f"<sip:{number}@127.0.0.1:{self.pbx.sip}>")

    def join(self, first: Call, second: Call):
        """Attended transfer: REFER within `first` with Replaces (RFC 3891) of `second`, whose other end it is to talk to."""
        replaces = f"{second.id};to-tag={tag_in(second.remote) or tag_in(second.early)};from-tag={tag_in(second.local)}"
        escaped = replaces.replace("@", "%40").replace(";", "%3B").replace("=", "%3D")
        self._refer(first, f"<sip:{second.number}@127.0.0.1:{self.pbx.sip}?Replaces={escaped}>")

    def press(self, digits: str, call: Call = None, pause: float = 0.12):
        call = call or self._last(lambda c: c.state == "answered", "was answered")
        for digit in digits:
            self.request(call, "INFO", f"Signal={digit}\r\nDuration=100\r\n".encode(), b"application/dtmf-relay")
            time.sleep(pause)

    # what the test sees

    @property
    def ringing(self) -> bool:
        return any(c.from_pbx and c.state == "ringing" for c in self.calls)

    @property
    def talking(self) -> bool:
        return any(c.state == "answered" for c in self.calls)

    @property
    def idle(self) -> bool:
        return all(c.state == "ended" for c in self.calls)

    def wait(self, what: str, timeout: float = 10):
        """`what`: ringing, talking or idle."""
        with self.changed:
            if not self.changed.wait_for(lambda: getattr(self, what), timeout):
                raise LabError(f"phone {self.name} is not {what} after {timeout:g} s; calls: {[c.state for c in self.calls]}")

    def rang_at(self):
        """When (time.time) the phone last began to ring."""
        return next((c.times["ringing"] for c in reversed(self.calls) if c.from_pbx and "ringing" in c.times), None)

    def answered_at(self):
        return next((c.times["answered"] for c in reversed(self.calls) if "answered" in c.times), None)

    # underneath

    def incoming(self, call: Call):
        how = self.behaviour
        if how == "busy":
            call.reject(486)
        elif isinstance(how, dict):
            call.reject(302, [f"Contact: <sip:{how['forward']}@127.0.0.1:{self.pbx.sip}>"])
        else:
            call.ring()
            if how == "reject":         # a moment later, so that every pbx has seen it ring
                self._later(0.5, lambda: call.state == "ringing" and call.reject(603))
            elif isinstance(how, (int, float)):
                self._later(how, lambda: call.state == "ringing" and call.answer())

    @staticmethod
    def _later(seconds: float, do):
        timer = threading.Timer(seconds, do)
        timer.daemon = True
        timer.start()

    def within(self, call: Call, message: Message):
        self.respond(call, 200, message)
        if message.method == "NOTIFY" and message.get("event").split(b";")[0] != b"refer":
            return self.notified(message, call)
        if message.method != "NOTIFY" or not message.body.startswith(b"SIP/2.0"):
            return
        status = int(message.body.split()[1])
        if status >= 300:
            self.refused = status
        if 200 <= status < 300:
            call.hangup()               # the transfer is done: this phone is out

    def notified(self, message: Message, call):
        event = message.get("event").decode(errors="replace")
        if not self.obeys or event not in ("talk", "hold"):
            return
        call = call or next((c for c in reversed(self.calls) if c.state != "ended"), None)
        if call is None:
            return
        if event == "talk" and call.from_pbx and call.state == "ringing":
            call.answer()
        elif event == "talk" and call.direction == "sendonly":
            self.resume(call)
        elif event == "hold" and call.state == "answered" and call.direction == "sendrecv":
            self.hold(call)

    def answered(self, call: Call, message: Message):
        if message.cseq_method == "REGISTER" and message.status in (401, 407) and self._logins < 3:
            self._logins += 1
            self._register([self._login(message, "REGISTER", call.target)])
        elif message.cseq_method == "REFER" and message.status >= 300:
            self.refused = message.status

    def _register(self, login=()):
        call = self._registration
        call.local = f"<sip:{self.extension}@127.0.0.1:{self.pbx.sip}>;tag={call.tag}".encode()
        call.remote = f"<sip:{self.extension}@127.0.0.1:{self.pbx.sip}>".encode()
        call.target = f"sip:127.0.0.1:{self.pbx.sip}".encode()
        self._by_id[call.id.encode()] = call
        self.request(call, "REGISTER", headers=[f"Expires: {self._expires}", *login])

    def _offer(self, call: Call, direction: str):
        call.direction, call.version = direction, call.version + 1
        self.request(call, "INVITE", self.sdp(call))

    def _refer(self, call: Call, to: str):
        self.refused = None
        self.request(call, "REFER", headers=[f"Refer-To: {to}", f"Referred-By: <sip:{self.extension}@127.0.0.1:{self.pbx.sip}>"])

    def _last(self, fits, what: str) -> Call:
        found = next((c for c in reversed(self.calls) if fits(c)), None)
        if found is None:
            raise LabError(f"phone {self.name} has no call that {what}")
        return found
