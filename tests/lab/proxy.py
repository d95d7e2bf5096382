"""A TCP link that a test can cut, freeze and mend: what a bad network does between two of our servers."""
import select
import socket
import struct
import threading

from . import places


class Proxy:
    """Forwards 127.0.0.1:`port` to `target`."""

    def __init__(self, target: int):
        self.target, self.port = target, places.free_port()
        self._pairs = []
        self._lock = threading.Lock()
        self._open, self._frozen, self._closing = True, False, False
        self._server = None

    def start(self):
        self._listen()
        return self

    def _listen(self):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", self.port))
        server.listen(16)
        self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def cut(self):
        """Every connection ends with a reset, new ones are refused."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._server = None
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _reset(end)

    def mend(self):
        self._frozen = False
        if self._server is None:
            self._listen()

    def freeze(self):
        """Half open: connections stay, nothing passes any more."""
        self._frozen = True

    def stop(self):
        self._closing = True
        if self._server is not None:
            self.cut()

    def _accept(self, server):
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                _reset(near)
                continue
            with self._lock:
                self._pairs.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near, far):
        other = {near: far, far: near}
        try:
            while not self._closing:
                if self._frozen:
                    threading.Event().wait(0.05)
                    continue
                for end in select.select(list(other), [], [], 0.1)[0]:
                    if self._frozen:
                        break
                    data = end.recv(65536)
                    if not data:
                        return
                    other[end].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            for end in other:
                end.close()


def _reset(end):
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
