"""A scripted XMPP server that behaves to a component as Openfire does, with users that a test moves.

What it imitates (read in Openfire's source): disco#info and version asked right after the handshake, from component.DOMAIN; IQ answers matched by
id alone; `conflict` (or, as 5.2, a header without id and the end) for a second connection of the name; a silent connection closed after 6 minutes; headlines for absent and unknown
users dropped without a word; direct TLS beside the plain port; stanzas over 1 MiB and bad XML cost the stream.

    with Openfire() as server:
        anna = server.user("anna").login("Spark")
        ... start the component on server.port ...
        server.wait_connected()
        answer = anna.iq("<query xmlns='http://jabber.org/protocol/disco#info' node='anna'/>")
"""
from .server import Openfire
from .session import Session, User

__all__ = ["Openfire", "Session", "User"]
