"""Transfers by the phone, by feature code and by AMI at a real Asterisk with FreePBX's dialplan."""
from company import ANNA, BORIS, FILIP, PAVEL
from kinds import either_dialplan, inbound, internal, young

ANSWERED, MISSED = "ringing answered ended", "ringing ended"
# The Unhold of a transfer comes with it, on a slow machine long before it.
HELD_TO_THE_END = ("ringing answered held ended", "ringing answered held answered ended")


def talk(kinds, extension: str, did: str = "", line: str = "02079460"):
    """A caller who talks to that phone."""
    caller = kinds.provider.call(line + (did or extension), PAVEL)
    kinds.answer(extension)
    return caller


@either_dialplan
def test_blind_transfer_by_refer(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(dialed_number=line + "201", disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "transferred"), ("202", ANSWERED, "hangup")]))


@either_dialplan
def test_blind_transfer_by_another_make_of_phone(kinds, line):
    caller = talk(kinds, "202", line=line)
    kinds.phone("202").transfer("201")
    kinds.answer("201")
    kinds.phone("201").hangup()
    caller.wait("ended")
    kinds.truth(inbound(disposition="answered", answered_by=BORIS, legs=[("202", ANSWERED, "transferred"), ("201", ANSWERED, "hangup")]))


def test_blind_transfer_twice(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("202")
    kinds.answer("202")
    kinds.phone("202").transfer("205")
    kinds.answer("205")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", ANSWERED, "transferred"), ("202", ANSWERED, "transferred"), ("205", ANSWERED, "hangup")]))


def test_blind_transfer_to_a_busy_phone(kinds):
    kinds.phone("205").behaviour = "busy"
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("205")
    caller.wait("ended")
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("205", "", "busy")]))


@either_dialplan
def test_blind_transfer_nobody_answers(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.phone("201").transfer("202")
    kinds.ring("202")
    caller.wait("ended")
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("202", MISSED, "no-answer")]))


def test_blind_transfer_to_outside(kinds):
    kinds.provider.behave("00777123456", 0.5)
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("00777123456")
    kinds.provider.taken("00777123456").wait("answered")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred")]))


@either_dialplan
def test_blind_transfer_to_a_queue(kinds, line):
    caller = talk(kinds, "205", line=line)
    kinds.phone("205").transfer("650")
    kinds.ring("201")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(queue="650", disposition="answered", answered_by=FILIP,
                        legs=[("205", ANSWERED, "transferred"), ("201", MISSED, "answered-elsewhere"), ("202", ANSWERED, "hangup")]))


@either_dialplan
def test_queue_call_is_transferred_to_another_queue(kinds, line):
    caller = talk(kinds, "205", "656", line=line)
    kinds.phone("205").transfer("652")
    kinds.ring("202")
    kinds.answer("201")
    caller.hangup()
    kinds.truth(inbound(queue="652", disposition="answered", answered_by=FILIP,
                        legs=[("205", ANSWERED, "transferred"), ("202", MISSED, "answered-elsewhere"), ("201", ANSWERED, "hangup")]))


def test_blind_transfer_to_voicemail(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").transfer("204")
    kinds.ring("204")
    kinds.phone("204").wait("idle")
    kinds.pause(1)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("204", MISSED, "no-answer")]))


def consult(kinds, to: str = "202", line: str = "02079460"):
    """201 talks to a caller, holds, and calls a colleague: the caller, both calls of 201."""
    caller = talk(kinds, "201", line=line)
    phone = kinds.phone("201")
    first = phone.calls[-1]
    phone.hold(first)
    kinds.pause()
    second = phone.dial(to)
    return caller, first, second


@either_dialplan
def test_attended_transfer_by_refer(kinds, line):
    caller, first, second = consult(kinds, line=line)
    kinds.answer("202")
    kinds.phone("201").join(first, second)
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA,
                        legs=[("201", "ringing answered held ended", "transferred"), ("201", "dialing answered ended", "transferred"), ("202", ANSWERED, "hangup")]),
                young("201", "202"))


def test_attended_transfer_of_a_queue_call(kinds):
    caller = kinds.provider.call("02079460650", PAVEL)
    kinds.ring("202")
    kinds.answer("201")
    phone = kinds.phone("201")
    first = phone.calls[-1]
    phone.hold(first)
    second = phone.dial("205")
    kinds.answer("205")
    phone.join(first, second)
    phone.wait("idle")
    kinds.pause()
    kinds.phone("205").hangup()
    caller.wait("ended")
    kinds.truth(inbound(queue="650", disposition="answered", answered_by=ANNA,
                        legs=[("202", MISSED, "answered-elsewhere"), ("201", HELD_TO_THE_END, "transferred"),
                              ("201", "dialing answered ended", "transferred"), ("205", ANSWERED, "hangup")]),
                young("201", "205"))


def test_attended_transfer_is_given_up(kinds):
    caller, first, second = consult(kinds)
    kinds.answer("202")
    second.hangup()
    kinds.phone("202").wait("idle")
    kinds.phone("201").resume(first)
    kinds.pause()
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered ended", "hangup")]),
                internal("201", "202", disposition="answered", answered_by=BORIS,
                         legs=[("201", "dialing answered ended", "hangup"), ("202", ANSWERED, "hangup")]))


def test_attended_transfer_to_voicemail(kinds):
    caller, first, second = consult(kinds, to="204")
    kinds.ring("204")
    second.wait("answered")             # by the mailbox
    kinds.pause(0.5)
    kinds.phone("201").join(first, second)
    kinds.phone("201").wait("idle")
    kinds.pause()
    caller.hangup()
    # The mailbox has the caller's channel take the place of 201's: nothing joins the two calls.
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held ended", "transferred")]),
                internal("201", "204", answered_by=None, legs=[("201", "dialing answered ended", "transferred"), ("204", MISSED, "no-answer")]))


@either_dialplan
def test_blind_transfer_by_feature_code(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.phone("201").press("##202")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held ended", "transferred"), ("202", ANSWERED, "hangup")]))


@either_dialplan
def test_attended_transfer_by_feature_code(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.phone("201").press("*2202")
    kinds.answer("202")
    kinds.phone("201").hangup()
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held ended", "transferred"), ("202", ANSWERED, "hangup")]))


def test_attended_transfer_by_feature_code_is_given_up(kinds):
    caller = talk(kinds, "201")
    kinds.phone("201").press("*2202")
    kinds.ring("202")
    kinds.phone("202").hangup()
    kinds.pause(1.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held answered ended", "hangup"), ("202", MISSED, "busy")]))


@either_dialplan
def test_blind_transfer_by_ami(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.tape.action("BlindTransfer", Channel=kinds.tape.channel(kinds.device("201")), Context="plain-internal" if line.endswith("1") else "from-internal-xfer", Exten="202")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("202", ANSWERED, "hangup")]))


@either_dialplan
def test_attended_transfer_by_ami(kinds, line):
    caller = talk(kinds, "201", line=line)
    kinds.tape.action("Atxfer", Channel=kinds.tape.channel(kinds.device("201")), Context="plain-internal" if line.endswith("1") else "from-internal-xfer", Exten="202")
    kinds.answer("202")
    kinds.phone("201").hangup()
    kinds.pause(0.5)
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", "ringing answered held ended", "transferred"), ("202", ANSWERED, "hangup")]))


def test_caller_is_redirected_by_ami(kinds):
    caller = talk(kinds, "201")
    kinds.tape.action("Redirect", Channel=kinds.tape.channel(kinds.device("trunk")), Context="from-internal-xfer", Exten="202", Priority="1")
    kinds.answer("202")
    caller.hangup()
    kinds.truth(inbound(disposition="answered", answered_by=ANNA, legs=[("201", ANSWERED, "transferred"), ("202", ANSWERED, "hangup")]))


def test_colleague_is_transferred(kinds):
    kinds.phone("202").dial("201")
    kinds.answer("201")
    kinds.phone("201").transfer("205")
    kinds.answer("205")
    kinds.phone("202").hangup()
    kinds.truth(internal("202", "201", disposition="answered", answered_by=ANNA,
                         legs=[("202", "dialing answered ended", "hangup"), ("201", ANSWERED, "transferred"), ("205", ANSWERED, "hangup")]))
