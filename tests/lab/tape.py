"""One AMI session written down as the traces of tests/data are: what came, with the time of each piece, what was sent, and the story of the test."""
import json
import pathlib
import re
import socket
import threading
import time

from .process import LabError, wait_until


class Tape:
    """Logs in as `recorder` (sees everything, may do everything). Times are milliseconds since the connection was opened."""

    def __init__(self, pbx):
        self._began = time.time()
        self._socket = socket.create_connection(("127.0.0.1", pbx.ami), 5)
        self._socket.settimeout(None)
        self.bytes, self.times = bytearray(), []            # times: (offset, ms) of each piece
        self.sent, self.sent_times = bytearray(), []
        self.notes = []
        self._number = 0
        threading.Thread(target=self._read, name="tape", daemon=True).start()
        self.action("Login", Username="recorder", Secret=pbx.secret)

    def ms(self, at: float) -> int:
        return round((at - self._began) * 1000)

    def at(self, ms: float) -> float:
        return self._began + ms / 1000

    def note(self, text: str):
        self.notes.append((self.ms(time.time()), text))

    def action(self, name: str, timeout: float = 5, **fields) -> dict:
        """Sends an action and waits for its response, which must not be an error."""
        self._number += 1
        ident = f"cti-{self._number}"
        head = "".join(f"{key}: {value}\r\n" for key, value in {"Action": name, "ActionID": ident, **fields}.items())
        self.sent_times.append((len(self.sent), self.ms(time.time())))
        data = (head + "\r\n").encode()
        self.sent += data
        self._socket.sendall(data)

        def answer():
            for block in bytes(self.bytes).decode(errors="replace").split("\r\n\r\n"):
                if "Response:" in block and f"ActionID: {ident}\r\n" in block + "\r\n":
                    return dict(re.findall(r"^(\w+): ?(.*?)\r?$", block, re.M))
            return None
        got = wait_until(answer, timeout, f"AMI answers {name}", 0.01)
        if got.get("Response") == "Error":
            raise LabError(f"AMI refused {name}: {got.get('Message')}")
        return got

    def events(self, name: str) -> list:
        """The events of that name so far, each a dict."""
        return [dict(re.findall(r"^([\w()-]+): ?(.*?)\r?$", block, re.M))
                for block in bytes(self.bytes).decode(errors="replace").split("\r\n\r\n") if f"Event: {name}\r\n" in block + "\r\n"]

    def channel(self, device: str) -> str:
        """The newest living channel of that device, e.g. PJSIP/201."""
        gone = {event["Uniqueid"] for event in self.events("Hangup")}
        found = [e["Channel"] for e in self.events("Newchannel") if e["Channel"].rsplit("-", 1)[0] == device and e["Uniqueid"] not in gone]
        if not found:
            raise LabError(f"{device} has no channel")
        return found[-1]

    def stop(self):
        """After an answer to a ping, everything that happened before has come."""
        self.action("Ping")
        time.sleep(0.1)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def save(self, folder: pathlib.Path, name: str, truth=None, secret: str = "") -> pathlib.Path:
        folder.mkdir(parents=True, exist_ok=True)

        def write(ending: str, data: bytes):
            (folder / (name + ending)).write_bytes(data)
        write(".ami", bytes(self.bytes))
        write(".times", "".join(f"{offset}\t{ms}\n" for offset, ms in self.times).encode())
        write(".actions", bytes(self.sent).replace(secret.encode(), b"secret") if secret else bytes(self.sent))
        write(".actions.times", "".join(f"{offset}\t{ms}\n" for offset, ms in self.sent_times).encode())
        write(".notes", "".join(f"{ms}\t{text}\n" for ms, text in sorted(self.notes)).encode())
        if truth is not None:
            write(".truth.json", json.dumps(truth, ensure_ascii=False, indent=1).encode())
        return folder / (name + ".ami")

    def _read(self):
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.times.append((len(self.bytes), self.ms(time.time())))
            self.bytes += data
