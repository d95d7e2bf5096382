"""Agent state without a client of ours: ad-hoc commands (XEP-0050) and chat lines to pbx@COMPONENT, against Asterisk's own list of members."""
import xml.etree.ElementTree as ET

import pytest
from company import ANNA, PAVEL
from conftest import SETS, need
from desks import Floor, agree
from lab.client import error_of
from lab.process import wait_until

COMMANDS = "http://jabber.org/protocol/commands"
DATA = "jabber:x:data"


@pytest.fixture(scope="module", params=SETS)
def floor(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Floor(**options)
    running.admin = running.site.client("admin")
    yield running
    running.stop()


@pytest.fixture
def calm(floor):
    floor.calm()
    yield floor
    floor.calm()


def offered(client) -> set:
    answer = client.request(f"<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>", kind="get")
    return {item.get("node") for item in answer.iter("{http://jabber.org/protocol/disco#items}item")}


def run(client, node: str, **fields) -> ET.Element:
    """As a client that shows forms does: execute, fill in, complete. The last <command/>."""
    answer = client.request(f"<command xmlns='{COMMANDS}' node='{node}' action='execute'/>", timeout=15)
    assert not error_of(answer), ET.tostring(answer)
    command = answer.find(f"{{{COMMANDS}}}command")
    if command.get("status") == "completed":
        return command
    filled = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in fields.items())
    answer = client.request(f"<command xmlns='{COMMANDS}' node='{node}' sessionid='{command.get('sessionid')}'>"
                            f"<x xmlns='{DATA}' type='submit'>{filled}</x></command>", timeout=15)
    assert not error_of(answer), ET.tostring(answer)
    return answer.find(f"{{{COMMANDS}}}command")


def note(command: ET.Element) -> tuple:
    found = command.find(f"{{{COMMANDS}}}note")
    return found.get("type"), found.text


def test_a_standard_client_signs_in_pauses_and_signs_out_by_commands(calm):
    anna = calm.desk("anna")
    assert {"login", "ready", "not-ready", "logout", "dial"} <= offered(anna.client) and "agents" not in offered(anna.client)
    assert note(run(anna.client, "login", seat="")) == ("info", "You are ready.")
    agree(anna, "ready")
    assert note(run(anna.client, "not-ready", reason="lunch")) == ("info", "You are not ready (Lunch break).")
    agree(anna, "not-ready", reason="lunch")
    assert note(run(anna.client, "ready"))[0] == "info"
    agree(anna, "ready")
    assert note(run(anna.client, "logout")) == ("info", "You are logged out.")
    agree(anna, "logged-out")


def test_what_a_command_could_not_do_is_said_in_its_note(calm):
    kind, text = note(run(calm.desk("david").client, "ready"))
    assert kind == "error" and "no-such-queue" in text
    anna = calm.desk("anna")
    anna.set(state="ready")
    calm.queues.pause("201", True, reason="*45")
    anna.wait("not-ready", reason="*45")
    kind, text = note(run(anna.client, "ready"))
    assert kind == "error" and "paused by another program (*45)" in text


def test_administrators_see_all_agents_and_set_their_states(calm):
    anna = calm.desk("anna")
    assert {"agents", "set-agent-state"} <= offered(calm.admin)
    assert note(run(calm.admin, "set-agent-state", jid=ANNA, state="ready"))[0] == "info"
    agree(anna, "ready", by="admin@example.org")
    table = run(calm.admin, "agents").find(f"{{{DATA}}}x")
    rows = [{field.get("var"): field.find(f"{{{DATA}}}value").text for field in item} for item in table.findall(f"{{{DATA}}}item")]
    assert {row["jid"]: row["state"] for row in rows}[ANNA] == "ready."
    kind, text = note(run(calm.admin, "set-agent-state", jid="nobody@example.org", state="ready"))
    assert kind == "error" and "nobody@example.org" in text
    answer = anna.client.request(f"<command xmlns='{COMMANDS}' node='set-agent-state'/>")
    assert error_of(answer) == "forbidden"


def table(command: ET.Element) -> list:
    """The rows of a result, as a dict each."""
    found = command.find(f"{{{DATA}}}x")
    return [{field.get("var"): field.find(f"{{{DATA}}}value").text for field in item} for item in found.findall(f"{{{DATA}}}item")]


def test_an_operator_sees_and_ends_and_passes_on_a_call_by_commands(calm):
    anna = calm.desk("anna")
    assert {"calls", "hangup", "transfer"} <= offered(anna.client)
    assert note(run(anna.client, "hangup", call="")) == ("error", "You have no call.")
    caller = calm.inbound("201", PAVEL)
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    anna.client.expect(state="answered")
    rows = table(run(anna.client, "calls"))
    assert [(row["state"], row["direction"]) for row in rows] == [("answered", "inbound")] and PAVEL in rows[0]["party"]
    kind, text = note(run(anna.client, "transfer", call="", mode="blind", to="+420900123456"))
    assert kind == "error" and "may not be called" in text
    assert note(run(anna.client, "transfer", call="", mode="blind", to="202")) == ("info", "Transferred.")
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    boris = calm.desk("boris")
    wait_until(lambda: table(run(boris.client, "calls")), 10, "Boris has the call")
    assert table(run(anna.client, "calls")) == []
    assert note(run(boris.client, "hangup", call="")) == ("info", "Hung up.")
    calm.phone("202").wait("idle")
    wait_until(lambda: {("transfer-blind", "done"), ("hangup", "done")} <= {
        (row["action"], row["outcome"]) for row in calm.site.database.rows("SELECT action, outcome FROM cti_dial WHERE action <> 'dial'")},
        10, "both are in the audit")


ADMINISTRATORS = {"status", "operators", "services", "explain", "reload", "dialing"}


def test_administrators_see_and_switch_what_nobody_else_may(calm):
    anna = calm.desk("anna")
    assert ADMINISTRATORS <= offered(calm.admin) and not ADMINISTRATORS & offered(anna.client)
    for node in ADMINISTRATORS:
        assert error_of(anna.client.request(f"<command xmlns='{COMMANDS}' node='{node}'/>")) == "forbidden"
    lines = "\n".join(row["line"] or "" for row in table(run(calm.admin, "status")))
    assert "pbx:hq       up" in lines and "Dialling   on" in lines
    assert {row["jid"]: row["extension"] for row in table(run(calm.admin, "operators"))}[ANNA] == "201"
    assert {row["name"]: row["queue"] for row in table(run(calm.admin, "services"))}["help line"] == "help"
    assert any(ANNA in (row["line"] or "") for row in table(run(calm.admin, "explain", of=ANNA)))
    assert note(run(calm.admin, "reload"))[0] == "info"


def test_dialling_is_switched_off_for_everybody_and_stays_off_over_a_restart(calm):
    anna = calm.desk("anna")
    assert note(run(calm.admin, "dialing", state="off", pbx=""))[0] == "info"
    try:
        for _ in range(2):
            answer = anna.client.dial(PAVEL)
            assert error_of(answer) == "not-acceptable", ET.tostring(answer)
            assert b"switched-off" in ET.tostring(answer) and b"dialling is switched off since" in ET.tostring(answer)
            assert "dialling is switched off" in say(anna.client, "dial 202")
            assert [row["state"] for row in table(run(calm.admin, "dialing", state="", pbx=""))] == ["off"]
            assert "OFF everywhere" in calm.site.daemon.command("status").stdout
            calm.site.daemon.kill()
            calm.site.daemon.start()
        assert calm.phone("201").idle
        done = calm.site.daemon.command("dialing")
        assert done.returncode == 1 and "OFF everywhere" in done.stdout, (done.stdout, done.stderr)
        assert calm.site.daemon.command("dialing", "on", "elsewhere").returncode == 2
    finally:
        done = calm.site.daemon.command("dialing", "on")
    assert done.returncode == 0 and "on" in done.stdout, (done.stdout, done.stderr)
    assert not error_of(anna.client.dial("202"))
    calm.phone("201").wait("ringing")


def say(client, text: str, to: str = "pbx@cti.example.org") -> str:
    """Writes a line; the line that answers it."""
    before = len(client.notices)
    client.raw(f"<message to='{to}' type='chat'><body>{text}</body></message>")

    def answers():
        return [n for n in client.notices[before:] if n.sender.split("/")[0] == "pbx@cti.example.org"]
    found = wait_until(answers, 10, f"an answer to {text!r}")
    assert found[0].type == "chat"
    return found[0].body


def test_a_chat_line_does_the_same(calm):
    anna = calm.desk("anna")
    assert say(anna.client, "login") == "You are ready."
    agree(anna, "ready")
    assert say(anna.client, "Pause Lunch break") == "You are not ready (Lunch break)."
    agree(anna, "not-ready", reason="lunch")
    assert "lunch, meeting" in say(anna.client, "pause siesta")
    assert say(anna.client, "state") == "You are not ready (Lunch break)."
    assert say(anna.client, "ready") == "You are ready."
    agree(anna, "ready")
    assert "dial NUMBER" in say(anna.client, "help")
    assert "You may write" in say(anna.client, "what?")
    assert say(anna.client, "logout") == "You are logged out."
    agree(anna, "logged-out")


def test_a_chat_line_dials(calm):
    anna = calm.desk("anna")
    assert say(anna.client, f"dial {PAVEL}") == f"Calling {PAVEL}; your phone rings first."
    calm.phone("201").wait("ringing")
    assert anna.client.expect(state="dialing").party.get("number") == PAVEL
    calm.phone("201").hangup()
    anna.client.expect(state="ended")
    calm.phone("201").wait("idle")
    assert say(anna.client, "dial +420900123456") == "+420900123456 may not be called from here"
    assert calm.phone("201").idle


def said_later(client, words: str) -> list:
    """Chat lines that came without being asked for."""
    def found():
        return [n.body for n in client.notices if n.sender.split("/")[0] == "pbx@cti.example.org" and words in n.body]
    return wait_until(found, 20, f"a line with {words!r}, not only {[n.body for n in client.notices]}")


def test_a_chat_line_that_dialled_is_told_when_no_phone_rings(calm):
    david = calm.desk("david")                  # his phone is not registered
    assert say(david.client, f"dial {PAVEL}") == f"Calling {PAVEL}; your phone rings first."
    assert said_later(david.client, "was not called") == [f"{PAVEL} was not called: your phone did not ring. Is it switched on and registered?"]
    assert calm.site.provider.calls == []


def test_a_chat_line_that_dialled_is_told_of_a_busy_number_and_of_no_answered_call(calm):
    anna = calm.desk("anna")
    calm.site.provider.behave(PAVEL.replace("+", "00"), 486)
    calm.phone("201").behaviour = 0
    assert say(anna.client, f"dial {PAVEL}").startswith("Calling")
    assert said_later(anna.client, "ended") == [f"The call to {PAVEL} ended: busy."]
    calm.site.provider.behaviour.clear()
    calm.phone("201").wait("idle")
    anna.client.clear()
    assert say(anna.client, f"dial {PAVEL}").startswith("Calling")
    anna.client.expect(state="answered")
    calm.phone("201").hangup()
    anna.client.expect(state="ended")
    calm.phone("201").wait("idle")
    assert say(anna.client, "state") == "You are logged out."
    assert not [n for n in anna.client.notices if "The call to" in (n.body or "")]


def test_who_is_no_operator_is_told_so_once(calm):
    stranger = calm.site.client("stranger")
    try:
        assert "not an operator" in say(stranger, "login")
        stranger.clear()
        stranger.raw("<message to='pbx@cti.example.org' type='chat'><body>login</body></message>")
        assert error_of(stranger.request(f"<command xmlns='{COMMANDS}' node='login'/>")) == "forbidden"
        assert stranger.notices == []       # the line before the command got no second answer
    finally:
        stranger.stop()
        calm.site.clients.remove(stranger)
