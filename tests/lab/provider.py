"""The telephone company: calls in with any caller's name and number, down to bytes no handset would send, and takes the calls that go out.

A SIP user agent of its own, because a test must decide call by call, and at a moment of its choosing, what the far end does. It speaks as much SIP as a
trunk on loopback needs (UDP, no authentication: it is known by its address) and sends no media.
"""
import threading

from .process import LabError
from .sip import Agent, Call, as_bytes

ADDRESS = "127.0.0.2"


class Provider(Agent):
    def __init__(self, pbx, default=1.0):
        """`default`: what a number does that `behave` did not name."""
        super().__init__(pbx, "provider", ADDRESS, pbx.provider_port, "provider")
        self.default, self.behaviour = default, {}

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
        shown = b""
        if isinstance(name, bytes):
            shown = name + b" "
        elif name:
            shown = b'"' + as_bytes(name.replace("\\", "\\\\").replace('"', '\\"')) + b'" '
        return self.begin(to, number, shown, headers)

    def incoming(self, call: Call):
        how = self.behaviour.get(call.number, self.default)
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
