"""What an operator does with calls and queues, from the page to a real Asterisk with phones that take commands and back."""
import pytest
from company import PAVEL
from conftest import need
from lab.process import wait_until


@pytest.fixture(scope="module")
def desks(pages):
    """tests/e2e's company for call control."""
    need("asterisk-22")
    control = pytest.importorskip("test_call_control", reason="this version has no call control")
    running = control.Desks(asterisk=(22,), users=("boris",))
    yield running
    running.stop()


@pytest.fixture
def control(desks, pages):
    for phone in desks.phones.values():
        phone.obeys, phone.behaviour = True, "manual"
        phone.calls.clear()
    desks.calm()
    pages.reach(desks.xmpp, "websocket")
    yield desks
    desks.calm()


@pytest.fixture(scope="module")
def floor(pages):
    """tests/e2e's company whose operators work in queues."""
    need("asterisk-22")
    agents = pytest.importorskip("desks", reason="this version has no agents")
    running = agents.Floor(asterisk=(22,))
    yield running
    running.stop()


@pytest.fixture
def queues(floor, pages):
    pages.reach(floor.xmpp, "websocket")
    return floor


def act(tab, name: str):
    tab.click(f".call [data-action='{name}']:not(:disabled)")


def test_answer_hold_resume_and_hang_up(control, tab):
    anna = tab.sign_in("anna").online()
    caller = control.inbound("201")
    anna.state("ringing")
    control.phone("201").wait("ringing")
    act(anna, "answer")
    control.phone("201").wait("talking")
    anna.state("answered")
    act(anna, "hold")
    anna.state("held")
    assert control.phone("201").calls[-1].held_at
    anna.picture("held")
    act(anna, "unhold")
    anna.state("answered")
    act(anna, "hangup")
    caller.wait("ended")
    anna.see_no(".call")
    assert anna.all(".notices p") == []


def test_transfer_at_once_and_after_asking(control, tab):
    anna = tab.sign_in("anna").online()
    for mode in ("Transfer now", "Ask first"):
        caller = control.inbound("201")
        anna.state("ringing")
        control.phone("201").wait("ringing")
        control.phone("201").accept()
        anna.state("answered")
        act(anna, "transfer")
        anna.type(".transfer input", "boris")
        anna.click(".transfer .people button", "202")
        anna.picture("transfer-real")
        anna.click(".transfer button", mode)
        control.phone("202").wait("ringing")
        control.phone("202").accept()
        if mode == "Ask first":
            act(anna, "complete")
        anna.see_no(".call")
        control.phone("202").wait("talking")
        control.phone("201").wait("idle")
        caller.hangup()
        control.phone("202").wait("idle")


def test_missed_call_in_the_servers_list_claimed_and_a_note(control, tab):
    anna = tab.sign_in("anna").online()
    caller = control.inbound("201", PAVEL)
    anna.state("ringing")
    caller.hangup()
    anna.see_no(".call")
    anna.click(".tabs button", "Missed")
    entry = anna.see(".past", "Pavel")
    assert "Since this page" not in anna.text(".lists")
    call = anna.see(".last").get_attribute("data-id")
    anna.type(".last textarea", "Call him back on Monday")
    anna.click(".last button", "Save")
    anna.see(".last [role='status']", "Saved")
    assert wait_until(lambda: control.database.rows("SELECT note FROM cti_call WHERE id = %s AND note IS NOT NULL", call), 10, "the note is in the row")[0]["note"] == "Call him back on Monday"
    next(button for button in entry.find_elements("tag name", "button") if button.text == "I take it").click()
    anna.see(".past", "takes it")
    assert [row["jid"] for row in control.database.rows("SELECT jid FROM cti_claim WHERE `call` = %s", call)] == ["anna@example.org"]


def test_ready_not_ready_and_out_of_the_queues(queues, tab):
    anna = tab.sign_in("anna").online()
    anna.see(".agent-state", "Signed out")
    anna.click("[data-agent-action='ready']:not(:disabled)")
    anna.see(".agent-state", "Ready")
    assert {one.text.split()[0] for one in anna.all(".services [data-service='in']")} == {"help", "order"}
    anna.choose(".agent select", "lunch")
    anna.click("[data-agent-action='not-ready']:not(:disabled)")
    anna.see(".agent-state", "Not ready")
    assert "Lunch break" in anna.text(".agent")
    anna.click("[data-agent-action='ready']:not(:disabled)")
    anna.see(".agent-state", "Ready")
    anna.picture("agent-real")
    anna.reload().online()
    anna.see(".agent-state", "Ready")
    anna.click("[data-agent-action='logged-out']:not(:disabled)")
    anna.see(".agent-state", "Signed out")
    assert anna.all(".notices p") == []


def test_after_call_work_counts_down_and_ends(queues, tab):
    import desks
    anna = tab.sign_in("anna").online()
    anna.click("[data-agent-action='ready']:not(:disabled)")
    anna.see(".agent-state", "Ready")
    caller = queues.provider.call(desks.HELP_LINE, PAVEL)
    anna.state("ringing")
    assert "help line" in anna.text(".call .facts")
    queues.phone("201").wait("ringing")
    queues.phone("201").accept()
    anna.see(".agent-state", "Talking")
    caller.hangup()
    anna.see(".agent-state", "After-call work")
    assert "left" in anna.text(".agent-state .time")
    anna.see(".agent-state", "Ready")
    anna.click("[data-agent-action='logged-out']:not(:disabled)")
    anna.see(".agent-state", "Signed out")
