"""A real SIP phone (baresip) that a test can command."""
import json
import pathlib
import queue
import socket
import threading
import time

from . import places
from .asterisk import PHONE_SECRET, Asterisk
from .process import Child, LabError, wait_until

class Seen:
    """A call as the phone lived it, with the fields of sip.Call: `times` of new, ringing, answered and ended."""

    def __init__(self, from_pbx: bool, state: str, at: float):
        self.from_pbx, self.state, self.times = from_pbx, state, {"new": at, state: at}

    def enter(self, state: str, at: float):
        self.state = state
        self.times.setdefault(state, at)


MODULES = pathlib.Path("/usr/lib/baresip/modules")


class Phone:
    """Registers at a pbx as `extension`. `behaviour`: "manual" (rings until told), "busy" (486), "reject" (603 after the first ring), or a number:
    answers after so many seconds of ringing."""

    def __init__(self, folder: pathlib.Path, pbx: Asterisk, extension: str, behaviour="manual", name: str = ""):
        self.pbx, self.extension, self.behaviour = pbx, extension, behaviour
        self.name = name or extension
        self.folder = folder
        self.events = []                # every event of baresip with the time it came
        self.answered_by_itself = 0
        self._answers = queue.Queue()
        self._changed = threading.Condition()
        self._calls = {}                # call id -> state: incoming, established
        self.calls = []                 # every call that was, as Seen
        self._seen = {}
        self._closing = False
        folder.mkdir(parents=True)
        self.sip, self.control = places.free_port(2), places.free_port()
        self.rtp = places.free_port(20)
        modules = "".join(f"module {m}.so\n" for m in ("account", "g711", "aubridge", "ctrl_tcp"))
        (folder / "config").write_text(
            f"poll_method epoll\nsip_listen 127.0.0.1:{self.sip}\nctrl_tcp_listen 127.0.0.1:{self.control}\n"
            f"rtp_ports {self.rtp}-{self.rtp + 19}\ncall_max_calls 8\ncall_local_timeout 120\n"
            "audio_player aubridge,nil\naudio_source aubridge,nil\naudio_alert aubridge,nil\n"
            f"module_path {MODULES}\n{modules}module_app menu.so\n")
        (folder / "accounts").write_text(
            f"<sip:{extension}@127.0.0.1:{pbx.sip};transport=udp>;auth_user={extension};auth_pass={PHONE_SECRET};regint=60;"
            "answermode=manual;audio_codecs=PCMA\n")
        self.child = None

    def start(self, register: bool = True):
        self.child = Child(f"phone {self.name}", ["baresip", "-f", str(self.folder)], self.folder / "log")
        self.child.wait_for_port(self.control, 20)
        self._socket = socket.create_connection(("127.0.0.1", self.control), 5)
        self._socket.settimeout(None)
        threading.Thread(target=self._read, name=f"phone {self.name}", daemon=True).start()
        if register:
            wait_until(lambda: self.saw("REGISTER_OK") or self._registered(), 15, f"phone {self.name} is registered", 0.1)
        return self

    def _registered(self):
        return self.pbx.registered(self.extension)

    def stop(self):
        self._closing = True
        if self.child:
            self.child.stop(3)
            self._socket.close()

    # what the test tells the phone

    def accept(self):
        self._command("accept")

    def hangup(self):
        self._command("hangup")

    def hold(self):
        self._command("hold")

    def resume(self):
        self._command("resume")

    def dial(self, number: str):
        self._command("dial", f"sip:{number}@127.0.0.1:{self.pbx.sip}")

    def transfer(self, number: str):
        """Blind, by REFER."""
        self._command("transfer", f"sip:{number}@127.0.0.1:{self.pbx.sip}")

    # what the test sees

    @property
    def ringing(self) -> bool:
        return "incoming" in self._calls.values()

    @property
    def talking(self) -> bool:
        return "established" in self._calls.values()

    @property
    def idle(self) -> bool:
        return not self._calls

    def wait(self, what: str, timeout: float = 10):
        """`what`: ringing, talking or idle."""
        with self._changed:
            if not self._changed.wait_for(lambda: getattr(self, what), timeout):
                raise LabError(f"phone {self.name} is not {what} after {timeout:g} s; calls: {self._calls}")

    def saw(self, event: str) -> bool:
        return any(e.get("type") == event for _, e in self.events)

    def rang_at(self):
        """When (time.time) the phone last began to ring."""
        return next((at for at, e in reversed(self.events) if e.get("type") == "CALL_INCOMING"), None)

    def answered_at(self):
        return next((at for at, e in reversed(self.events) if e.get("type") == "CALL_ESTABLISHED"), None)

    # underneath: JSON in netstrings

    def _command(self, command: str, params: str = ""):
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))

    def _read(self):
        data = b""
        while True:
            try:
                got = self._socket.recv(65536)
            except OSError:
                return
            if not got:
                return
            data += got
            while b":" in data:
                head, rest = data.split(b":", 1)
                size = int(head)
                if len(rest) < size + 1:
                    break
                data = rest[size + 1:]
                try:
                    self._take(json.loads(rest[:size].decode(errors="replace"), strict=False))
                except ValueError:
                    continue    # a hostile caller's name that baresip did not escape for JSON: the call states come by other fields

    def _take(self, message: dict):
        if not message.get("event"):
            return
        kind, call = message.get("type"), message.get("id", "")
        with self._changed:
            self.events.append((time.time(), message))
            self._live(kind, call, time.time())
            if kind == "CALL_INCOMING":
                self._calls[call] = "incoming"
            elif kind == "CALL_OUTGOING":
                self._calls[call] = "outgoing"
            elif kind == "CALL_ESTABLISHED":
                self._calls[call] = "established"
            elif kind == "CALL_CLOSED":
                self._calls.pop(call, None)
            self._changed.notify_all()
        if kind == "CALL_INCOMING":
            if self.behaviour in ("busy", "reject"):
                self.hangup()           # baresip answers 486 Busy here
            elif isinstance(self.behaviour, (int, float)):
                threading.Timer(self.behaviour, self._answer_if_ringing).start()

    def _live(self, kind: str, call: str, at: float):
        if kind in ("CALL_INCOMING", "CALL_OUTGOING"):
            self._seen[call] = Seen(kind == "CALL_INCOMING", "ringing" if kind == "CALL_INCOMING" else "new", at)
            self.calls.append(self._seen[call])
        elif call in self._seen and (state := {"CALL_RINGING": "ringing", "CALL_ESTABLISHED": "answered", "CALL_CLOSED": "ended"}.get(kind)):
            self._seen[call].enter(state, at)

    def _answer_if_ringing(self):
        if self.ringing and not self._closing:
            try:
                self.accept()
            except OSError:
                pass
