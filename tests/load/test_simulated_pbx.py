"""The simulated pbx says what the recorded Asterisk said, and fails as told."""
import json
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from load import pbx as simulated, template   # noqa: E402
from load.client import Client                # noqa: E402


@pytest.fixture
def pbx():
    each = simulated.Simulated(speed=20.0).start()
    yield each
    each.close()


def shape(block: bytes) -> list[tuple[str, str]]:
    """What must be equal to the recording: the event, its headers in order, and the values that are not a call's own."""
    own = {"Channel", "DestChannel", "Uniqueid", "DestUniqueid", "Linkedid", "DestLinkedid", "BridgeUniqueid", "CallerIDNum", "CallerIDName",
           "ConnectedLineNum", "ConnectedLineName", "DestCallerIDNum", "DestCallerIDName", "DestConnectedLineNum", "DestConnectedLineName",
           "Exten", "Extension", "DestExten", "Device", "Hint", "AppData", "Value", "CallerID", "Source", "Destination", "DestinationChannel", "UniqueID",
           "LastData", "DialString", "Interface", "StateInterface", "Location", "LinkedId", "CrmId", "ActionID"}
    return [(name, "" if name in own else value) for name, value in template.headers(block)]


@pytest.mark.parametrize("kind", template.INBOUND)
def test_a_call_has_the_recorded_events(pbx, kind):
    recorded = template.inbound(kind).blocks
    client = Client(pbx.ami)
    assert b"Success" in client.login()
    client.read_until(b"Fully Booted\r\n\r\n")
    linkedid = pbx.call("202", "+447700900999", "Ben Fox", kind)
    played = client.events(len(recorded))
    assert [shape(block) for block in played] == [shape(block.data) for block in recorded]
    everything = b"".join(played).decode()
    # Nothing of the recorded call is left, and the call's own names are there.
    original = template.inbound(kind)
    for word in [*original.uniqueids, *original.channels, *original.bridges, original.dialed, "PJSIP/201"]:
        assert word not in everything, word
    assert "nonymous" not in everything
    assert f"Linkedid: {linkedid}" in everything
    assert "CallerIDNum: +447700900999\r\nCallerIDName: Ben Fox\r\n" in everything
    ringing = [block for block in played if template.header(block, "ChannelStateDesc") == "Ringing"
               and template.header(block, "Event") == "Newstate"]
    assert [template.header(block, "Channel")[:10] for block in ringing] == ["PJSIP/202-"]
    assert pbx.pbx.channels == {}


def test_two_calls_at_once_share_no_channel(pbx):
    client = Client(pbx.ami)
    client.login("call")
    first, second = pbx.call("201"), pbx.call("202")
    ended = []
    channels = {first: set(), second: set()}
    while len(ended) < 4:
        block = client.read_until(b"\r\n\r\n")
        if template.header(block, "Linkedid"):
            channels[template.header(block, "Linkedid")].add(template.header(block, "Channel"))
        if template.header(block, "Event") == "Hangup":
            ended.append(block)
    assert len(channels[first]) == len(channels[second]) == 2
    assert not channels[first] & channels[second]


def test_the_mask_holds_back_what_was_not_asked_for(pbx):
    client = Client(pbx.ami)
    client.login("call,agent")
    pbx.call("201")
    seen = [client.read_until(b"\r\n\r\n")]
    while not any(template.header(block, "Event") == "Hangup" for block in seen[-1:]):
        seen.append(client.read_until(b"\r\n\r\n"))
    assert {template.header(block, "Privilege") for block in seen} <= {"call,all", "agent,all"}
    assert not any(template.header(block, "Event") in ("VarSet", "Newexten", "FullyBooted") for block in seen)


def test_status_lists_the_calls_that_are_up():
    each = simulated.Simulated(speed=1.0).start()
    client = Client(each.ami)
    client.login("off")
    linkedid = each.call("203", "+447700900111")
    time.sleep(0.3)
    client.send(("Action", "Status"), ("ActionID", "s"), ("Variables", "FROM_DID"))
    listing = client.read_until(b"ListItems: 2\r\n\r\n").decode()
    assert f"Linkedid: {linkedid}" in listing and "ChannelStateDesc: Ringing" in listing and "Variable: FROM_DID=" in listing
    each.close()


def test_originate_plays_the_recorded_click_to_dial(pbx):
    client = Client(pbx.ami)
    client.login("call")
    answer = client.ask("Originate", ("Channel", "PJSIP/203"), ("Context", "x"), ("Exten", "07700900777"), ("Priority", 1),
                        ("ChannelId", "ctd-abc"), ("Async", "true"), ("Variable", "CDR(crmid)=12x9"))
    assert b"Originate successfully queued" in answer
    text = client.read_until(b"Event: OriginateResponse\r\n") + client.read_until(b"\r\n\r\n")
    response = dict(template.headers(text.rpartition(b"Event: OriginateResponse\r\n")[2]))
    assert (response["ActionID"], response["Response"], response["Uniqueid"], response["Exten"]) == ("x", "Success", "ctd-abc", "07700900777")
    assert b"Uniqueid: ctd-abc" in text and b"PJSIP/203-" in text


@pytest.mark.parametrize("kind, reason", [("agent-busy", "0"), ("agent-not-registered", "0"), ("agent-no-answer", "3")])
def test_originate_fails_as_recorded(kind, reason):
    each = simulated.Simulated(speed=20.0, originate_as=kind).start()
    client = Client(each.ami)
    client.login("call")
    client.ask("Originate", ("Channel", "PJSIP/201"), ("Exten", "07700900777"), ("ChannelId", "ctd-1"), ("Async", "true"))
    client.read_until(b"Event: OriginateResponse\r\n")
    response = dict(template.headers(client.read_until(b"\r\n\r\n")))
    assert (response["Response"], response["Reason"]) == ("Failure", reason)
    each.close()


def test_hangup_ends_the_call(pbx):
    client = Client(pbx.ami)
    client.login("call")
    pbx.pbx.speed = 0.1
    linkedid = pbx.call("201")
    client.read_until(b"ChannelStateDesc: Ringing\r\n")
    client.send(("Action", "Hangup"), ("ActionID", "h"), ("Channel", linkedid))
    text = client.read_until(b"Message: Channel Hungup\r\n\r\n")
    assert text.count(b"Event: Hangup\r\n") == 2
    assert b"No such channel" in client.ask("Hangup", ("Channel", linkedid))


def test_wrong_password_is_refused_after_a_second_and_closed(pbx):
    client = Client(pbx.ami)
    start = time.monotonic()
    assert b"Authentication failed" in client.login(secret="wrong")
    assert time.monotonic() - start > 0.9
    assert client.rest() == b""


def test_actions_without_login_or_right_are_denied():
    each = simulated.Simulated(write={"call"}).start()
    client = Client(each.ami)
    client.read_until(b"\r\n")
    assert b"Permission denied" in client.ask("Ping")
    client.data = b""
    other = Client(each.ami)
    other.login("off")
    assert b"Permission denied" in other.ask("Originate", ("Channel", "PJSIP/201"), ("Exten", "1"))
    assert b"Invalid/unknown command: Nonsense" in other.ask("Nonsense")
    each.close()


def test_faults_happen(pbx):
    pbx.faults.silent = True
    client = Client(pbx.ami)
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    pbx.faults.silent = False

    pbx.faults.banner = b"SSH-2.0-x\r\n"
    assert Client(pbx.ami).read_until(b"\r\n") == b"SSH-2.0-x\r\n"
    pbx.faults.banner = simulated.BANNER

    client = Client(pbx.ami)
    client.login("call")
    pbx.do("cut", 700)
    pbx.call("201")
    with pytest.raises(EOFError) as end:
        client.read_until(b"never")
    assert len(end.value.args[0]) == 700 and not end.value.args[0].endswith(b"\r\n\r\n")

    client = Client(pbx.ami)
    client.login("system")
    client.read_until(b"Fully Booted\r\n\r\n")
    pbx.faults.shutting_down = True
    assert b"Asterisk is shutting down" in client.ask("Ping")
    pbx.do("shutdown")
    assert b"Event: Shutdown" in client.rest()

    pbx.stop()
    with pytest.raises(ConnectionRefusedError):
        Client(pbx.ami)


def test_fully_booted_comes_late_when_told(pbx):
    pbx.faults.boot_delay = 0.4
    client = Client(pbx.ami)
    client.login("system")
    start = time.monotonic()
    client.read_until(b"FullyBooted")
    assert time.monotonic() - start > 0.3


def test_it_generates_the_load_asked_for(pbx):
    client = Client(pbx.ami)
    client.login("off")
    start = time.monotonic()
    pbx.load(50.0, 40).result(10)
    assert 0.7 < time.monotonic() - start < 3
    time.sleep(0.6)
    calls = [report for report in pbx.reports if "number" in report]
    rings = [report for report in pbx.reports if "ring" in report]
    assert len(calls) == 40 and len({report["call"] for report in calls}) == 40
    assert {report["extension"] for report in calls} == {"201", "202", "203"}
    assert len(rings) == 0, "with the mask off nothing is written, so nothing rings"


def test_the_command_reports_rings_with_their_time():
    script = pathlib.Path(__file__).parent / "simulate"
    child = subprocess.Popen([str(script), "--speed", "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(child.stdout.readline())["listening"]
        client = Client(port)
        client.login("call")
        child.stdin.write('{"do": "call", "with": {"extension": "201"}}\n')
        child.stdin.flush()
        while "ring" not in (report := json.loads(child.stdout.readline())):
            pass
        assert report["extension"] == "201" and abs(time.monotonic_ns() - report["at_ns"]) < 5e9
        child.stdin.close()
        assert child.wait(10) == 0
    finally:
        child.kill()
