"""Folders and ports: what a lab may call its own."""
import atexit
import fcntl
import os
import pathlib
import random
import shutil
import socket
import tempfile


def cache() -> pathlib.Path:
    """Where whole server trees are unpacked once for all clones."""
    given = os.environ.get("CTIBRIDGE_LAB")
    return pathlib.Path(given) if given else pathlib.Path.home() / ".cache" / "ctibridge-lab"


def project() -> pathlib.Path:
    return pathlib.Path(__file__).resolve().parents[2]


def _shared() -> pathlib.Path:
    """Locks of the labs of this user, one folder for all clones."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"ctibridge-lab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise RuntimeError(f"{folder} belongs to somebody else")
    return folder


def _try_lock(path: pathlib.Path):
    """An open file that holds the lock as long as this process lives, or None."""
    handle = open(path, "a")  # noqa: SIM115  kept open: the lock lives as long as the file
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    except BlockingIOError:
        handle.close()
        return None


_held = []


def free_port(span: int = 1) -> int:
    """`span` neighbouring ports of 127.0.0.1, free for TCP and UDP and reserved among the labs of this user.

    They lie below the range the kernel hands out to clients, so that no outgoing connection takes one before its server does.
    """
    locks = _shared() / "ports"
    locks.mkdir(exist_ok=True)
    for _ in range(500):
        first = random.randrange(20000, 32000 - span)
        taken = [_try_lock(locks / str(port)) for port in range(first, first + span)]
        if all(taken) and all(_bindable(port) for port in range(first, first + span)):
            _held.extend(taken)
            return first
        for handle in taken:
            if handle:
                handle.close()
    raise RuntimeError("no free ports between 20000 and 32000 on 127.0.0.1")


def _bindable(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


class Folder:
    """A private folder that is removed at the end; those of labs that were killed are removed by the next one."""

    def __init__(self, keep: bool = False):
        root = _shared() / "run"
        root.mkdir(exist_ok=True)
        self._sweep(root)
        self.path = pathlib.Path(tempfile.mkdtemp(dir=root))
        self._lock = _try_lock(root / (self.path.name + ".lock"))
        self.keep = keep
        atexit.register(self.remove)

    @staticmethod
    def _sweep(root: pathlib.Path):
        for lock in root.glob("*.lock"):
            handle = _try_lock(lock)
            if handle:
                shutil.rmtree(root / lock.stem, ignore_errors=True)
                lock.unlink(missing_ok=True)
                handle.close()

    def remove(self):
        if self._lock is None:
            return
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)
            pathlib.Path(self._lock.name).unlink(missing_ok=True)
        self._lock.close()
        self._lock = None
