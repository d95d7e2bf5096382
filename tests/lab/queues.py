"""The queues of a pbx as another AMI client sees and changes them: what Asterisk really shows, beside what the bridge says."""
import re
import socket
from typing import NamedTuple

from .process import LabError


class Member(NamedTuple):
    name: str
    penalty: int
    paused: bool
    reason: str
    dynamic: bool


class Queues:
    """One short session per question, as `recorder`: nothing is kept, so nothing is old."""

    def __init__(self, pbx):
        self.pbx = pbx

    def _ask(self, action: str, until: str, **fields) -> list:
        """The blocks of the answer, to the one with the header `until`."""
        def block(**headers):
            return ("".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.pbx.ami), 5) as link:
            link.sendall(block(Action="Login", ActionID="in", Username="recorder", Secret=self.pbx.secret, Events="off"))
            link.sendall(block(Action=action, ActionID="ask", **fields))
            data = b""
            while True:
                found = [dict(re.findall(r"^([\w-]+): ?(.*?)\r?$", text, re.M)) for text in data.decode(errors="replace").split("\r\n\r\n")[:-1]]
                found = [one for one in found if one.get("ActionID") == "ask"]
                if found and found[0].get("Response") == "Error":
                    raise LabError(f"{self.pbx.name} refused {action} {fields}: {found[0].get('Message')}")
                if any(one.get("Response" if until == "Response" else "Event") in (until, "Success") for one in found):
                    return found
                got = link.recv(65536)
                if not got:
                    raise LabError(f"{self.pbx.name} closed the session during {action}")
                data += got

    def members(self) -> dict:
        """(queue, interface) -> Member, of every queue."""
        return {(one["Queue"], one["Location"]): Member(one["Name"], int(one["Penalty"]), one["Paused"] == "1", one.get("PausedReason", ""),
                                                        one["Membership"] == "dynamic")
                for one in self._ask("QueueStatus", "QueueStatusComplete") if one.get("Event") == "QueueMember"}

    def of(self, extension: str) -> dict:
        """queue -> Member, of the phone with this extension."""
        return {queue: member for (queue, interface), member in self.members().items() if interface == f"{self.pbx.tech}/{extension}"}

    def pause(self, extension: str, paused: bool, queue: str = "", reason: str = ""):
        """As a feature code of the dialplan or a wallboard does it."""
        fields = {"Queue": queue} if queue else {}
        self._ask("QueuePause", "Response", Interface=f"{self.pbx.tech}/{extension}", Paused=str(paused).lower(), Reason=reason, **fields)

    def add(self, extension: str, queue: str, name: str = ""):
        self._ask("QueueAdd", "Response", Queue=queue, Interface=f"{self.pbx.tech}/{extension}", MemberName=name)

    def remove(self, extension: str, queue: str):
        self._ask("QueueRemove", "Response", Queue=queue, Interface=f"{self.pbx.tech}/{extension}")
