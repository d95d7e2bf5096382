"""A working day of three operators, from signing in to signing out: after every step Asterisk's own list of queue members is compared with each desk."""
import copy
import time

import desks
import pytest
from company import NOBODY, PAVEL
from conftest import SETS, need
from desks import HELP_LINE, ORDER_LINE, Floor, agree
from lab.process import LabError, wait_until

# Boris is asked after Anna on the help line; Boris and Clara before Anna on the order line. One more seat, whose phone has nobody at work.
ROSTER = copy.deepcopy(desks.ROSTER)
ROSTER["seats"].append({"id": "door", "pbx": "hq", "extension": "204"})
LONG = 60


class Day(Floor):
    """The floor, and what its three desks are to say."""

    def __init__(self, **options):
        kept = desks.ROSTER, desks.AGENTS
        desks.ROSTER, desks.AGENTS = ROSTER, {**desks.AGENTS, "logout": "1h"}
        try:
            super().__init__(phones=("201", "202", "203", "204"), handsets=("201", "202", "203", "204"), **options)
        finally:
            desks.ROSTER, desks.AGENTS = kept
        self.states = {}

    def now(self, **changed):
        """The changed desks; the others are as they were. `user="state"` or `user=("state", {attribute: value})`."""
        self.states.update(changed)
        for user, wanted in self.states.items():
            state, attributes = (wanted, {}) if isinstance(wanted, str) else wanted

            def agrees(user=user, state=state, attributes=attributes):
                agree(self.desk(user), state, **attributes)
                return True
            try:
                wait_until(lambda: passes(agrees), LONG, "so", 0.2)
            except LabError:
                agrees()            # says what is different

    def call(self, line: str, number: str = PAVEL):
        return self.provider.call(line, number)

    def takes(self, extension: str):
        phone = self.phone(extension)
        phone.wait("ringing", LONG)
        phone.accept()
        phone.wait("talking", LONG)
        return phone.calls[-1]

    def quiet(self, extension: str):
        """It is not rung, and nothing is on it."""
        assert self.phone(extension).idle, extension


def passes(check) -> bool:
    try:
        return check()
    except AssertionError:
        return False


@pytest.fixture(scope="module", params=SETS)
def floor(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Day(**options)
    yield running
    running.stop()


# The steps of the day, in their order; each begins where the one before ended.

def sign_in(day):
    day.now(anna="logged-out", boris="logged-out", clara="logged-out")
    for user in ("anna", "boris", "clara"):
        day.desk(user).set(state="ready")
        day.now(**{user: "ready"})


def calls_from_two_queues(day):
    """Clara takes an order while Boris's phone rings too; Anna gets the help call alone."""
    day.order = day.call(ORDER_LINE)
    for extension in ("202", "203"):
        day.phone(extension).wait("ringing", LONG)
    day.quiet("201")
    day.takes("203")
    day.now(clara="talking", boris="ready")
    day.phone("202").wait("idle", LONG)
    day.help = day.call(HELP_LINE, NOBODY)
    day.first = day.takes("201")
    day.quiet("202")
    day.now(anna="talking")


def pause_during_a_call(day):
    asked = day.desk("anna").set(state="not-ready", reason="lunch")
    assert (asked.get("state"), asked.get("pending")) == ("talking", "not-ready")
    day.now(anna=("talking", {"pending": "not-ready", "reason": "lunch"}))
    assert all(member.paused for member in day.members("201").values())


def attended_transfer(day):
    """Anna asks Boris, and gives him the help call; then she is at lunch."""
    phone = day.phone("201")

    def held():
        phone.hold(day.first)           # again where the pbx's own offer crossed it
        time.sleep(1)
        return day.desk("anna").now().get("state") == "held"
    wait_until(held, LONG, "Anna's caller is on hold", 0.1)
    day.now(anna=("held", {"pending": "not-ready"}))
    second = phone.dial("202")
    day.takes("202")
    second.wait("answered", LONG)
    day.now(boris="talking", anna=("talking", {"pending": "not-ready"}))    # with each other
    phone.join(day.first, second)
    phone.wait("idle", LONG)
    day.now(anna=("not-ready", {"reason": "lunch", "pending": None}), boris="talking", clara="talking")


def the_calls_end(day):
    day.order.hangup()
    day.now(clara="ready", boris="talking", anna="not-ready")
    day.help.hangup()
    day.phone("202").wait("idle", LONG)
    day.now(boris="ready")              # at once, or after the work on the help line's call


def work_after_a_call(day):
    """The help line's next caller meets Boris, for Anna is at lunch; he is done before his time is up."""
    caller = day.call(HELP_LINE, NOBODY)
    day.takes("202")
    day.quiet("201")
    day.now(boris="talking")
    caller.hangup()
    boris = day.desk("boris")
    boris.wait("wrap-up", timeout=LONG)
    boris.set(extend="10m")
    day.now(boris="wrap-up")
    boris.set(state="ready")
    day.now(boris=("ready", {"until": None}))


def change_of_seat(day):
    """Anna is back, at the door: her queues call the phone there, and her own is nobody's."""
    anna = day.desk("anna")
    anna.set(state="ready")
    day.now(anna="ready")
    picture = anna.set(seat="door")
    assert (picture.get("seat"), picture.get("extension")) == ("door", "204")
    assert day.members("201") == {}
    anna.extension = "204"
    day.now(anna=("ready", {"seat": "door"}))
    caller = day.call(HELP_LINE, NOBODY)
    day.takes("204")
    day.quiet("201")
    day.now(anna="talking")
    caller.hangup()
    anna.wait("wrap-up", timeout=LONG)
    anna.set(state="ready")
    day.now(anna="ready")
    # Nobody sits on somebody else's lap.
    assert "Anna" in day.desk("clara").refused("conflict", seat="door", state="ready")
    day.now()


def crash_of_a_client(day):
    """Clara's client dies amid a call; the call goes on, and after it no other comes."""
    caller = day.call(ORDER_LINE)
    day.takes("203")
    day.now(clara="talking")
    day.phone("202").wait("idle", LONG)
    day.leave("clara")
    wait_until(lambda: all(member.paused for member in day.members("203").values()), LONG, "Clara gets no other call", 0.1)
    assert day.phone("203").talking
    caller.hangup()
    day.phone("203").wait("idle", LONG)
    wait_until(lambda: [m.reason for m in day.members("203").values()] == ["client-gone"], LONG, "Clara is away", 0.1)
    caller = day.call(ORDER_LINE, NOBODY)
    day.takes("202")
    day.quiet("203")
    day.now(boris="talking", anna="ready", clara=("not-ready", {"reason": "client-gone"}))     # she is back, and not made ready by it
    caller.hangup()
    day.now(boris="ready")
    day.desk("clara").set(state="ready")
    day.now(clara="ready")


def sign_out(day):
    for user in ("clara", "anna", "boris"):
        day.desk(user).set(state="logged-out")
        day.now(**{user: "logged-out"})
    assert not any(day.members(extension) for extension in ("201", "202", "203", "204"))


def test_a_working_day_of_three_operators(floor):
    day = floor
    day.calm()
    for step in (sign_in, calls_from_two_queues, pause_during_a_call, attended_transfer, the_calls_end, work_after_a_call, change_of_seat, crash_of_a_client, sign_out):
        print(step.__name__)
        step(day)
    rows = {jid: [row["state"] for row in day.rows(f"{jid}@example.org")] for jid in ("anna", "boris", "clara")}
    for jid, states in rows.items():
        assert states[0] == "ready" and states[-1] == "logged-out" and "talking" in states, (jid, states)
