"""What operators do with their calls from their client, at a real Asterisk with phones that take commands: done when the exchange's event says so, else refused with the reason."""
import threading
import xml.etree.ElementTree as ET

import pytest
from company import ANNA, BORIS, PAVEL, Company
from conftest import SETS, need
from lab.client import NS, error_of
from lab.process import wait_until

TALKING = {"hangup", "hold", "park", "transfer", "consult"}


def _prepare(site):
    for pbx in site.daemon.config["pbx"]:
        pbx["username"] = "phones"
        pbx["extensions"] = ["2??", "65?", "7?"]
    site.daemon.write()


class Desks(Company):
    def __init__(self, prepare=_prepare, **options):
        super().__init__(prepare=prepare, dialplan="freepbx", phones=("201", "202", "203"), handsets=("201", "202", "203"), **options)

    def talk(self, extension: str = "201", user: str = "anna"):
        """A caller who talks to that phone; the call of the provider and the notice."""
        caller = self.inbound(extension)
        self.phone(extension).wait("ringing")
        self.phone(extension).accept()
        return caller, self.client_of(user).expect(state="answered")

    def client_of(self, user: str):
        return next(c for c in self.site.clients if c.user == user)

    def ask(self, user: str, element: str, notice, **attributes):
        """The answer to <element/> about the call of a notice."""
        fields = "".join(f" {name.replace('_', '-')}='{value}'" for name, value in {"id": notice.id, "leg": notice.leg, **attributes}.items())
        return self.client_of(user).request(f"<{element} xmlns='{NS}'{fields}/>", timeout=20)

    def do(self, user: str, element: str, notice, **attributes):
        answer = self.ask(user, element, notice, **attributes)
        assert answer.get("type") == "result", ET.tostring(answer).decode()
        return answer[0]

    def audit(self, notice) -> list:
        """(action, outcome) of what was asked for a call, oldest first."""
        rows = self.site.database.rows("SELECT action, outcome FROM cti_dial WHERE `call` = %s ORDER BY at, id", notice.id)
        return [(row["action"], row["outcome"]) for row in rows]


def refusal(answer) -> tuple:
    """Condition, rule and text."""
    assert answer.get("type") == "error", ET.tostring(answer).decode()
    denied = next(answer.iter(f"{{{NS}}}denied"), None)
    text = next((e.text for e in answer.iter("{urn:ietf:params:xml:ns:xmpp-stanzas}text")), "")
    assert text and len(text) > 10
    return error_of(answer), None if denied is None else denied.get("rule"), text


def actions(notice) -> set:
    return set((notice.actions or "").split())


@pytest.fixture(scope="module", params=SETS)
def desks(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Desks(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(desks):
    for phone in desks.phones.values():
        phone.obeys = True
        phone.behaviour = "manual"
        phone.calls.clear()
    desks.calm()
    yield desks
    desks.calm()


# ---- the phone

def test_a_ringing_call_is_answered_held_resumed_and_hung_up_from_the_client(calm):
    caller = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    assert actions(pop) == {"answer", "hangup"}
    calm.do("anna", "answer", pop)
    calm.phone("201").wait("talking", 0.5)
    assert actions(calm.anna.expect(state="answered")) == TALKING
    calm.do("anna", "hold", pop)
    assert actions(calm.anna.expect(state="held")) == {"hangup", "unhold", "park", "transfer"}
    assert calm.phone("201").calls[-1].held_at
    calm.anna.clear()
    calm.do("anna", "unhold", pop)
    calm.anna.expect(state="answered")
    assert calm.phone("201").calls[-1].resumed_at
    calm.do("anna", "hangup", pop)
    assert actions(calm.anna.expect(state="ended")) == set()
    caller.wait("ended")
    wait_until(lambda: calm.audit(pop) == [(action, "done") for action in ("answer", "hold", "unhold", "hangup")], 10, f"audit rows: {calm.audit(pop)}", 0.1)


def test_a_phone_that_does_not_obey_is_said_after_five_seconds(calm):
    _, notice = calm.talk()
    calm.phone("201").obeys = False
    condition, rule, text = refusal(calm.ask("anna", "hold", notice))
    assert (condition, rule) == ("remote-server-timeout", "timeout") and "phone" in text
    assert calm.phone("201").talking
    calm.phone("201").obeys = True
    calm.do("anna", "hold", notice)


def test_the_caller_gives_up_while_the_phone_is_told(calm):
    calm.phone("201").obeys = False
    caller = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    threading.Timer(1, caller.hangup).start()
    assert refusal(calm.ask("anna", "answer", pop))[:2] == ("conflict", "ended")


# ---- transfers

def test_blind_transfer(calm):
    caller, notice = calm.talk()
    calm.do("anna", "transfer", notice, mode="blind", to="202")
    assert calm.anna.expect(state="ended").cause == "transferred"
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    assert calm.boris.expect(state="answered").id == notice.id
    caller.hangup()
    wait_until(lambda: calm.audit(notice) == [("transfer-blind", "done")], 10, "audit row", 0.1)
    assert calm.database.rows("SELECT number, dialed FROM cti_dial WHERE `call` = %s", notice.id) == [{"number": "202", "dialed": "202"}]


def test_a_held_call_is_transferred(calm):
    caller, notice = calm.talk()
    calm.do("anna", "hold", notice)
    calm.do("anna", "transfer", notice, mode="blind", to="202")
    assert calm.anna.expect(state="ended").cause == "transferred"
    calm.phone("202").wait("ringing")
    caller.hangup()


def test_attended_transfer_is_completed(calm):
    caller, notice = calm.talk()
    calm.do("anna", "transfer", notice, mode="attended", to="202")
    calm.phone("202").wait("ringing")
    assert refusal(calm.ask("anna", "transfer", notice, mode="complete"))[:2] == ("conflict", "partner")
    calm.phone("202").accept()
    assert actions(calm.anna.expect(where=lambda n: "complete" in n.actions)) == {"hangup", "complete", "cancel"}
    calm.boris.expect(state="answered")
    calm.do("anna", "transfer", notice, mode="complete")
    assert calm.anna.expect(state="ended").cause == "transferred"
    assert caller.state == "answered" and calm.phone("202").talking
    caller.hangup()
    wait_until(lambda: [row for row in calm.audit(notice) if row[1] == "done"] == [("transfer-attended", "done"), ("transfer-complete", "done")], 10, "audit rows", 0.1)


def test_attended_transfer_is_taken_back(calm):
    caller, notice = calm.talk()
    calm.do("anna", "transfer", notice, mode="attended", to="202")
    calm.phone("202").wait("ringing")
    calm.phone("202").accept()
    calm.boris.expect(state="answered")
    assert refusal(calm.ask("anna", "hold", notice))[:2] == ("conflict", "state")
    calm.anna.clear()
    calm.do("anna", "transfer", notice, mode="cancel")
    assert actions(calm.anna.expect(state="answered", where=lambda n: "consult" in n.actions)) == TALKING
    calm.phone("202").wait("idle")
    assert caller.state == "answered" and calm.phone("201").talking


def test_a_colleague_who_declines_leaves_the_caller_with_the_operator(calm):
    caller, notice = calm.talk()
    calm.phone("202").behaviour = "reject"
    calm.do("anna", "transfer", notice, mode="attended", to="202")
    calm.anna.expect(where=lambda n: "cancel" in n.actions)
    calm.anna.clear()
    assert actions(calm.anna.expect(state="answered", where=lambda n: "consult" in n.actions)) == TALKING
    assert caller.state == "answered"
    assert refusal(calm.ask("anna", "transfer", notice, mode="complete"))[:2] == ("conflict", "state")


# ---- parking and pickup

def test_a_call_is_parked_and_fetched_by_a_colleague(calm):
    caller, notice = calm.talk()
    slot = calm.do("anna", "park", notice).get("slot")
    assert slot and slot.isdigit()
    assert calm.anna.expect(state="ended").cause == "transferred"
    calm.phone("202").dial(slot)
    calm.boris.expect(state="answered")
    assert caller.state == "answered"
    caller.hangup()


def test_a_colleagues_call_is_picked_up(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("202").behaviour = 0.3
    calm.do("boris", "pickup", pop)
    assert calm.anna.expect(state="ended").cause == "answered-elsewhere"
    taken = calm.boris.expect(state="answered", id=pop.id)
    assert taken.party.get("number") == PAVEL
    wait_until(lambda: calm.audit(pop) == [("pickup", "done")], 10, f"audit row: {calm.audit(pop)}", 0.1)
    calm.do("boris", "hangup", taken)


def test_nobody_picks_up_for_a_pickup(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("202").behaviour = "busy"
    # Whichever Asterisk tells first: that the phone refused, or that its channel is over.
    assert refusal(calm.ask("boris", "pickup", pop))[1] in ("pbx", "ended")
    assert calm.phone("201").ringing
    assert refusal(calm.ask("anna", "pickup", pop))[:2] == ("conflict", "state")


# ---- refusals

REFUSALS = {
    "answered already": ("answer", {}, "conflict", "state"),
    "not held": ("unhold", {}, "conflict", "state"),
    "asks nobody": ("transfer", {"mode": "complete"}, "conflict", "state"),
    "no mode": ("transfer", {"mode": "sideways"}, "bad-request", "mode"),
    "to nowhere": ("transfer", {"mode": "blind", "to": ""}, "bad-request", "number"),
    "to oneself": ("transfer", {"mode": "blind", "to": "201"}, "bad-request", "number"),
    "where nobody may call": ("transfer", {"mode": "blind", "to": "+420900123456"}, "not-acceptable", "deny:+420900*"),
    "into another channel": ("transfer", {"mode": "blind", "to": "202&amp;Local/1@x"}, "bad-request", "number"),
    "another call": ("hold", {"id": "hq:1.1"}, "item-not-found", "call"),
    "no call": ("hold", {"id": "nonsense"}, "bad-request", "id"),
    "another pbx": ("hold", {"id": "elsewhere:1.1"}, "item-not-found", "call"),
    "for somebody else": ("hold", {"on_behalf_of": BORIS}, "forbidden", "on-behalf-of"),
}


def test_what_cannot_be_done_is_refused_with_the_reason(calm):
    _, notice = calm.talk()
    for name, (element, attributes, condition, rule) in REFUSALS.items():
        assert refusal(calm.ask("anna", element, notice, **attributes))[:2] == (condition, rule), name
    for element in ("answer", "hangup", "hold", "park"):
        assert refusal(calm.ask("boris", element, notice))[:2] == ("item-not-found", "call"), element
    assert calm.phone("201").talking
    wanted = {"refused:state", "refused:number", "refused:deny:+420900*", "refused:call", "refused:on-behalf-of"}
    wait_until(lambda: wanted <= {outcome for _, outcome in calm.audit(notice)}, 10, f"audit rows of the refusals: {calm.audit(notice)}", 0.1)


def test_an_administrator_hangs_up_for_an_operator(calm):
    _, notice = calm.talk()
    admin = calm.site.client("admin")
    try:
        answer = admin.request(f"<hangup xmlns='{NS}' id='{notice.id}' leg='{notice.leg}' on-behalf-of='{ANNA}'/>")
        assert answer.get("type") == "result"
        calm.anna.expect(state="ended")
    finally:
        admin.stop()
        calm.site.clients.remove(admin)
    assert wait_until(lambda: calm.database.rows("SELECT asked_by, jid FROM cti_dial WHERE `call` = %s AND outcome = 'done'", notice.id), 10, "audit row", 0.1) == [
        {"asked_by": "admin@example.org", "jid": ANNA}]


def test_why_is_kept_for_explain(calm):
    _, notice = calm.talk()
    calm.ask("anna", "unhold", notice)
    calm.do("anna", "transfer", notice, mode="blind", to="202")
    text = calm.daemon.command("explain", notice.id).stdout
    assert "unhold" in text and "transfer-blind to 202" in text, text


@pytest.mark.parametrize("user, gone", [("ctibridge", {"answer", "hold", "unhold"}), ("restricted", {"answer", "hold", "unhold", "hangup", "park", "transfer", "consult"})])
def test_what_the_ami_user_may_not_is_not_offered(user, gone):
    need("asterisk-22")

    def prepare(site):
        _prepare(site)
        site.daemon.config["pbx"][0]["username"] = user
        site.daemon.write()
    desks = Desks(prepare)
    try:
        _, notice = desks.talk()
        offered = wait_until(lambda: (last := desks.anna.find()[-1]) and actions(last) == TALKING - gone and [last], 10, f"the actions offered: {desks.anna.find()[-1].actions}")
        assert offered
        me = desks.anna.request(f"<me xmlns='{NS}'/>", "get")
        assert not gone & {e.get("name") for e in me.iter(f"{{{NS}}}feature")}
        assert refusal(desks.ask("anna", "hold", notice))[:2] == ("forbidden", "right")
    finally:
        desks.stop()


def test_without_the_exchange_nothing_is_done(calm):
    _, notice = calm.talk()
    calm.pbx.kill()
    wait_until(lambda: error_of(calm.ask("anna", "hold", notice)) == "service-unavailable", 10, "the link is down", 0.2)
    calm.pbx.start()
    wait_until(lambda: error_of(calm.ask("anna", "hold", notice)) == "item-not-found", 20, "the link is up, the call is over", 0.2)
    for phone in calm.phones.values():
        phone.calls.clear()
        phone._register()
    wait_until(lambda: all(calm.pbx.registered(e) for e in ("201", "202", "203")), 15, "phones are registered", 0.1)
