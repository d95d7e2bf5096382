"""A number is clicked: the own phone rings first, the number is dialled, and both answers are true."""
import time

import pytest
from company import ANNA, PAVEL, states
from lab.client import NS, error_of


def dialled(calm, number, **options):
    answer = calm.anna.dial(number, **options)
    assert error_of(answer) == "", answer
    call = answer.find(f"{{{NS}}}call")
    assert call.get("id").startswith("hq:ctd-") and call.get("state") == "dialing"
    return call.get("id")


def outside(number: str) -> str:
    """What the dialplan gets: the configuration's rewrite of +420."""
    return "00420" + number.removeprefix("+420")


def test_answered_call_from_click_to_rows(calm):
    calm.provider.behave(outside(PAVEL), "manual")
    call = dialled(calm, PAVEL, record=("Contacts", "120"))
    phone = calm.phone("201")
    phone.wait("ringing")
    first = calm.anna.expect(state="dialing")
    assert (first.id, first.direction, first.extension) == (call, "outbound", "201")
    assert first.party.get("number") == PAVEL and [m.get("id") for m in first.matches] == ["120"]
    phone.accept()
    far = calm.provider.taken(outside(PAVEL))
    far.ring()
    calm.anna.expect(state="dialing", where=lambda n: n.child("far-end") is not None)
    far.answer()
    calm.anna.expect(state="answered", leg=first.leg)
    time.sleep(1.2)
    far.hangup()
    ended = calm.anna.expect(state="ended", leg=first.leg)
    assert ended.cause == "hangup"
    assert states(calm.anna, first.leg)[-2:] == ["answered", "ended"]

    row = calm.call_row(call)
    assert (row["direction"], row["caller_number"], row["dialed_number"], row["disposition"]) == ("outbound", "201", PAVEL, "answered")
    assert (row["module"], str(row["record"])) == ("Contacts", "120") and 1000 <= row["talk_ms"] < 6000
    [leg] = calm.leg_rows(call, 1)
    assert (leg["jid"], leg["cause"]) == (ANNA, "hangup")
    crm = calm.crm_row(call, "completed")
    assert (crm["direction"], str(crm["customer"]), crm["customertype"], str(crm["user"]), crm["smownerid"]) == ("outbound", "120", "Contacts", "5", 5)
    dial = calm.database.rows("SELECT * FROM cti_dial WHERE jid = %s", ANNA)
    assert any(call.removeprefix("hq:") in str(value) or call == value for entry in dial for value in entry.values()), dial


def test_record_reaches_asterisks_own_log(calm):
    """CDR(crmid) is set for the dialled party's record."""
    number = outside(PAVEL)
    calm.provider.behave(number, "manual")
    dialled(calm, PAVEL, record=("Contacts", "120"))
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.provider.taken(number).answer()
    calm.anna.expect(state="answered")
    names = [line.split("!")[0] for line in calm.pbx.cli("core show channels concise").splitlines() if "201-" in line]
    assert any("crmid=120" in calm.pbx.cli(f"core show channel {name}") for name in names), names


def test_far_end_is_busy(calm):
    calm.provider.behave(outside(PAVEL), 486)
    call = dialled(calm, PAVEL)
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    ended = calm.anna.expect(timeout=15, state="ended")
    assert ended.cause == "busy" and ended.id == call
    assert calm.call_row(call)["disposition"] == "busy"
    calm.crm_row(call, "busy")


def test_far_end_does_not_answer_and_the_operator_gives_up(calm):
    calm.provider.behave(outside(PAVEL), "silent")
    call = dialled(calm, PAVEL)
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="dialing", where=lambda n: n.child("far-end") is not None)
    calm.phone("201").hangup()
    assert calm.anna.expect(state="ended").cause in ("cancelled", "no-answer")
    assert calm.call_row(call)["disposition"] == "no-answer"
    calm.crm_row(call, "no-answer")


def test_own_phone_is_not_answered(calm):
    call = dialled(calm, PAVEL)
    calm.phone("201").wait("ringing")
    ended = calm.anna.expect(timeout=15, state="ended")        # dial.timeout is 6 s
    assert ended.cause == "no-answer"
    assert calm.call_row(call)["disposition"] == "no-answer"
    assert not [c for c in calm.provider.calls if c.from_pbx and c.state != "ended"]    # the customer was never called


def test_own_phone_is_busy(calm):
    calm.phone("201").behaviour = "busy"
    call = dialled(calm, PAVEL)
    assert calm.anna.expect(state="ended").cause in ("busy", "rejected")
    assert calm.call_row(call)["disposition"] == "busy"


def test_own_phone_is_not_registered(calm):
    david = calm.site.client("david")
    try:
        answer = david.dial(PAVEL)
        if not error_of(answer):
            call = answer.find(f"{{{NS}}}call").get("id")
            assert david.expect(state="ended").cause == "failed"
            assert calm.call_row(call)["disposition"] == "failed"
    finally:
        david.stop()
        calm.site.clients.remove(david)


def test_hangup_while_the_own_phone_rings(calm):
    call = dialled(calm, PAVEL)
    calm.phone("201").wait("ringing")
    leg = calm.anna.expect(state="dialing").leg
    answer = calm.anna.request(f"<hangup xmlns='{NS}' id='{call}' leg='{leg}'/>")
    assert error_of(answer) == ""
    assert calm.anna.expect(state="ended").cause == "cancelled"
    calm.phone("201").wait("idle")


def test_colleague_by_extension(calm):
    call = dialled(calm, "202")
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.boris.expect(state="ringing")
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    calm.anna.expect(state="answered")
    calm.boris.expect(state="answered")
    calm.phone("202").hangup()
    calm.anna.expect(state="ended")
    assert calm.call_row(call)["direction"] == "internal"


@pytest.mark.parametrize("written", ["tel:+420736763072", "+420 736 763 072", "00420 736-763-072", "736 763 072", "+420 (0)736/763.072"])
def test_numbers_as_people_write_them(calm, written):
    call = dialled(calm, written)
    calm.phone("201").wait("ringing")
    calm.phone("201").hangup()
    calm.anna.expect(state="ended")
    assert calm.call_row(call)["dialed_number"] == PAVEL


@pytest.mark.parametrize("number, condition", [
    ("1-800-FLOWERS", "bad-request"), ("hello", "bad-request"), ("", "bad-request"), ("201&amp;PJSIP/202", "bad-request"),
    ("+420900123456", "not-acceptable"), ("+1 212 555 0123", "not-acceptable"),
])
def test_refusals_name_their_rule(calm, number, condition):
    answer = calm.anna.dial(number)
    assert error_of(answer) == condition
    if condition == "not-acceptable":
        assert any(e.tag.endswith("}denied") and e.get("rule") for e in answer.iter())
    assert any(e.tag.endswith("}text") and e.text for e in answer.iter())
    assert calm.phone("201").idle


def test_strangers_may_not_dial(calm):
    stranger = calm.site.client("stranger")
    try:
        assert error_of(stranger.dial(PAVEL)) == "forbidden"
    finally:
        stranger.stop()
        calm.site.clients.remove(stranger)


def test_concurrent_calls_are_capped(calm):
    for number in (PAVEL, "+420601234567"):
        dialled(calm, number)
    assert error_of(calm.anna.dial("+420602000002")) == "resource-constraint"


def test_calls_and_me(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    answer = calm.anna.request(f"<calls xmlns='{NS}'/>", "get")
    calls = answer.find(f"{{{NS}}}calls")
    assert calls.get("epoch") == pop.epoch and [c.get("leg") for c in calls.findall(f"{{{NS}}}call")] == [pop.leg]
    me = calm.anna.request(f"<me xmlns='{NS}'/>", "get").find(f"{{{NS}}}me")
    assert (me.get("pbx"), me.get("extension")) == ("hq", "201")
