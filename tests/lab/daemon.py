"""The real ctibridge under test."""
import os
import pathlib
import socket
import subprocess

import yaml

from . import places
from .database import PASSWORD
from .process import Child, LabError, tail
from .xmpp_servers import COMPONENT, DOMAIN, SECRET


def binary() -> pathlib.Path:
    given = os.environ.get("CTIBRIDGE_BINARY")
    path = pathlib.Path(given) if given else places.project() / "build/dev/ctibridge"
    if not path.exists():
        raise LabError(f"{path} is not built: cmake --preset dev && cmake --build --preset dev")
    return path


def configuration(folder: pathlib.Path, pbxs, xmpp, database) -> dict:
    """What an administrator would write for these servers."""
    return {
        "pbx": [{
            "name": pbx.name, "host": "127.0.0.1", "port": pbx.ami, "username": "ctibridge", "secret": pbx.secret,
            "channels": [f"{pbx.tech}/{{extension}}"], "extensions": ["2??"], "country": "CZ",
            "dial": {"context": "from-internal", "timeout": "6s", "caller_id": "{extension}"},
            "reconnect": {"first": "200ms", "max": "1s", "attempts": 0},
        } for pbx in pbxs],
        "xmpp": {"component": COMPONENT, "host": "127.0.0.1", "port": xmpp.component, "secret": SECRET, "user_domain": DOMAIN,
                 "administrators": [f"admin@{DOMAIN}"]},
        "crm": {"adapter": "vtiger", "url": database.url("vtiger"), "password": PASSWORD, "web": "https://crm.example.org/",
                "visibility": "all"},
        "database": {"url": database.url("ctibridge")},
        "state": str(folder / "state"),
        "control": str(folder / "control"),
        "dialing": {"allow": ["+420*", "+44*", "2??"], "deny": ["+420900*"],
                    "rewrite": [{"from": "+44", "to": "0"}, {"from": "+420", "to": "00420"}], "per_minute": 100, "concurrent": 2},
        "log": {"level": "debug"},
    }


class Daemon:
    def __init__(self, folder: pathlib.Path, config: dict):
        self.folder, self.config = folder, config
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state").mkdir(mode=0o700, exist_ok=True)
        self.file = folder / "ctibridge.yaml"
        self.log = folder / "log"
        self.child = None
        self.write()

    def write(self):
        self.file.touch(0o600)
        self.file.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))

    def command(self, *arguments, input=None, timeout=60) -> subprocess.CompletedProcess:
        """`ctibridge COMMAND --config OURS …` to its end."""
        return subprocess.run([str(binary()), arguments[0], "--config", str(self.file), *arguments[1:]], input=input, text=True,
                              errors="replace", capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL if input is None else None)

    def migrate(self):
        done = self.command("migrate")
        if done.returncode != 0:
            raise LabError(f"ctibridge migrate ended with {done.returncode}: {done.stdout}{done.stderr}")
        return self

    def start(self, timeout: float = 30):
        """Until READY=1, as systemd would wait."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = self.folder / "notify"
            path.unlink(missing_ok=True)
            notify.bind(str(path))
            notify.settimeout(0.2)
            self.child = Child("ctibridge", [str(binary()), "run", "--config", str(self.file)], self.log,
                               env={"NOTIFY_SOCKET": str(path)}, cwd=self.folder)
            waited = 0.0
            while True:
                try:
                    if b"READY=1" in notify.recv(4096):
                        return self
                except TimeoutError:
                    waited += 0.2
                if not self.child.running():
                    raise LabError(f"ctibridge ended with {self.child.process.returncode} while starting:\n{tail(self.log, 40)}")
                if waited > timeout:
                    raise LabError(f"ctibridge is not ready after {timeout:g} s:\n{tail(self.log, 40)}")

    def stop(self):
        """SIGTERM; the exit code (sanitizers speak through it)."""
        if self.child:
            self.child.stop(20)
            return self.child.process.returncode
        return None

    def kill(self):
        self.child.kill()

    def fault(self) -> str:
        """What a sanitizer has found in any of its runs; empty: nothing."""
        text = self.text()
        found = [text.find(word) for word in ("runtime error", "AddressSanitizer", "LeakSanitizer") if word in text]
        return text[max(0, min(found) - 300):][:6000] if found else ""

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
