"""Child processes that are ours by pid, die with us, and own the ports they claim."""
import os
import pathlib
import signal
import subprocess
import time


class LabError(RuntimeError):
    """A part of the lab does not do what it should; the text says which, why, and shows the end of its log."""


def tail(path: pathlib.Path, lines: int = 25) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def wait_until(condition, timeout: float, what: str, every: float = 0.02):
    """The first true value of `condition()`; an error that names `what` after `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise LabError(f"after {timeout:g} s still not: {what}")
        time.sleep(every)


class Child:
    """One server process. `setpriv --pdeathsig` lets the kernel end it when the process that started it ends, however that ends."""

    def __init__(self, name: str, command, log: pathlib.Path, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.name, self.log = name, log
        self._out = open(log, "ab")
        try:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], stdin=stdin, stdout=self._out, stderr=self._out,
                cwd=cwd, env={**os.environ, **env} if env else None, start_new_session=True)
        except FileNotFoundError as error:
            raise LabError(f"{name}: {error}") from None

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def owns(self, port: int, kind: str = "tcp") -> bool:
        """Whether this process (or a child of it) listens on that port: a foreign server on the same port must not be taken for ours."""
        inodes = _listening(port, kind)
        return any(_sockets(pid) & inodes for pid in _family(self.pid)) if inodes else False

    def wait_for_port(self, port: int, timeout: float = 30, kind: str = "tcp"):
        def ready():
            if not self.running():
                raise LabError(f"{self.name} ended with {self.process.returncode} while starting:\n{tail(self.log)}")
            return self.owns(port, kind)
        try:
            wait_until(ready, timeout, f"{self.name} listens on {kind} port {port}")
        except LabError as error:
            raise LabError(f"{error}\n{tail(self.log)}" if str(error).startswith("after") else str(error)) from None

    def stop(self, timeout: float = 10):
        if self.running():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self._out.close()

    def kill(self):
        """Ends it as a power cut would, with everything it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._out.close()

    def freeze(self):
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.pid, signal.SIGCONT)


def _listening(port: int, kind: str) -> set:
    found = set()
    for table in (kind, kind + "6"):
        try:
            lines = pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            field = line.split()
            listens = field[3] == "0A" if kind == "tcp" else True
            if listens and int(field[1].rsplit(":", 1)[1], 16) == port:
                found.add(field[9])
    return found


def _sockets(pid: int) -> set:
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(entry.path)
            except OSError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass
    return found


def _family(pid: int) -> list:
    family = [pid]
    for member in family:
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                family += map(int, pathlib.Path(f"/proc/{member}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return family
