"""AMI events of channels and bridges as Asterisk 22 writes them: which headers, in which order (the tests compare both with recordings)."""
import itertools
import uuid

STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
CAUSES = {0: "Unknown", 16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer", 21: "Call Rejected", 26: "Answered elsewhere",
          127: "Interworking, unspecified"}
CLASSES = {"Cdr": "cdr", "Shutdown": "system", **dict.fromkeys(
    ("AgentCalled", "AgentConnect", "AgentComplete", "AgentRingNoAnswer", "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon",
     "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPenalty", "QueueMemberStatus", "QueueMemberRinginuse"), "agent")}
_order = itertools.count()


class Channel:
    """Its headers are rendered once and again when something changed: most events show the same ones."""
    FIELDS = ("name", "state", "number", "caller_name", "connected", "connected_name", "context", "exten", "priority", "uniqueid", "linkedid")

    def __init__(self, name, uniqueid, linkedid="", state=0, number="", caller_name="", context="", exten="", born=0.0):
        self.name, self.uniqueid, self.linkedid, self.state = name, uniqueid, linkedid or uniqueid, state
        self.number, self.caller_name = number or "<unknown>", caller_name or "<unknown>"
        self.connected = self.connected_name = "<unknown>"
        self.context, self.exten, self.priority = context, exten, 1
        self.dnid, self.born, self.bridge, self.application, self.data = exten, born, None, "", ""
        self.order = next(_order)
        self._text = {}

    def change(self, **values):
        self.__dict__.update(values)
        self._text.clear()

    def text(self, prefix="") -> str:
        if prefix not in self._text:
            p = prefix
            self._text[prefix] = (
                f"{p}Channel: {self.name}\r\n{p}ChannelState: {self.state}\r\n{p}ChannelStateDesc: {STATES[self.state]}\r\n"
                f"{p}CallerIDNum: {self.number}\r\n{p}CallerIDName: {self.caller_name}\r\n"
                f"{p}ConnectedLineNum: {self.connected}\r\n{p}ConnectedLineName: {self.connected_name}\r\n{p}Language: en\r\n{p}AccountCode: \r\n"
                f"{p}Context: {self.context}\r\n{p}Exten: {self.exten}\r\n{p}Priority: {self.priority}\r\n{p}Uniqueid: {self.uniqueid}\r\n"
                f"{p}Linkedid: {self.linkedid}\r\n")
        return self._text[prefix]

    @property
    def pairs(self) -> list:
        return [tuple(line.split(": ", 1)) for line in self.text().split("\r\n") if line]

    @property
    def extension(self) -> str:
        return self.name.partition("/")[2].rpartition("-")[0]


class Bridge:
    def __init__(self, technology="simple_bridge"):
        self.id, self.technology, self.channels = str(uuid.uuid4()), technology, []

    def text(self, prefix="") -> str:
        p = prefix
        return (f"{p}BridgeUniqueid: {self.id}\r\n{p}BridgeType: basic\r\n{p}BridgeTechnology: {self.technology}\r\n{p}BridgeCreator: <unknown>\r\n"
                f"{p}BridgeName: <unknown>\r\n{p}BridgeNumChannels: {len(self.channels)}\r\n{p}BridgeVideoSourceMode: none\r\n")


def event(name: str, *parts: str, **headers) -> tuple[str, bytes]:
    """Class and bytes. `parts` are rendered headers (Channel.text), `headers` come behind them; `_` in a name is `-`."""
    privilege = CLASSES.get(name, "call")
    own = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())
    return privilege, f"Event: {name}\r\nPrivilege: {privilege},all\r\n{''.join(parts)}{own}\r\n".encode("utf-8", "surrogateescape")
