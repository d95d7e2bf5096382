"""Queues, ring groups and follow-me at a real Asterisk with FreePBX's dialplan."""
from company import ANNA, BORIS, FILIP, PAVEL
from kinds import either_dialplan, inbound
from lab.process import wait_until

ANSWERED, ELSEWHERE, MISSED = "ringing answered ended", "ringing ended", "ringing ended"
FOLLOWED = "07700900205"        # where the dialplan's follow-me of 205 goes as well


def first_of(kinds, *extensions):
    """The one of these phones that rings, and the others."""
    rings = wait_until(lambda: next((e for e in extensions if kinds.phone(e).ringing), None), 10, f"one of {extensions} rings")
    return rings, *(e for e in extensions if e != rings)


def user(extension: str) -> str:
    return {"201": ANNA, "202": BORIS, "205": FILIP}[extension]


@either_dialplan
def test_queue_of_devices_rings_all_and_one_answers(kinds, line):
    caller = kinds.provider.call(line + "652", PAVEL)
    kinds.ring("201")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(queue="652", disposition="answered", answered_by=BORIS, legs=[("201", ELSEWHERE, "answered-elsewhere"), ("202", ANSWERED, "hangup")]))


@either_dialplan
def test_queue_of_local_members_rings_all_and_one_answers(kinds, line):
    caller = kinds.provider.call(line + "650", PAVEL)
    kinds.ring("202")
    kinds.answer("201")
    kinds.phone("201").hangup()
    caller.wait("ended")
    kinds.truth(inbound(queue="650", dialed_number=line + "650", disposition="answered", answered_by=ANNA,
                        legs=[("202", ELSEWHERE, "answered-elsewhere"), ("201", ANSWERED, "hangup")]))


@either_dialplan
def test_queue_abandoned(kinds, line):
    caller = kinds.provider.call(line + "650", PAVEL)
    kinds.ring("201", "202")
    caller.hangup()
    kinds.truth(inbound(queue="650", disposition="abandoned", answered_by=None, legs=[("201", MISSED, "cancelled"), ("202", MISSED, "cancelled")]))


def round_robin(kinds, queue, line):
    caller = kinds.provider.call(line + queue, PAVEL)
    first, second = first_of(kinds, "201", "202")
    kinds.answer(second)
    caller.hangup()
    kinds.truth(inbound(queue=queue, disposition="answered", answered_by=user(second), legs=[(first, MISSED, "no-answer"), (second, ANSWERED, "hangup")]))


def test_round_robin_of_local_members_goes_on_after_a_time_out(kinds):
    round_robin(kinds, "651", "02079460")


@either_dialplan
def test_round_robin_of_devices_goes_on_after_a_time_out(kinds, line):
    round_robin(kinds, "653", line)


def test_linear_queue_abandoned_in_the_second_round(kinds):
    caller = kinds.provider.call("02079460654", PAVEL)
    kinds.ring("202")
    kinds.ring("201")
    caller.hangup()
    kinds.truth(inbound(queue="654", disposition="abandoned", answered_by=None, legs=[("202", MISSED, "no-answer"), ("201", MISSED, "cancelled")]))


def test_queue_gives_up_and_voicemail_takes_the_call(kinds):
    caller = kinds.provider.call("02079460656", PAVEL)
    kinds.ring("205")
    kinds.pause(6)                      # 4 s of the queue in whole seconds: a second round, cut short, or none
    kinds.phone("205").wait("idle")
    caller.hangup()
    rounds = len(kinds.phone("205").calls)
    kinds.truth(inbound(queue="656", disposition="no-answer", answered_by=None, legs=[("205", MISSED, "no-answer")] * rounds))


def test_member_that_rejects_is_asked_again(kinds):
    kinds.phone("205").behaviour = "reject"
    caller = kinds.provider.call("02079460656", PAVEL)
    wait_until(lambda: [c for c in kinds.phone("205").calls if c.state == "ended"], 10, "205 has rejected")
    kinds.phone("205").behaviour = "manual"
    kinds.answer("205")
    caller.hangup()
    legs = [("205", ANSWERED, "hangup"), ("205", "ringing ended", "rejected")]
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=FILIP, legs=legs))


def test_member_who_talks_is_left_alone(kinds):
    other = kinds.provider.call("02079460202", "+420799123456")
    kinds.answer("202")
    caller = kinds.provider.call("02079460650", PAVEL)
    kinds.answer("201")
    caller.hangup()
    other.hangup()
    kinds.truth(inbound(caller_number="+420799123456", disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "hangup")]),
                inbound(queue="650", disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup")]))


def test_two_callers_and_one_operator_free(kinds):
    first = kinds.provider.call("02079460656", PAVEL)
    kinds.answer("205")
    second = kinds.provider.call("02079460656", "+420799123456")
    kinds.pause(1)
    first.hangup()
    kinds.answer("205")
    second.hangup()
    kinds.truth(inbound(queue="656", disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "hangup")]),
                inbound(queue="656", caller_number="+420799123456", disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "hangup")]))


def test_follow_me_inside_a_queue_the_mobile_answers(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, "manual")
    caller = kinds.provider.call("02079460655", PAVEL)
    kinds.ring("202", "205")
    mobile = kinds.provider.taken(FOLLOWED)
    mobile.ring()
    kinds.pause()
    mobile.answer()
    kinds.phone("205").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(queue="655", disposition="answered", answered_by=None,
                        legs=[("202", ELSEWHERE, "answered-elsewhere"), ("205", ELSEWHERE, "answered-elsewhere")]))


def test_follow_me_inside_a_queue_the_desk_answers(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, "silent")
    caller = kinds.provider.call("02079460655", PAVEL)
    kinds.ring("202", "205")
    kinds.provider.taken(FOLLOWED)
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(queue="655", disposition="answered", answered_by=FILIP, legs=[("202", ELSEWHERE, "answered-elsewhere"), ("205", ANSWERED, "hangup")]))


def test_follow_me_the_mobile_answers(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, 0.5)
    caller = kinds.provider.call("02079460205", PAVEL)
    kinds.ring("205")
    kinds.phone("205").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(dialed_number="02079460205", disposition="answered", answered_by=None, legs=[("205", ELSEWHERE, "answered-elsewhere")]))


def test_follow_me_the_desk_answers(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, "silent")
    caller = kinds.provider.call("02079460205", PAVEL)
    kinds.provider.taken(FOLLOWED).wait("ringing")
    kinds.answer("205")
    kinds.phone("205").hangup()
    caller.wait("ended")
    kinds.truth(inbound(disposition="answered", answered_by=FILIP, legs=[("205", ANSWERED, "hangup")]))


def test_follow_me_nobody_answers(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, 486)
    caller = kinds.provider.call("02079460205", PAVEL)
    kinds.ring("205")
    kinds.pause(2)
    caller.hangup()
    kinds.truth(inbound(disposition="no-answer", answered_by=None, legs=[("205", MISSED, "cancelled")]))


def test_ring_group_rings_all_and_one_answers(kinds):
    caller = kinds.provider.call("02079460600", PAVEL)
    kinds.ring("202")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup"), ("202", ELSEWHERE, "answered-elsewhere")]))


def test_ring_group_not_answered_goes_to_voicemail(kinds):
    caller = kinds.provider.call("02079460600", PAVEL)
    kinds.ring("201", "202")
    caller.wait("answered", 10)
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="no-answer", answered_by=None, legs=[("201", MISSED, "no-answer"), ("202", MISSED, "no-answer")]))


def test_ring_group_hunts(kinds):
    caller = kinds.provider.call("02079460601", PAVEL, "P DOLEZAL")
    kinds.ring("201")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=BORIS, legs=[("201", MISSED, "no-answer"), ("202", ANSWERED, "hangup")]))


def test_ring_group_with_a_follow_me_in_it(kinds):
    kinds.switch("FOLLOW", "205")
    kinds.provider.behave(FOLLOWED, "silent")
    caller = kinds.provider.call("02079460602", PAVEL)
    kinds.provider.taken(FOLLOWED)
    kinds.ring("201", "205")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "hangup"), ("205", ELSEWHERE, "answered-elsewhere")]))


def test_ring_group_in_a_ring_group(kinds):
    caller = kinds.provider.call("02079460603", PAVEL)
    kinds.ring("201", "202", "205")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=BORIS,
                        legs=[("201", ELSEWHERE, "answered-elsewhere"), ("202", ANSWERED, "hangup"), ("205", ELSEWHERE, "answered-elsewhere")]))
