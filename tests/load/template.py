"""Recorded calls as templates: the same events with other channels, numbers and names."""
import dataclasses
import functools
import pathlib
import re
import tarfile
import uuid

ARCHIVE = pathlib.Path(__file__).parents[1] / "data/ami-traces.tar.xz"
INBOUND = {"answered": "02-inbound-answered", "no-answer": "03-inbound-no-answer", "cancelled": "03b-inbound-caller-gives-up",
           "busy": "04-inbound-busy-486"}
ORIGINATE = {"answered": "08-click-to-dial", "agent-busy": "09a-originate-agent-busy",
             "agent-not-registered": "09b-originate-agent-not-registered", "agent-no-answer": "09c-originate-agent-no-answer",
             "callee-busy": "09d-originate-callee-busy"}


@functools.cache
def recorded(name: str) -> tuple[bytes, list[tuple[int, int]]]:
    """Bytes of a trace, and its reads as (offset, milliseconds)."""
    wanted = {f"ami-traces/{name}.ami": None, f"ami-traces/{name}.times": None}
    with tarfile.open(ARCHIVE, "r|xz") as archive:   # a stream: the largest trace comes last and is not unpacked
        for member in archive:
            if member.name in wanted:
                wanted[member.name] = archive.extractfile(member).read()
                if all(content is not None for content in wanted.values()):
                    break
    data, times = wanted.values()
    if data is None or times is None:
        raise FileNotFoundError(f"{ARCHIVE} has no trace {name}")
    return data, [tuple(map(int, line.split()[:2])) for line in times.decode().splitlines()]


def headers(block: bytes) -> list[tuple[str, str]]:
    """Name and value of each line of a block without its empty line."""
    lines = block.decode("utf-8", "surrogateescape").split("\r\n")
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines if line)]


def header(block: bytes, name: str) -> str:
    return next((value for key, value in headers(block) if key == name), "")


@dataclasses.dataclass
class Block:
    at: float          # seconds since the first event of the call
    data: bytes        # with its empty line
    event: str         # empty: a response
    privilege: str     # first class, empty for list items


@dataclasses.dataclass
class Names:
    """What makes one call differ from another."""
    extension: str
    number: str                     # of the other party
    name: str = ""                  # of the other party; empty: not known
    dialed: str = ""                # the number called (inbound)
    linkedid: str = ""              # Uniqueid of the first channel
    sequence: int = 0               # of the call; two channels and two Uniqueids each
    epoch: int = 0
    action_id: str = ""
    crmid: str = ""


class Template:
    """The events of one recorded call from its first Newchannel on. `extension` is the agent's, `number` the other party's."""

    def __init__(self, name: str, extension="201", number="", dialed=""):
        self.name, self.extension, self.number, self.dialed = name, extension, number, dialed
        data, times = recorded(name)
        self.blocks = self._blocks(data, times)
        text = b"".join(block.data for block in self.blocks).decode("utf-8", "surrogateescape")
        self.uniqueids = list(dict.fromkeys(re.findall(r"^Uniqueid: (\S+)\r$", text, re.M)))
        self.channels = list(dict.fromkeys(re.findall(r"PJSIP/[\w]+-[0-9a-f]{8}", text)))
        self.bridges = list(dict.fromkeys(re.findall(r"^BridgeUniqueid: (\S+)\r$", text, re.M)))
        first = headers(self.blocks[0].data)
        if not self.number:
            self.number = dict(first)["CallerIDNum"]
        if not self.dialed:
            self.dialed = dict(first)["Exten"]

    @staticmethod
    def _blocks(data, times):
        blocks, offset, start, call = [], data.index(b"\r\n") + 2, None, False
        read = 0
        while (end := data.find(b"\r\n\r\n", offset)) >= 0:
            block, offset = data[offset:end + 4], end + 4
            while read + 1 < len(times) and times[read + 1][0] < offset:
                read += 1
            event, channel = header(block, "Event"), header(block, "Uniqueid")
            call = call or event == "Newchannel" or (event == "OriginateResponse" and bool(channel))
            # Between the calls come lists, answers and other people's device states; behind the call only the answer to Logoff.
            if not call or not event or event in ("SuccessfulAuth", "FullyBooted"):
                continue
            start = times[read][1] if start is None else start
            blocks.append(Block((times[read][1] - start) / 1000, block, event, header(block, "Privilege").split(",")[0]))
        return blocks

    def play(self, names: Names, speed: float = 1.0) -> list[Block]:
        """The blocks for a call of these names, `speed` times as fast as recorded."""
        words = {}
        for i, uniqueid in enumerate(self.uniqueids):
            own = names.linkedid if i == 0 and names.linkedid else f"{names.epoch}.{names.sequence * 2 + i}"
            words[uniqueid] = own
        for i, channel in enumerate(self.channels):
            peer = channel.rpartition("-")[0]
            peer = f"PJSIP/{names.extension}" if peer == f"PJSIP/{self.extension}" else peer
            words[channel] = f"{peer}-{(names.sequence * 2 + i) & 0xffffffff:08x}"
        for bridge in self.bridges:
            words[bridge] = str(uuid.uuid4())
        words[self.number] = names.number
        words['"Anonymous"'] = f'"{names.name}"'
        words[f"PJSIP/{self.extension}"] = f"PJSIP/{names.extension}"
        if names.dialed:
            words[self.dialed] = names.dialed
        if names.action_id:
            words["ActionID: cti-2"] = f"ActionID: {names.action_id}"
        if names.crmid:
            words["12x345"] = names.crmid
        # All at once and the longest first, so that no replacement is replaced again.
        pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
        agent = re.compile(rf"(?<=: ){re.escape(self.extension)}(?=\r\n)")
        party = re.compile(rf"(\w*Num: {re.escape(self.number)}\r\n\w*Name: )(?:<unknown>|Anonymous)(?=\r\n)")
        played = []
        for block in self.blocks:
            text = block.data.decode("utf-8", "surrogateescape")
            text = party.sub(lambda found: found.group(1) + (names.name or "<unknown>"), text)
            text = agent.sub(names.extension, text)
            text = pattern.sub(lambda found: words[found.group()], text)
            played.append(Block(block.at / speed, text.encode("utf-8", "surrogateescape"), block.event, block.privilege))
        return played


@functools.cache
def inbound(kind: str) -> Template:
    return Template(INBOUND[kind])


@functools.cache
def originate(kind: str) -> Template:
    return Template(ORIGINATE[kind], number="07700900456")
