"""The calls that are made up here look to a client like those that were recorded, and the lists and the ledger say what was told."""
import collections
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from load import pbx as simulated, template   # noqa: E402
from load.client import Client                # noqa: E402

# Each comes from a source of its own in Asterisk: their place among the others differs from call to call, in recordings too.
FLOATING = {"DeviceStateChange", "ExtensionStatus", "QueueMemberStatus", "QueueMemberAdded", "QueueMemberRemoved", "Cdr"}
WANTED = {"call", "agent", "cdr"}
ANSWERED = {"answer": 1.0, "talk": 1.0}


def blocks(data: bytes) -> list[dict]:
    found = []
    for block in data.split(b"\r\n\r\n"):
        pairs = template.headers(block + b"\r\n")
        fields = dict(pairs)
        if "Event" in fields and fields.get("Privilege", "").split(",")[0] in WANTED:
            found.append((fields, tuple(name for name, _ in pairs)))
    return found


def recorded(name: str) -> list:
    found = blocks(template.recorded(name)[0])
    # From the first call on; before and after it an actor prepared the stage.
    first = next(i for i, (fields, _) in enumerate(found) if fields["Event"] == "Newchannel")
    return found[first:]


def parts(found) -> dict:
    """What happened to each channel, in order, and who was dialled how: by the place of the channel in the recording."""
    place, seen = {}, collections.defaultdict(list)
    for fields, _ in found:
        if fields["Event"] == "Newchannel":
            place[fields["Channel"]] = f"channel {len(place)}"
        if fields["Event"] in FLOATING:
            continue
        what = (fields["Event"], fields.get("ChannelStateDesc") if fields["Event"] in ("Newchannel", "Newstate") else None,
                fields.get("DialStatus"), fields.get("Cause"))
        if fields.get("Channel") in place:
            seen[place[fields["Channel"]]].append(what)
        if fields.get("DestChannel") in place:
            seen[place[fields["DestChannel"]] + " as destination"].append(what)
        if "Channel" not in fields:
            seen["bridges and transfers"].append(what)
    return dict(seen)


class Stage:
    def __init__(self, speed=10.0):
        self.pbx = simulated.Simulated(speed=speed).start()
        self.client = Client(self.pbx.ami)
        self.client.login("call,agent,cdr")

    def finish(self, hangups: int) -> list:
        """Everything until that many channels are gone."""
        data = b""
        for _ in range(hangups):
            data += self.client.read_until(b"Event: Hangup\r\n", 20) + self.client.read_until(b"\r\n\r\n")
        data += self.client.drain()
        assert self.pbx.pbx.exchange.channels == {}
        return blocks(data)


@pytest.fixture
def stage():
    each = Stage()
    yield each
    each.pbx.close()


SCENES = {
    "03-inbound-no-answer": (2, lambda pbx: pbx.do("direct", "201", outcome="no-answer")),
    "03b-inbound-caller-gives-up": (2, lambda pbx: pbx.do("direct", "201", outcome="cancelled")),
    "04-inbound-busy-486": (2, lambda pbx: pbx.do("direct", "201", outcome="busy")),
    "10-blind-transfer-refer": (3, lambda pbx: pbx.do("direct", "201", transfer="blind", to="202", **ANSWERED)),
    "11-attended-transfer-refer-replaces": (4, lambda pbx: pbx.do("direct", "201", transfer="attended", to="202", **ANSWERED)),
    "12-hold-unhold-dtmf": (2, lambda pbx: pbx.do("direct", "201", hold=1.0, end="caller", **ANSWERED)),
    "05-queue-ringall-answered": (4, lambda pbx: (pbx.do("queue", "support", ["201", "202", "203"]), pbx.do("queued", "support", by="202", **ANSWERED))),
    "06-queue-abandon": (3, lambda pbx: (pbx.do("queue", "support", ["201", "202"]), pbx.do("queued", "support", outcome="abandoned"))),
    "05b-queue-two-callers-one-agent-ringnoanswer": (7, lambda pbx: (
        pbx.do("queue", "support", ["201", "202"], ring=6.0), pbx.do("queued", "support", by="201", rounds=1, answer=1.0, talk=8.0, end="caller"),
        time.sleep(0.2), pbx.do("queued", "support", outcome="abandoned", answer=2.0))),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_made_up_call_goes_as_the_recorded_one(stage, name):
    hangups, play = SCENES[name]
    play(stage.pbx)
    got, wanted = parts(stage.finish(hangups)), parts(recorded(name))
    assert set(got) == set(wanted)
    for part in wanted:
        assert sorted(got[part], key=str) == sorted(wanted[part], key=str), part
        if part != "bridges and transfers":
            assert got[part] == wanted[part], part


def test_every_event_has_the_recorded_headers_in_order(stage):
    shapes = collections.defaultdict(set)
    for name in (*SCENES, "07-queue-actions", "05c-queue-local-members", "20-device-and-hint-states"):
        for fields, names in blocks(template.recorded(name)[0]):
            shapes[fields["Event"]].add(names)
    got = []
    for hangups, play in SCENES.values():
        each = Stage(20.0)
        play(each.pbx)
        got += each.finish(hangups)
        each.pbx.close()
    seen = set()
    for fields, names in got:
        seen.add(fields["Event"])
        assert names in shapes[fields["Event"]], (fields["Event"], names, shapes[fields["Event"]])
    assert len(seen) >= 28, sorted(seen)


def test_the_queue_part_of_the_330_calls_of_the_load_recording(stage):
    """The caller's channel in the queue: what the recorded pbx said of each of its calls is what this one says."""
    inside = ("QueueCallerJoin", "QueueCallerLeave", "AgentCalled", "AgentConnect", "AgentComplete", "DialBegin", "DialEnd", "MusicOnHoldStart",
              "MusicOnHoldStop", "BridgeEnter", "BridgeLeave", "Hangup")

    def stories(found):
        queued, told = set(), collections.defaultdict(list)
        for fields, _ in found:
            channel = fields.get("Channel")
            if fields["Event"] == "QueueCallerJoin":
                queued.add(channel)
            if channel in queued and fields["Event"] in inside:
                told[channel].append((fields["Event"], fields.get("DialStatus"), fields.get("Queue") is not None))
        return collections.Counter(tuple(story) for story in told.values())
    wanted = stories(blocks(template.recorded("23-load-queue-local-agents")[0]))
    assert sum(wanted.values()) == 330
    stage.pbx.do("queue", "load", ["201", "202", "203"], strategy="rrmemory")
    for _ in range(3):
        stage.pbx.do("queued", "load", **ANSWERED)
    got = stories(stage.finish(6))
    assert sum(got.values()) == 3 and set(got) <= set(wanted), (got, wanted)


def test_lists_are_true_in_the_middle(stage):
    stage.pbx.do("queue", "support", ["201", "202"])
    stage.pbx.pbx.speed = 1.0
    linkedid = stage.pbx.do("queued", "support", number="+447700900777", talk=20.0, answer=20.0)
    other = stage.pbx.do("direct", "203", answer=0.1, talk=20.0)
    stage.client.read_until(b"Event: BridgeEnter\r\n")
    stage.client.read_until(b"Event: BridgeEnter\r\n")
    stage.client.drain()

    def listing(action, *pairs):
        stage.client.send(("Action", action), ("ActionID", "l"), *pairs)
        data = stage.client.read_until(b"EventList: Complete\r\n") + stage.client.read_until(b"\r\n\r\n")
        return [dict(template.headers(block + b"\r\n")) for block in data.split(b"\r\n\r\n") if b"Event: " in block][:-1]
    status = listing("Status", ("Variables", "did"))
    assert [(item["Linkedid"], item["ChannelStateDesc"]) for item in status] == [
        (linkedid, "Up"), (linkedid, "Ringing"), (linkedid, "Ringing"), (other, "Up"), (other, "Up")]
    assert status[3]["BridgeID"] == status[4]["BridgeID"] != "" and status[0]["DNID"] == "02079460100"
    wanted = next(names for fields, names in listed_shapes("19-initial-sync-two-calls", "Status"))
    assert [name for name in status[0] if name != "Variable"] == [name for name in dict.fromkeys(wanted) if name != "Variable"]
    channels = listing("CoreShowChannels")
    assert [item["BridgeId"] for item in channels] == [item["BridgeID"] for item in status]
    queue = listing("QueueStatus")
    assert [item["Event"] for item in queue] == ["QueueParams", "QueueMember", "QueueMember", "QueueEntry"]
    assert queue[0]["Calls"] == "1" and queue[1]["Status"] == "6" and queue[3]["Uniqueid"] == linkedid
    for kind in ("QueueParams", "QueueMember", "QueueEntry"):
        item = next(item for item in queue if item["Event"] == kind)
        assert set(item) == set(next(names for _, names in listed_shapes("19-initial-sync-two-calls", kind)))
    assert {item["Device"]: item["State"] for item in listing("DeviceStateList")}["PJSIP/203"] == "INUSE"
    assert {item["Exten"]: item["Status"] for item in listing("ExtensionStateList")} == {"201": "8", "202": "8", "203": "1"}
    assert [item["Available"] for item in listing("QueueSummary")] == ["0"]


def listed_shapes(name, kind):
    data = template.recorded(name)[0]
    for block in data.split(b"\r\n\r\n"):
        pairs = template.headers(block + b"\r\n")
        if pairs and pairs[0] == ("Event", kind):
            yield dict(pairs), tuple(name for name, _ in pairs)


@pytest.mark.parametrize("action, pairs, text", [
    ("QueueAdd", (("Queue", "support"), ("Interface", "PJSIP/203"), ("MemberName", "Peter")), "Added interface to queue"),
    ("QueueAdd", (("Queue", "support"), ("Interface", "PJSIP/201")), "Unable to add interface: Already there"),
    ("QueueAdd", (("Queue", "nosuch"), ("Interface", "PJSIP/203")), "Unable to add interface to queue: No such queue"),
    ("QueueAdd", (("Queue", "support"),), "'Interface' not specified."),
    ("QueueRemove", (("Queue", "support"), ("Interface", "PJSIP/203")), "Unable to remove interface: Not there"),
    ("QueueRemove", (("Queue", "nosuch"), ("Interface", "PJSIP/203")), "Unable to remove interface from queue: No such queue"),
    ("QueueRemove", (("Queue", "support"), ("Interface", "PJSIP/201")), "Member not dynamic"),
    ("QueuePause", (("Interface", "PJSIP/201"), ("Paused", "true"), ("Reason", "Obed")), "Interface paused successfully"),
    ("QueuePause", (("Interface", "PJSIP/999"), ("Paused", "true")), "Interface not found"),
    ("QueuePause", (("Queue", "support"), ("Interface", "PJSIP/201")), "Need 'Interface' and 'Paused' parameters."),
    ("QueuePenalty", (("Interface", "PJSIP/201"), ("Penalty", "x")), "Invalid interface, queuename or penalty"),
    ("QueuePenalty", (("Interface", "PJSIP/201"), ("Penalty", "3")), "Interface penalty set successfully"),
])
def test_queue_actions_answer_as_recorded(stage, action, pairs, text):
    stage.pbx.do("queue", "support", ["201", "202"])
    stage.client.drain()
    stage.client.send(("Action", action), ("ActionID", "q"), *pairs)
    answer = dict(template.headers(stage.client.read_until(b"Message: ") + stage.client.read_until(b"\r\n\r\n")))
    assert text.encode() in template.recorded("07-queue-actions")[0]
    while answer.get("Message") != text:
        answer = dict(template.headers(stage.client.read_until(b"\r\n\r\n")))


def test_a_paused_member_is_not_called_and_a_new_one_is(stage):
    stage.pbx.do("queue", "support", ["201", "202"])
    stage.client.send(("Action", "QueuePause"), ("Interface", "PJSIP/201"), ("Paused", "true"))
    stage.client.send(("Action", "QueueAdd"), ("Queue", "support"), ("Interface", "PJSIP/203"))
    stage.client.drain()
    stage.pbx.do("queued", "support", **ANSWERED)
    got = stage.finish(3)
    assert {fields["Interface"] for fields, _ in got if fields["Event"] == "AgentCalled"} == {"PJSIP/202", "PJSIP/203"}


def test_the_ledger_is_what_was_told(stage):
    """Every call of a mix, by its events alone."""
    pbx = stage.pbx
    pbx.pbx.extensions = [str(200 + i) for i in range(40)]
    pbx.do("queue", "support", [str(220 + i) for i in range(10)])
    pbx.mix(60.0, 100).result(30)
    exchange = pbx.pbx.exchange
    end = time.monotonic() + 30
    while exchange.tasks and time.monotonic() < end:
        time.sleep(0.05)
    assert not exchange.tasks and not [report for report in pbx.reports if "fault" in report]
    got = blocks(stage.client.drain())
    ended = {fields["Uniqueid"] for fields, _ in got if fields["Event"] == "Hangup"}
    rang = {fields["Uniqueid"] for fields, _ in got if fields["Event"] == "Newstate" and fields["ChannelStateDesc"] == "Ringing"}
    up = {fields["Uniqueid"] for fields, _ in got if fields["Event"] == "Newstate" and fields["ChannelStateDesc"] == "Up"}
    entries = list(exchange.ledger.values())
    assert len(entries) >= 95 and len({entry.disposition for entry in entries}) >= 4
    legs = {leg.uniqueid: leg for entry in entries for leg in entry.legs}
    begun = {fields["Uniqueid"] for fields, _ in got if fields["Event"] == "Newchannel" and fields["ChannelStateDesc"] == "Ring"}
    assert {leg.uniqueid for leg in legs.values() if leg.offered} == rang | begun & set(legs)
    assert {leg.uniqueid for leg in legs.values() if leg.answered} <= up
    assert set(legs) | {entry.linkedid for entry in entries} == ended
    for entry in entries:
        assert entry.ended and entry.ended >= entry.started and all(leg.ended <= entry.ended + 0.01 for leg in entry.legs)
        assert (entry.disposition == "answered") == (entry.answered is not None), entry


def test_outages(stage):
    pbx = stage.pbx
    pbx.pbx.speed = 1.0
    linkedid = pbx.do("direct", "201", answer=0.1, talk=30.0)
    stage.client.read_until(b"Event: BridgeEnter\r\n")
    pbx.do("freeze")
    stage.client.send(("Action", "Ping"), ("ActionID", "p"))
    stage.client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        while stage.client.socket.recv(65536):
            pass
    pbx.do("freeze", False)
    stage.client.data = b""
    assert b"Ping: Pong" in stage.client.read_until(b"Pong\r\n")
    stage.client.data = b""
    pbx.do("slow", 400)
    start = time.monotonic()
    stage.client.send(("Action", "ListCommands"), ("ActionID", "p"))
    stage.client.read_until(b"ActionID: p\r\n")
    stage.client.read_until(b"Priv: ")
    stage.client.read_until(b"Priv: ")
    stage.client.read_until(b"\r\n")
    assert time.monotonic() - start > 0.2
    pbx.do("restart")
    with pytest.raises((EOFError, ConnectionResetError)):
        while True:
            stage.client.read_until(b"\r\n\r\n")
    entry = pbx.pbx.exchange.ledger[linkedid]
    assert entry.ended and entry.legs[0].cause == "lost" and pbx.pbx.exchange.channels == {}
    fresh = pbx.do("direct", "201")
    assert int(fresh.split(".")[0]) > int(linkedid.split(".")[0])
