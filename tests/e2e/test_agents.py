"""Operators in the queues of a real Asterisk, from signing in to signing out: after every step Asterisk's own list of members is compared with the desk."""
import time
import types

import pytest
from company import ANNA, BORIS, CLARA, PAVEL
from conftest import SETS, need
from desks import HELP_LINE, ORDER_LINE, WRAP_UP, Floor, agree, services, time_of
from lab.client import NS, Client, error_of
from lab.process import wait_until
from lab.proxy import Proxy


@pytest.fixture(scope="module", params=SETS)
def floor(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Floor(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(floor):
    floor.calm()
    yield floor
    floor.ami_link.mend()
    floor.calm()


def test_signing_in_pausing_and_signing_out(calm):
    anna = calm.desk("anna")
    agree(anna, "logged-out")
    picture = anna.set(state="ready")
    assert picture.get("state") == "ready" and set(services(picture)) == {"help line", "order line"}
    agree(anna, "ready")
    anna.wait("ready")
    anna.set(state="not-ready", reason="lunch")
    agree(anna, "not-ready", reason="lunch", number="7")
    anna.set(state="not-ready", reason="meeting")
    agree(anna, "not-ready", reason="meeting")
    anna.set(state="ready")
    agree(anna, "ready", reason=None)
    anna.set(state="logged-out")
    agree(anna, "logged-out")
    states = [(one.get("state"), one.get("reason")) for one in anna.told() if not one.get("pending")]
    assert states == [("ready", None), ("not-ready", "lunch"), ("not-ready", "meeting"), ("ready", None), ("logged-out", None)]
    numbers = [int(one.get("seq")) for one in anna.told()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    rows = wait_until(lambda: (rows := calm.rows(ANNA)) and rows[-1]["state"] == "logged-out" and len(rows) >= 5 and rows, 10,
                      "cti_agent_event has the states")
    assert [(row["state"], row["reason"]) for row in rows[-5:]] == states and rows[-1]["extension"] == "201"


def test_both_queues_call_and_a_pause_asked_for_during_a_call_waits_for_its_end(calm):
    anna = calm.desk("anna")
    anna.set(state="ready")
    caller = calm.provider.call(ORDER_LINE, PAVEL)
    calm.phone("201").wait("ringing")
    anna.wait("ringing")
    calm.phone("201").accept()
    anna.wait("talking")
    asked = anna.set(state="not-ready", reason="lunch")
    assert (asked.get("state"), asked.get("pending"), asked.get("reason")) == ("talking", "not-ready", "lunch")
    assert all(member.paused for member in anna.members().values())     # no other call comes meanwhile
    caller.hangup()
    anna.wait("not-ready", reason="lunch", pending=None)
    agree(anna, "not-ready", reason="lunch", pending=None)
    anna.set(state="ready")
    agree(anna, "ready")


def call_and_hang_up(calm, desk, line):
    caller = calm.provider.call(line, PAVEL)
    phone = calm.phone(desk.extension)
    phone.wait("ringing")
    phone.accept()
    desk.wait("talking")
    caller.hangup()


def test_work_after_a_call_ends_by_time(calm):
    anna = calm.desk("anna")
    anna.set(state="ready")
    call_and_hang_up(calm, anna, HELP_LINE)
    picture = anna.wait("wrap-up")
    assert abs(time_of(picture.get("until")) - time.time() - WRAP_UP) < WRAP_UP / 2 + 1
    agree(anna, "wrap-up")
    anna.wait("ready", timeout=WRAP_UP + 5)
    agree(anna, "ready", until=None)


def test_work_after_a_call_ends_by_ready_and_can_be_extended(calm):
    anna = calm.desk("anna")
    anna.set(state="ready")
    call_and_hang_up(calm, anna, HELP_LINE)
    until = time_of(anna.wait("wrap-up").get("until"))
    longer = anna.set(extend="60s")
    assert longer.get("state") == "wrap-up" and round(time_of(longer.get("until")) - until) == 60
    agree(anna, "wrap-up")
    anna.set(state="ready")
    agree(anna, "ready", until=None)
    anna.refused("conflict", extend="60s")
    call_and_hang_up(calm, anna, ORDER_LINE)                            # this service asks for no work after
    anna.wait("ready")
    agree(anna, "ready")


def test_who_disappears_is_paused_and_then_signed_out(calm):
    anna, boris = calm.desk("anna"), calm.desk("boris")
    anna.set(state="ready")
    boris.set(state="ready")
    calm.leave("anna")
    wait_until(lambda: all(m.paused and m.reason == "client-gone" for m in calm.members("201").values()), 10, "Anna is paused in all queues")
    wait_until(lambda: calm.members("201") == {}, 10, "Anna is out of the queues")
    agree(boris, "ready")
    again = calm.desk("anna")
    agree(again, "logged-out", by="system")


def test_who_comes_back_in_time_stays_and_does_not_become_ready_by_that(calm):
    calm.desk("anna").set(state="ready")
    calm.leave("anna")
    wait_until(lambda: all(m.paused for m in calm.members("201").values()), 10, "Anna is paused")
    anna = calm.desk("anna")
    time.sleep(4)                                                       # longer than from the pause to signing out
    agree(anna, "not-ready", reason="client-gone", number="901", by="system")
    anna.set(state="ready")
    agree(anna, "ready")


def test_a_client_that_answers_no_ping_is_as_good_as_gone(calm):
    link = Proxy(calm.xmpp.c2s).start()
    console = Client(types.SimpleNamespace(c2s=link.port), "anna", console=True, resource="far").start()
    try:
        assert not error_of(console.request(f"<agent xmlns='{NS}' state='ready'/>"))
        time.sleep(3)                                                   # it answers, or the server in its place
        assert not any(member.paused for member in calm.members("201").values())
        link.freeze()
        wait_until(lambda: all(m.paused and m.reason == "client-silent" for m in calm.members("201").values()), 15, "Anna is paused in all queues")
        wait_until(lambda: calm.members("201") == {}, 15, "Anna is out of the queues")
    finally:
        link.stop()
        console.stop()


def test_what_cannot_be_is_refused_with_its_reason(calm):
    anna, clara, david, filip = (calm.desk(user) for user in ("anna", "clara", "david", "filip"))
    assert "lunch, meeting" in anna.refused("not-acceptable", state="not-ready", reason="siesta")
    anna.refused("bad-request", state="asleep")
    anna.refused("bad-request")
    anna.refused("item-not-found", state="ready", seat="roof")
    # one queue took her: she is signed in, and sees what the other said
    picture = clara.set(state="ready")
    assert services(picture)["order line"].get("state") == "in"
    assert services(picture)["ghost line"].get("state") == "failed" and "queue" in services(picture)["ghost line"].get("text").lower()
    agree(clara, "ready")
    assert "no-such-queue" in david.refused("item-not-found", state="ready")
    agree(david, "logged-out")
    assert "Member not dynamic" in filip.refused("not-allowed", state="logged-out")
    assert filip.members()["fixed"].paused
    agree(filip, "not-ready", reason="static-member", number="904")
    filip.set(state="ready")
    agree(filip, "ready")


def test_what_another_program_does_is_seen_and_not_undone(calm):
    anna = calm.desk("anna")
    anna.set(state="ready")
    calm.queues.pause("201", True, reason="*45")
    anna.wait("not-ready", reason="*45", by="pbx")
    agree(anna, "not-ready", reason="*45", by="pbx")
    assert "paused by another program" in anna.refused("conflict", state="ready")
    agree(anna, "not-ready", reason="*45")
    calm.queues.pause("201", False)
    anna.wait("ready", by="pbx")
    agree(anna, "ready", by="pbx")
    calm.queues.remove("201", "help")
    calm.queues.remove("201", "orders")
    anna.wait("logged-out", by="pbx")
    agree(anna, "logged-out")


def test_the_queues_are_as_the_desks_after_the_link_was_lost(calm):
    anna, boris = calm.desk("anna"), calm.desk("boris")
    anna.set(state="ready")
    boris.set(state="not-ready", reason="lunch")
    calm.ami_link.cut()
    wait_until(lambda: error_of(calm.desk("clara").ask(state="ready")) == "service-unavailable", 10, "the loss is seen")
    calm.queues.remove("201", "help")                                   # as a restart of Asterisk would
    calm.queues.pause("202", False, "orders")
    calm.queues.pause("201", True, "orders", "*45")                     # and what somebody wanted
    calm.ami_link.mend()
    wait_until(lambda: "help" in calm.members("201"), 15, "Anna is in her queue again")
    wait_until(lambda: all(member.paused for member in calm.members("202").values()), 10, "Boris is paused again")
    agree(boris, "not-ready", reason="lunch")
    assert calm.members("201")["orders"].reason == "*45" and not calm.members("201")["help"].paused
    told = calm.daemon.command("explain", "--all", ANNA)
    assert "no member any more: added again" in told.stdout, told.stdout


def test_a_restart_of_the_daemon_keeps_who_is_signed_in(calm):
    anna, boris = calm.desk("anna"), calm.desk("boris")
    anna.set(state="ready")
    boris.set(state="not-ready", reason="meeting")
    assert calm.daemon.stop() == 0
    assert all(member.paused and member.reason == "bridge-stopped" for member in anna.members().values()), anna.members()
    calm.daemon.start()
    for desk in (anna, boris):
        desk.client.raw("<presence to='cti.example.org'/>")
    anna.wait("ready", timeout=15)
    agree(anna, "ready")
    agree(boris, "not-ready", reason="meeting")


def test_a_killed_daemon_finds_its_operators_again(calm):
    anna, boris = calm.desk("anna"), calm.desk("boris")
    anna.set(state="not-ready", reason="lunch")
    boris.set(state="ready")
    time.sleep(0.3)                                                     # the promise is 100 ms
    calm.daemon.kill()
    calm.queues.remove("201", "orders")                                 # while nobody looked
    calm.daemon.start()
    for desk in (anna, boris):
        desk.client.raw("<presence to='cti.example.org'/>")
    wait_until(lambda: "orders" in calm.members("201") and calm.members("201")["orders"].reason == "lunch", 15, "Anna is in her queue again")
    agree(anna, "not-ready", reason="lunch")
    agree(boris, "ready")


def test_a_seat_moves_the_operator_with_phone_and_queues(calm):
    anna = calm.desk("anna")
    anna.set(state="ready")
    picture = anna.set(seat="window")
    assert (picture.get("seat"), picture.get("extension"), picture.get("state")) == ("window", "203", "ready")
    assert calm.members("201") == {} and set(calm.members("203")) == {"help", "orders"}
    caller = calm.provider.call(ORDER_LINE, PAVEL)
    calm.phone("203").wait("ringing")
    assert anna.client.expect(state="ringing").extension == "203"
    caller.hangup()
    anna.client.expect(state="ended")
    wait_until(lambda: anna.now().get("state") == "ready", 5, "Anna is ready")
    assert "Anna" in calm.desk("boris").refused("conflict", state="ready", seat="window")
    calm.desk("clara").refused("conflict", state="ready")               # her own phone is the seat's, which is taken
    anna.set(state="logged-out")
    assert calm.members("203") == {}
    anna.set(seat="")
    calm.leave("anna")
    agree(calm.desk("anna"), "logged-out", extension="201", seat=None)


def test_a_client_that_names_a_seat_sits_down_there(calm):
    if "anna" in calm.desks:
        calm.leave("anna")
    anna = calm.desk("anna", resource="desk-by-the-window")
    agree_seat = anna.now()
    assert (agree_seat.get("seat"), agree_seat.get("extension")) == ("window", "203")
    anna.set(seat="")
    assert anna.now().get("extension") == "201"


def test_supervisors_and_applications_act_for_those_of_their_services(calm):
    anna, clara = calm.desk("anna"), calm.desk("clara")
    sheet = calm.desk("hugo")
    sheet.set(state="ready", on_behalf_of=ANNA)
    assert agree(anna, "ready").get("by") == "hugo@example.org"
    clara.set(state="not-ready", reason="meeting", on_behalf_of=ANNA)
    agree(anna, "not-ready", reason="meeting", by=CLARA)
    assert [one.get("state") for one in clara.told(ANNA)][-2:] == ["ready", "not-ready"]
    assert sheet.now(on_behalf_of=ANNA).get("state") == "not-ready"
    anna.refused("forbidden", state="logged-out", on_behalf_of=BORIS)
    sheet.refused("forbidden", state="ready", on_behalf_of=CLARA)       # not of a service of the timesheet
    calm.queues.pause("201", True, reason="wallboard")
    anna.wait("not-ready", reason="wallboard")
    anna.refused("conflict", state="ready")
    clara.set(state="ready", on_behalf_of=ANNA)                         # who leads may end what another program did
    agree(anna, "ready", by=CLARA)


def test_me_tells_services_reasons_and_codes(calm):
    me = calm.desk("clara").client.request(f"<me xmlns='{NS}'/>", kind="get").find(f"{{{NS}}}me")
    assert me.get("roles") == "operator supervisor"
    me = calm.desk("anna").client.request(f"<me xmlns='{NS}'/>", kind="get").find(f"{{{NS}}}me")
    assert me.get("roles") == "operator" and me.get("extension") == "201"
    found = {one.get("name"): one for one in me.findall(f"{{{NS}}}service")}
    assert set(found) == {"help line", "order line"} and found["help line"].get("wrap-up") == str(WRAP_UP)
    assert [(c.get("code"), c.get("label")) for c in found["help line"]] == [("solved", "Solved")]
    assert [(r.get("code"), r.get("label"), r.get("number")) for r in me.findall(f"{{{NS}}}reason")] == [
        ("lunch", "Lunch break", "7"), ("meeting", "meeting", None)]
    assert "agent" in [f.get("name") for f in me.findall(f"{{{NS}}}feature")]
