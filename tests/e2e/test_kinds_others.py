"""Hold, pickup, parking, conference, voicemail, forwarding, second calls at a real Asterisk with FreePBX's dialplan."""
import pytest
from company import ANNA, BORIS, FILIP, NOBODY, PAVEL
from kinds import either_dialplan, inbound, internal, young
from lab.process import wait_until

ANSWERED, MISSED = "ringing answered ended", "ringing ended"
OWN = "dialing answered ended"


def talk(kinds, extension: str, line: str = "02079460"):
    caller = kinds.provider.call(line + extension, PAVEL)
    kinds.answer(extension)
    return caller


@pytest.mark.parametrize("extension", ["201", "202"])      # two makes of phone
def test_hold_and_resume(kinds, extension):
    caller = talk(kinds, extension)
    kinds.phone(extension).hold()
    kinds.pause(0.6)
    kinds.phone(extension).resume()
    kinds.pause(0.6)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", legs=[(extension, "ringing answered held answered ended", "hangup")]))


def test_caller_gives_up_on_hold(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").hold()
    kinds.pause(0.6)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", legs=[("201", "ringing answered held ended", "hangup")]))


@either_dialplan
@pytest.mark.parametrize("code", ["**201", "*8"])
def test_pickup(kinds, code, line):
    caller = kinds.provider.call(line + "201", PAVEL)
    kinds.ring("201")
    kinds.phone("205").dial(code).wait("answered")
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=FILIP, legs=[("201", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", code))


def test_pickup_of_a_queue_call(kinds):
    caller = kinds.provider.call("02079460652", PAVEL)
    kinds.ring("201", "202")
    kinds.phone("205").dial("**201").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.phone("202").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(queue="652", disposition="answered", answered_by=FILIP,
                        legs=[("201", MISSED, "answered-elsewhere"), ("202", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**201"))


def test_pickup_of_a_queue_call_at_a_local_member(kinds):
    caller = kinds.provider.call("02079460650", PAVEL)
    kinds.ring("201", "202")
    kinds.phone("205").dial("**202").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.phone("202").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(queue="650", disposition="answered", answered_by=FILIP,
                        legs=[("201", MISSED, "answered-elsewhere"), ("202", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**202"))


def park(kinds, extension: str = "201", line: str = "02079460"):
    caller = talk(kinds, extension, line)
    kinds.phone(extension).transfer("70")
    kinds.phone(extension).wait("idle")
    slot = wait_until(lambda: kinds.tape.events("ParkedCall"), 5, "the call is parked")[-1]["ParkingSpace"]
    kinds.pause()
    return caller, slot


@either_dialplan
def test_parked_and_retrieved_by_a_colleague(kinds, line):
    caller, slot = park(kinds, line=line)
    kinds.phone("205").dial(slot).wait("answered")
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("205", OWN, "hangup")]), young("205", slot))


@either_dialplan
def test_parked_call_comes_back(kinds, line):
    caller, _ = park(kinds, line=line)
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("201", ANSWERED, "hangup")]))


def test_caller_gives_up_in_the_park(kinds):
    caller, _ = park(kinds)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred")]))


def test_parked_retrieved_and_transferred(kinds):
    caller, slot = park(kinds, "202")
    kinds.phone("205").dial(slot).wait("answered")
    kinds.pause(0.5)
    kinds.phone("205").transfer("201")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "transferred"), ("205", OWN, "transferred"), ("201", ANSWERED, "hangup")]),
                young("205", slot))


def test_conference_of_a_caller_and_two_operators(kinds):
    caller = kinds.provider.call("02079460660", PAVEL)
    caller.wait("answered")
    phones = [kinds.phone(e) for e in ("201", "205")]
    for phone in phones:
        phone.dial("660").wait("answered")
        kinds.pause()
    for phone in phones:
        phone.hangup()
        kinds.pause()
    caller.hangup()
    kinds.truth(inbound(dialed_number="02079460660", legs=[]),
                internal("201", "660", disposition="answered", legs=[("201", OWN, "hangup")]),
                internal("205", "660", disposition="answered", legs=[("205", OWN, "hangup")]))


def test_caller_is_brought_into_the_conference(kinds):
    kinds.phone("205").dial("660").wait("answered")
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("660")
    kinds.phone("201").wait("idle")
    kinds.pause(0.5)
    caller.hangup()
    kinds.phone("205").hangup()
    kinds.truth(internal("205", "660", disposition="answered", legs=[("205", OWN, "hangup")]),
                inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred")]))


def test_voicemail_is_no_answer(kinds):
    caller = kinds.provider.call("02079460204", PAVEL)
    kinds.ring("204")
    caller.wait("answered")
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="no-answer", answered_by=None, legs=[("204", MISSED, "no-answer")]))


def test_phone_forwards_to_a_colleague(kinds):
    kinds.phone("201").behaviour = {"forward": "205"}
    caller = kinds.provider.call("02079460201", PAVEL)
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=FILIP, legs=[("201", "", "transferred"), ("205", ANSWERED, "hangup")]))


def test_phone_forwards_to_outside(kinds):
    kinds.phone("201").behaviour = {"forward": "00777123456"}
    kinds.provider.behave("00777123456", 0.5)
    caller = kinds.provider.call("02079460201", PAVEL)
    caller.wait("answered")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=None, legs=[("201", "", "transferred")]))


def test_forwarded_by_feature_code_without_a_pop(kinds):
    code = kinds.phone("201").dial("*7200777123456")
    kinds.switched = True
    code.wait("ended")
    kinds.pause()
    kinds.provider.behave("00777123456", 0.5)
    caller = kinds.provider.call("02079460201", PAVEL)
    caller.wait("answered")
    kinds.pause()
    caller.hangup()
    kinds.truth(internal("201", "*7200777123456", legs=[("201", OWN, "hangup")]),
                inbound(disposition="answered", answered_by=None, legs=[]))


def test_forwarded_to_a_colleague(kinds):
    kinds.switch("CF", "201", "202")
    caller = kinds.provider.call("02079460201", PAVEL)
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(dialed_number="02079460201", disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "hangup")]))


def test_do_not_disturb(kinds):
    kinds.switch("DND", "201")
    caller = kinds.provider.call("02079460201", PAVEL)
    caller.wait("ended")
    kinds.truth(inbound(disposition=("busy", "no-answer"), answered_by=None, legs=[]))


def test_second_call_on_a_busy_phone(kinds):
    first = talk(kinds, "201")
    phone = kinds.phone("201")
    second = kinds.provider.call("02079460201", NOBODY)
    kinds.ring("201")
    phone.hold(phone.calls[0])
    kinds.pause()
    phone.accept()
    second.wait("answered")
    kinds.pause(0.5)
    second.hangup()
    wait_until(lambda: phone.calls[1].state == "ended", 5, "the second call is over")
    phone.resume(phone.calls[0])
    kinds.pause(0.5)
    first.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered ended", "hangup")]),
                inbound(caller_number=NOBODY, disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup")]))


def test_second_call_is_refused(kinds):
    first = talk(kinds, "201")
    second = kinds.provider.call("02079460201", NOBODY)
    kinds.ring("201")
    kinds.phone("201").hangup()         # the last one: the one that rings
    second.wait("ended")
    first.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup")]),
                inbound(caller_number=NOBODY, disposition="busy", answered_by=None, legs=[("201", MISSED, "busy")]))


def test_phone_declines(kinds):
    kinds.phone("205").behaviour = "reject"
    kinds.provider.call("02079460205", PAVEL).wait("ended")
    kinds.truth(inbound(answered_by=None, legs=[("205", MISSED, "rejected")]))


def test_internal_call(kinds):
    kinds.phone("202").dial("205")
    kinds.answer("205")
    kinds.phone("205").hangup()
    kinds.phone("202").wait("idle")
    kinds.truth(internal("202", "205", disposition="answered", answered_by=FILIP, legs=[("202", OWN, "hangup"), ("205", ANSWERED, "hangup")]))


def test_outbound_call(kinds):
    number = "00420736763072"
    kinds.provider.behave(number, "manual")
    kinds.phone("201").dial(number)
    far = kinds.provider.taken(number)
    far.ring()
    kinds.pause()
    far.answer()
    kinds.phone("201").wait("talking")
    kinds.pause(0.5)
    far.hangup()
    kinds.truth(dict(direction="outbound", caller_number="201", disposition="answered", answered_by=None, legs=[("201", OWN, "hangup")]))


def test_outbound_call_is_transferred(kinds):
    number = "00420736763072"
    kinds.provider.behave(number, 0.5)
    kinds.phone("201").dial(number)
    kinds.phone("201").wait("talking")
    kinds.pause(0.5)
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    kinds.provider.taken(number).hangup()
    kinds.truth(dict(direction="outbound", caller_number="201", disposition="answered", legs=[("201", OWN, "transferred"), ("202", ANSWERED, "hangup")]))


def test_withheld_number(kinds):
    caller = kinds.provider.call("02079460201", "anonymous", "Anonymous")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(caller_number="anonymous", caller_name=None, module=None, record=None, disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "hangup")]))


def test_shared_extension_is_nobodys_answer(kinds):
    caller = talk(kinds, "203")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=None, legs=[("203", ANSWERED, "hangup")]))


def test_two_devices_of_one_operator(kinds):
    if kinds.pbx.tech != "PJSIP":
        second = None                   # chan_sip has one contact for each peer
    else:
        second = kinds.site.second_phone("201")
    try:
        caller = kinds.provider.call("02079460701", PAVEL)
        kinds.ring("201")
        if second:
            second.wait("ringing")
        kinds.phone("201").accept()
        kinds.phone("201").wait("talking")
        kinds.pause()
        caller.hangup()
        wait_until(lambda: kinds.pbx.channels() == 0, 10, "no channel is left", 0.1)
        pop = kinds.anna.expect(state="ended")
        assert [n.state for n in kinds.anna.find()] == ["ringing", "answered", "ended"] and len({n.leg for n in kinds.anna.find()}) == 1
        row = kinds.call_row(pop.id)
        assert (row["disposition"], row["answered_by"]) == ("answered", ANNA)
    finally:
        if second:
            kinds.site.remove_phone("201b")
