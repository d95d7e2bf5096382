"""Kinds of call in each other: what happens at a real site on a busy day, at a real Asterisk with FreePBX's dialplan."""
import pytest
from company import ANNA, BORIS, FILIP, NOBODY, PAVEL
from kinds import inbound, internal, young
from lab.client import NS, error_of
from lab.process import wait_until

ANSWERED, MISSED, OWN = "ringing answered ended", "ringing ended", "dialing answered ended"
HELD = "ringing answered held ended"


def talk(kinds, extension: str, did: str = "", number: str = PAVEL):
    caller = kinds.provider.call("02079460" + (did or extension), number)
    kinds.answer(extension)
    return caller


def last(kinds, extension: str):
    return kinds.phone(extension).calls[-1]


# transfers

def test_attended_transfer_twice(kinds):
    """201 gives the call to 205, who gives it to 202: three calls become one."""
    caller = talk(kinds, "201")
    for giver, taker in (("201", "205"), ("205", "202")):
        phone = kinds.phone(giver)
        first = last(kinds, giver)
        phone.hold(first)
        kinds.pause()
        second = phone.dial(taker)
        kinds.answer(taker)
        phone.join(first, second)
        phone.wait("idle")
        kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", HELD, "transferred"), ("201", OWN, "transferred"), ("205", HELD, "transferred"), ("205", OWN, "transferred"),
                              ("202", ANSWERED, "hangup")]),
                young("201", "205"), young("205", "202"))


def test_caller_gives_up_during_the_consultation(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").hold()
    kinds.pause()
    second = kinds.phone("201").dial("202")
    kinds.answer("202")
    caller.hangup()
    kinds.pause(0.5)
    second.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", HELD, "hangup")]),
                internal("201", "202", disposition="answered", answered_by=BORIS, legs=[("201", OWN, "hangup"), ("202", ANSWERED, "hangup")]))


def test_attended_transfer_into_a_queue(kinds):
    """The colleague to consult is a queue: the caller takes 201's place in it."""
    caller = talk(kinds, "201")
    phone = kinds.phone("201")
    first = last(kinds, "201")
    phone.hold(first)
    kinds.pause()
    second = phone.dial("656")
    kinds.ring("205")
    phone.join(first, second)
    phone.wait("idle")
    kinds.answer("205")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=ANNA,
                        legs=[("201", HELD, "transferred"), ("201", OWN, "transferred"), ("205", ANSWERED, "hangup")]),
                young("201", "656"))


def test_customer_is_given_to_the_colleague_of_an_older_internal_call(kinds):
    """The consultation is older than the customer's call: the customer must not be lost in it."""
    phone = kinds.phone("201")
    older = phone.dial("202")
    kinds.answer("202")
    phone.hold(older)
    kinds.pause()
    caller = talk(kinds, "201")
    phone.join(last(kinds, "201"), older)
    phone.wait("idle")
    kinds.pause(0.5)
    caller.hangup()
    kinds.phone("202").wait("idle")
    [row] = [r for r in wait_until(lambda: kinds.finished(2), 10, "two rows") if not r["merged_into"]]
    assert (row["direction"], row["caller_number"], row["dialed_number"], str(row["record"])) == ("inbound", PAVEL, "02079460201", "120")
    crm = kinds.crm_row(row["id"], "completed")
    assert (crm["direction"], str(crm["customer"])) == ("inbound", "120")


def test_two_customers_are_joined(kinds):
    phone = kinds.phone("201")
    one = talk(kinds, "201")
    first = last(kinds, "201")
    phone.hold(first)
    kinds.pause()
    other = talk(kinds, "201", number=NOBODY)
    phone.join(first, last(kinds, "201"))
    phone.wait("idle")
    kinds.pause(0.5)
    one.hangup()
    other.wait("ended")
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", HELD, "transferred"), ("201", ANSWERED, "transferred")]),
                inbound(caller_number=NOBODY, merged=True, disposition="answered", legs=[]))


def test_three_talk_by_feature_code(kinds):
    """`*2` with a colleague, then `*3`: all three in one bridge; the operator leaves the two others."""
    caller = talk(kinds, "201")
    kinds.phone("201").press("*2202")
    kinds.answer("202")
    kinds.phone("201").press("*3")
    kinds.pause(0.7)
    kinds.phone("201").hangup()
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered ended", ("transferred", "hangup")), ("202", ANSWERED, "hangup")]))


def test_call_on_hold_is_transferred_blind(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").hold()
    kinds.pause(0.5)
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", HELD, "transferred"), ("202", ANSWERED, "hangup")]))


def test_transferred_back_to_whom_it_came_from(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    kinds.phone("202").transfer("201")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "transferred"), ("202", ANSWERED, "transferred"), ("201", ANSWERED, "hangup")]))


def test_transfer_to_a_number_that_does_not_exist(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("999")
    kinds.pause(0.7)
    caller.hangup()
    kinds.phone("201").hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup")]))


def test_transfer_to_a_ring_group_with_a_follow_me(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave("07700900205", 0.3)
    caller = talk(kinds, "202")
    kinds.phone("202").transfer("602")
    kinds.ring("201", "205")
    kinds.provider.taken("07700900205").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=BORIS,
                        legs=[("202", ANSWERED, "transferred"), ("201", MISSED, "answered-elsewhere"), ("205", MISSED, "answered-elsewhere")]))


def test_transferred_call_is_picked_up(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("202")
    kinds.ring("202")
    kinds.phone("205").dial("**202").wait("answered")
    kinds.phone("202").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "transferred"), ("202", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**202"))


# queues

def test_queue_call_goes_back_to_its_queue(kinds):
    caller = talk(kinds, "205", "656")
    kinds.phone("205").transfer("656")
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "transferred"), ("205", ANSWERED, "hangup")]))


def test_queue_overflows_into_another_queue(kinds):
    caller = kinds.provider.call("02079460657", PAVEL)
    kinds.ring("205")
    kinds.phone("205").wait("idle")
    kinds.ring("202")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(queue="652", disposition="answered", answered_by=ANNA,
                        legs=[("205", MISSED, "no-answer"), ("202", MISSED, "answered-elsewhere"), ("201", ANSWERED, "hangup")]))


def test_paused_member_does_not_ring(kinds):
    kinds.tape.action("QueuePause", Queue="652", Interface=kinds.device("202"), Paused="true", Reason="lunch")
    try:
        caller = kinds.provider.call("02079460652", PAVEL)
        kinds.answer("201")
        caller.hangup()
        wait_until(lambda: kinds.pbx.channels() == 0, 10, "no channel is left", 0.1)
        kinds.tape.action("QueuePause", Queue="652", Interface=kinds.device("202"), Paused="false")
        kinds.truth(inbound(queue="652", disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup")]))
    finally:
        kinds.pbx.cli(f"queue unpause member {kinds.device('202')} queue 652")


def test_member_of_a_queue_deflects_to_a_colleague(kinds):
    kinds.phone("205").behaviour = {"forward": "202"}
    caller = kinds.provider.call("02079460656", PAVEL)
    kinds.answer("202")
    kinds.phone("205").behaviour = "manual"
    caller.hangup()
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=BORIS, legs=[("205", "", "transferred"), ("202", ANSWERED, "hangup")]))


def test_phone_deflects_after_it_rang(kinds):
    caller = kinds.provider.call("02079460201", PAVEL)
    kinds.ring("201")
    last(kinds, "201").reject(302, [f"Contact: <sip:205@127.0.0.1:{kinds.pbx.sip}>"])
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=FILIP, legs=[("201", MISSED, "transferred"), ("205", ANSWERED, "hangup")]))


def test_forwarded_into_a_queue(kinds):
    kinds.switch("CF", "202", "656")
    caller = kinds.provider.call("02079460202", PAVEL)
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(dialed_number="02079460202", queue="656", disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "hangup")]))


def test_ring_group_member_is_forwarded_to_outside(kinds):
    kinds.switch("CF", "205", "00777123456")
    kinds.provider.behave("00777123456", 0.5)
    caller = kinds.provider.call("02079460602", PAVEL)
    kinds.ring("201")
    caller.wait("answered")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=None, legs=[("201", MISSED, "answered-elsewhere")]))


# parking, pickup, conference

def test_parked_by_one_comes_back_and_is_picked_up(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("70")
    kinds.phone("201").wait("idle")
    kinds.ring("201")
    kinds.phone("205").dial("**201").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "transferred"), ("201", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**201"))


def test_parked_by_ami(kinds):
    caller = talk(kinds, "201")
    kinds.tape.action("Park", Channel=kinds.tape.channel(kinds.device("trunk")), TimeoutChannel=kinds.tape.channel(kinds.device("201")))
    slot = wait_until(lambda: kinds.tape.events("ParkedCall"), 5, "the call is parked")[-1]["ParkingSpace"]
    kinds.pause()
    kinds.phone("205").dial(slot).wait("answered")
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("205", OWN, "hangup")]), young("205", slot))


def test_internal_call_is_picked_up(kinds):
    kinds.phone("202").dial("201")
    kinds.ring("201")
    kinds.phone("205").dial("**201").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.pause()
    kinds.phone("205").hangup()
    kinds.phone("202").wait("idle")
    kinds.truth(internal("202", "201", disposition="answered", answered_by=FILIP,
                         legs=[("202", OWN, "hangup"), ("201", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**201"))


def test_ring_group_call_is_picked_up(kinds):
    caller = kinds.provider.call("02079460600", PAVEL)
    kinds.ring("201", "202")
    kinds.phone("205").dial("**202").wait("answered")
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=FILIP,
                        legs=[("201", MISSED, "answered-elsewhere"), ("202", MISSED, "answered-elsewhere"), ("205", OWN, "hangup")]),
                young("205", "**202"))


def test_follow_me_call_is_picked_up_at_the_desk(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave("07700900205", "silent")
    caller = kinds.provider.call("02079460205", PAVEL)
    kinds.ring("205")
    kinds.phone("201").dial("**205").wait("answered")
    kinds.phone("205").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("205", MISSED, "answered-elsewhere"), ("201", OWN, "hangup")]),
                young("201", "**205"))


def test_conference_by_attended_transfer(kinds):
    """201 brings his caller into the room where 205 waits, after having been there himself."""
    kinds.phone("205").dial("660").wait("answered")
    caller = talk(kinds, "201")
    phone = kinds.phone("201")
    first = last(kinds, "201")
    phone.hold(first)
    second = phone.dial("660")
    second.wait("answered")
    kinds.pause(0.5)
    phone.join(first, second)
    phone.wait("idle")
    kinds.pause(0.5)
    caller.hangup()
    kinds.phone("205").hangup()
    rows = wait_until(lambda: kinds.finished(3), 15, "three rows")
    assert [r["disposition"] for r in rows] == ["answered"] * 3
    assert [leg["cause"] for leg in kinds.leg_rows(rows[1]["id"], 1) if leg["jid"] == ANNA][:1] == ["transferred"]


# calls out

def clicked(kinds, number: str) -> str:
    answer = kinds.anna.dial(number)
    assert error_of(answer) == "", answer
    return answer.find(f"{{{NS}}}call").get("id")


def test_click_to_dial_to_a_colleague_who_is_forwarded(kinds):
    kinds.switch("CF", "202", "205")
    clicked(kinds, "202")
    kinds.answer("201")
    kinds.answer("205")
    kinds.phone("201").hangup()
    kinds.truth(internal("201", "202", disposition="answered", legs=[("201", OWN, "hangup"), ("205", ANSWERED, "hangup")]), unheard=[("201", 1)])


def test_click_to_dial_is_transferred_and_parked(kinds):
    number = "00420736763072"
    kinds.provider.behave(number, 0.3)
    clicked(kinds, PAVEL)
    kinds.answer("201")
    far = kinds.provider.taken(number).wait("answered")
    kinds.pause()
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    kinds.phone("202").transfer("70")
    slot = wait_until(lambda: kinds.tape.events("ParkedCall"), 5, "the call is parked")[-1]["ParkingSpace"]
    kinds.pause()
    kinds.phone("205").dial(slot).wait("answered")
    kinds.pause(0.5)
    far.hangup()
    kinds.truth(dict(direction="outbound", caller_number="201", dialed_number=PAVEL, disposition="answered", answered_by=None,
                     legs=[("201", OWN, "transferred"), ("202", ANSWERED, "transferred"), ("205", OWN, "hangup")]),
                young("205", slot), unheard=[("201", 1)])


def test_outbound_call_is_held_and_joined_with_a_colleague(kinds):
    number = "00420736763072"
    kinds.provider.behave(number, 0.3)
    phone = kinds.phone("201")
    first = phone.dial(number)
    far = kinds.provider.taken(number).wait("answered")
    kinds.pause(0.5)
    phone.hold(first)
    kinds.pause()
    second = phone.dial("205")
    kinds.answer("205")
    phone.join(first, second)
    phone.wait("idle")
    kinds.pause(0.5)
    far.hangup()
    kinds.truth(dict(direction="outbound", caller_number="201", dialed_number=PAVEL, disposition="answered",
                     legs=[("201", "dialing answered held ended", "transferred"), ("201", OWN, "transferred"), ("205", ANSWERED, "hangup")]),
                young("201", "205"))


def test_dialled_number_is_busy(kinds):
    kinds.provider.behave("00777486", 486)
    kinds.phone("201").dial("00777486").wait("ended")
    kinds.truth(dict(direction="outbound", caller_number="201", disposition="busy", legs=[("201", "dialing ended", "busy")]))


@pytest.mark.parametrize("extension", ["201", "202"])
def test_dialled_number_does_not_answer(kinds, extension):
    kinds.provider.behave("00777999", "silent")
    kinds.phone(extension).dial("00777999")
    kinds.provider.taken("00777999").wait("ringing")
    kinds.pause()
    kinds.phone(extension).hangup()
    kinds.truth(dict(direction="outbound", caller_number=extension, disposition="no-answer", legs=[(extension, "dialing ended", ("cancelled", "no-answer", "hangup"))]))


# what a dialplan puts in between

def test_mailbox_of_a_ring_group_member_takes_the_call(kinds):
    """The trap of ring groups with Local members: the mailbox of one answers for all."""
    caller = kinds.provider.call("02079460604", PAVEL)
    kinds.ring("204", "205")
    caller.wait("answered")
    kinds.pause(0.7)
    caller.hangup()
    kinds.truth(inbound(disposition="no-answer", answered_by=None, legs=[("204", MISSED, "no-answer"), ("205", MISSED, ("answered-elsewhere", "no-answer"))]))


def test_forwarded_to_a_colleague_whose_mailbox_takes_it(kinds):
    kinds.switch("CF", "202", "204")
    caller = kinds.provider.call("02079460202", PAVEL)
    kinds.ring("204")
    caller.wait("answered")
    kinds.pause(0.7)
    caller.hangup()
    kinds.truth(inbound(disposition="no-answer", answered_by=None, legs=[("204", MISSED, "no-answer")]))


def test_forwarded_into_a_ring_group(kinds):
    kinds.switch("CF", "205", "600")
    caller = kinds.provider.call("02079460205", PAVEL)
    kinds.ring("201")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(dialed_number="02079460205", disposition="answered", answered_by=BORIS,
                        legs=[("201", MISSED, "answered-elsewhere"), ("202", ANSWERED, "hangup")]))


def test_forwarded_into_a_queue_and_given_up(kinds):
    kinds.switch("CF", "202", "656")
    caller = kinds.provider.call("02079460202", PAVEL)
    kinds.ring("205")
    caller.hangup()
    kinds.truth(inbound(queue="656", disposition=("abandoned", "no-answer"), answered_by=None, legs=[("205", MISSED, "cancelled")]))


def test_forwarded_into_a_queue_and_transferred_there(kinds):
    kinds.switch("CF", "202", "656")
    caller = kinds.provider.call("02079460202", PAVEL)
    kinds.answer("205")
    kinds.phone("205").transfer("201")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "transferred"), ("201", ANSWERED, "hangup")]))


def test_queue_member_does_not_want_to_be_disturbed(kinds):
    kinds.switch("DND", "201")
    caller = kinds.provider.call("02079460650", PAVEL)
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(queue="650", disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "hangup")]))


def test_queue_member_is_forwarded_to_outside(kinds):
    kinds.switch("CF", "201", "00777123456")
    kinds.provider.behave("00777123456", 0.5)
    caller = kinds.provider.call("02079460650", PAVEL)
    kinds.ring("202")
    kinds.phone("202").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(queue="650", disposition="answered", answered_by=None, legs=[("202", MISSED, "answered-elsewhere")]))


# several calls at once

def test_two_callers_and_two_operators(kinds):
    first = kinds.provider.call("02079460652", PAVEL)
    kinds.ring("201", "202")
    second = kinds.provider.call("02079460652", NOBODY)
    kinds.answer("201")
    kinds.answer("202")
    first.hangup()
    second.hangup()
    kinds.truth(inbound(queue="652", disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup"), ("202", MISSED, "answered-elsewhere")]),
                inbound(queue="652", caller_number=NOBODY, disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "hangup")]))


def test_operator_changes_between_two_callers(kinds):
    phone = kinds.phone("201")
    first = talk(kinds, "201")
    one = last(kinds, "201")
    phone.hold(one)
    kinds.pause()
    second = talk(kinds, "201", number=NOBODY)
    other = last(kinds, "201")
    phone.hold(other)
    kinds.pause()
    phone.resume(one)
    kinds.pause(0.5)
    phone.hold(one)
    kinds.pause()
    phone.resume(other)
    kinds.pause(0.5)
    second.hangup()
    first.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered held ended", "hangup")]),
                inbound(caller_number=NOBODY, disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered ended", "hangup")]))


def test_parked_and_taken_back_and_parked_again(kinds):
    caller = talk(kinds, "201")
    for parker, taker in (("201", "205"), ("205", "201")):
        kinds.phone(parker).transfer("70")
        kinds.phone(parker).wait("idle")
        kinds.pause()
        kinds.phone(taker).dial(kinds.tape.events("ParkedCall")[-1]["ParkingSpace"]).wait("answered")
        kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("205", OWN, "transferred"), ("201", OWN, "hangup")]),
                *[dict(direction="internal", caller_number=taker, merged=True, legs=[]) for taker in ("205", "201")])


def test_transfer_while_the_colleague_still_rings(kinds):
    """201 does not wait for 202 to pick up: a consultation turned into a transfer half way."""
    caller = talk(kinds, "201")
    phone = kinds.phone("201")
    first = last(kinds, "201")
    phone.hold(first)
    kinds.pause()
    second = phone.dial("202")
    kinds.ring("202")
    phone.join(first, second)
    kinds.pause(0.7)
    kinds.answer("202")
    caller.hangup()
    phone.wait("idle")
    rows = wait_until(lambda: kinds.finished(2), 15, "two rows")
    older = rows[0]
    assert (older["direction"], older["caller_number"], older["disposition"], older["answered_by"]) == ("inbound", PAVEL, "answered", ANNA)
    assert rows[1]["merged_into"] == older["id"]
    causes = {(leg["jid"], leg["cause"]) for leg in kinds.leg_rows(older["id"], 3)}
    assert causes == {(ANNA, "transferred"), (BORIS, "hangup")}
