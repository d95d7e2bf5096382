"""Supervisors and applications do with the calls of those they are responsible for what these could do, and with nobody else's anything: a real Asterisk 22, phones that take commands."""
import pathlib

import pytest
import yaml
from company import ANNA, BORIS, CLARA, HUGO
from conftest import need
from lab.client import NS, error_of
from lab.process import wait_until
from test_call_control import Desks, _prepare, refusal

ROSTER = {
    "operators": [{"jid": ANNA, "pbx": "hq", "extension": "201", "name": "Anna"}, {"jid": BORIS, "pbx": "hq", "extension": "202", "name": "Boris"},
                  {"jid": CLARA, "pbx": "hq", "extension": "203", "name": "Clara"}, {"jid": HUGO, "role": "application", "name": "Timesheet"}],
    "services": [
        {"name": "help line", "pbx": "hq", "queue": "help", "operators": [{"jid": ANNA}, {"jid": CLARA, "supervisor": True}, {"jid": HUGO, "supervisor": True}]},
        {"name": "order line", "pbx": "hq", "queue": "orders", "operators": [{"jid": BORIS}]},
    ],
}
# What can be ordered, and more attributes of it.
ORDERS = [("answer", {}), ("hangup", {}), ("hold", {}), ("unhold", {}), ("park", {}), ("pickup", {}), ("transfer", {"mode": "blind", "to": "203"}),
          ("transfer", {"mode": "attended", "to": "203"}), ("transfer", {"mode": "complete"}), ("transfer", {"mode": "cancel"})]


def prepare(site):
    _prepare(site)
    site.daemon.migrate()
    file = pathlib.Path(site.daemon.folder) / "roster.yaml"
    file.write_text(yaml.safe_dump(ROSTER))
    done = site.daemon.command("import", str(file))
    assert done.returncode == 0, (done.stdout, done.stderr)


@pytest.fixture(scope="module")
def company():
    need("asterisk-22")
    running = Desks(prepare)
    for user in ("hugo", "stranger"):
        running.site.client(user)
    yield running
    running.stop()


@pytest.fixture
def calm(company):
    for phone in company.phones.values():
        phone.obeys = True
        phone.behaviour = "manual"
        phone.calls.clear()
    company.calm()
    yield company
    company.calm()


@pytest.mark.parametrize("who, jid", [("hugo", HUGO), ("clara", CLARA)])
def test_what_the_responsible_order_is_done_at_the_phone_of_the_operator(calm, who, jid):
    caller = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.do(who, "answer", pop, on_behalf_of=ANNA)
    calm.phone("201").wait("talking", 0.5)
    calm.anna.expect(state="answered")
    calm.do(who, "hold", pop, on_behalf_of=ANNA)
    calm.anna.expect(state="held")
    calm.anna.clear()
    calm.do(who, "unhold", pop, on_behalf_of=ANNA)
    calm.anna.expect(state="answered")
    calm.do(who, "transfer", pop, on_behalf_of=ANNA, mode="blind", to="203")
    calm.anna.expect(state="ended")
    calm.phone("203").wait("ringing")
    caller.hangup()
    rows = wait_until(lambda: (found := calm.database.rows("SELECT action, asked_by, jid FROM cti_dial WHERE `call` = %s AND outcome = 'done' ORDER BY at, id", pop.id))
                      and len(found) == 4 and found, 10, "four rows of the audit", 0.1)
    assert [row["action"] for row in rows] == ["answer", "hold", "unhold", "transfer-blind"]
    assert {(row["asked_by"], row["jid"]) for row in rows} == {(jid, ANNA)}


def test_an_application_dials_for_and_hears_of_those_it_is_responsible_for(calm):
    answer = calm.client_of("hugo").request(f"<dial xmlns='{NS}' number='203' on-behalf-of='{ANNA}'/>")
    assert answer.get("type") == "result", answer
    calm.phone("201").wait("ringing")
    calls = calm.client_of("hugo").request(f"<calls xmlns='{NS}' on-behalf-of='{ANNA}'/>", "get")
    assert [call.get("state") for call in calls.iter(f"{{{NS}}}call")] == ["dialing"]
    notice = calm.anna.expect(state="dialing")
    calm.do("hugo", "hangup", notice, on_behalf_of=ANNA)
    calm.anna.expect(state="ended")


@pytest.mark.parametrize("who", ["hugo", "clara", "anna", "stranger"])
def test_everything_else_is_forbidden_and_nothing_happens(calm, who):
    _, notice = calm.talk("202", "boris")
    for element, attributes in ORDERS:
        answer = calm.ask(who, element, notice, on_behalf_of=BORIS, **attributes)
        condition, rule, _ = refusal(answer)
        assert condition == "forbidden" and rule in ("on-behalf-of", "operator"), (element, attributes)
    for element, kind in (("dial", "set"), ("calls", "get"), ("history", "get"), ("directory", "get"), ("agent", "get"), ("me", "get")):
        answer = calm.client_of(who).request(f"<{element} xmlns='{NS}' number='203' on-behalf-of='{BORIS}'/>", kind)
        assert error_of(answer) == "forbidden", element
    assert calm.phone("202").talking and calm.phone("203").idle and calm.phone("201").idle
    rows = calm.database.rows("SELECT outcome, asked_by FROM cti_dial WHERE `call` = %s", notice.id)
    assert all(row["outcome"] == "refused:on-behalf-of" for row in rows) and bool(rows) == (who != "stranger")


def test_the_right_person_but_somebody_elses_call(calm):
    """Being responsible for Anna gives no hold of a call that is not hers."""
    _, notice = calm.talk("202", "boris")
    for element, attributes in ORDERS:
        if element == "pickup":     # hers to take, if she were Boris' colleague
            continue
        assert refusal(calm.ask("hugo", element, notice, on_behalf_of=ANNA, **attributes))[0] == "item-not-found", element
    assert refusal(calm.ask("hugo", "pickup", notice, on_behalf_of=ANNA))[0] in ("item-not-found", "conflict")
    assert calm.phone("202").talking
