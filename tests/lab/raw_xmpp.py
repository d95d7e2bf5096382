"""An XMPP connection with no library between the socket and the clock, for measuring."""
import base64
import socket

from .xmpp_servers import DOMAIN, password


class RawClient:
    """Signed in when it is made; `data` is what was read and not taken yet."""

    def __init__(self, port: int, user: str, resource: str):
        self.jid = f"{user}@{DOMAIN}"
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        opening = f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='{DOMAIN}'>"
        secret = base64.b64encode(f"\0{user}\0{password(user)}".encode()).decode()
        for text, mark in (("<?xml version='1.0'?>" + opening, b"</stream:features>"),
                           (f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>", b"<success"),
                           (opening, b"</stream:features>"),
                           (f"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>", b"</iq>"),
                           ("<presence/>", b"<presence")):
            self.socket.sendall(text.encode())
            while mark not in self.data:
                piece = self.socket.recv(65536)
                if not piece:
                    raise EOFError(self.data)
                self.data += piece
            self.data = b""
        self.socket.settimeout(None)

    def close(self):
        self.socket.close()
