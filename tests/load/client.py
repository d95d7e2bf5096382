"""A plain AMI client, blocking: what the tests of the simulated pbx look through."""
import hashlib
import socket
import time

from . import template
from .session import message


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.data = b""

    def send(self, *pairs):
        self.socket.sendall(message(*pairs))

    def read_until(self, mark: bytes, seconds=10.0) -> bytes:
        """Everything up to and with the mark."""
        end = time.monotonic() + seconds
        while mark not in self.data:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.data)
            self.data += piece
        at = self.data.index(mark) + len(mark)
        read, self.data = self.data[:at], self.data[at:]
        return read

    def rest(self, seconds=10.0) -> bytes:
        self.socket.settimeout(seconds)
        while piece := self.socket.recv(65536):
            self.data += piece
        return self.data

    def ask(self, name, *pairs) -> bytes:
        self.send(("Action", name), ("ActionID", "x"), *pairs)
        return self.read_until(b"\r\n\r\n")

    def drain(self) -> bytes:
        """Everything that was sent up to now."""
        self.send(("Action", "Ping"), ("ActionID", "drained"))
        return self.read_until(b"ActionID: drained\r\n") + self.read_until(b"\r\n\r\n")

    def login(self, events="on", secret="sim-secret") -> bytes:
        self.read_until(b"\r\n")
        challenge = template.header(self.ask("Challenge", ("AuthType", "MD5")), "Challenge")
        key = hashlib.md5((challenge + secret).encode()).hexdigest()
        return self.ask("Login", ("AuthType", "MD5"), ("Username", "ctibridge"), ("Key", key), ("Events", events))

    def events(self, count) -> list[bytes]:
        return [self.read_until(b"\r\n\r\n") for _ in range(count)]
