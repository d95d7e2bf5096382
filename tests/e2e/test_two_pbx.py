"""Two pbx with equal extensions at the same time: every pop at the right person."""
import pytest
from company import ANNA, BORIS, PAVEL, Company
from conftest import need
from lab.client import NS, error_of


@pytest.fixture(scope="module")
def running():
    need("asterisk-22", "asterisk-16")

    def prepare(site):
        for user, extension in (("anna", "hq/201"), ("boris", "branch/201"), ("clara", "hq/202"), ("hugo", "branch/202"), ("david", "203"), ("filip", "")):
            site.database.rows("UPDATE vtiger_users SET phone_crm_extension = %s WHERE user_name = %s", extension, user, database="vtiger")
    company = Company(asterisk=(22, 16), prepare=prepare)
    company.hugo = company.site.client("hugo")
    company.david = company.site.client("david")
    yield company
    company.stop()


@pytest.fixture
def calm(running):
    running.calm()
    yield running
    running.calm()


def test_equal_extensions_ring_at_once(calm):
    first = calm.inbound("201", PAVEL, pbx=0)
    second = calm.inbound("201", "+420603000003", pbx=1)
    anna, boris = calm.anna.expect(state="ringing"), calm.boris.expect(state="ringing")
    assert (anna.pbx, anna.party.get("number"), [m.get("id") for m in anna.matches]) == ("hq", PAVEL, ["120"])
    assert (boris.pbx, boris.party.get("number")) == ("branch", "+420603000003")
    calm.phone("201", "hq").wait("ringing")
    calm.phone("201", "branch").wait("ringing")
    calm.phone("201", "branch").accept()
    calm.boris.expect(state="answered", leg=boris.leg)
    first.hangup()
    assert calm.anna.expect(state="ended", leg=anna.leg).cause == "cancelled"
    second.hangup()
    assert calm.boris.expect(state="ended", leg=boris.leg).cause == "hangup"
    assert {n.pbx for n in calm.anna.find()} == {"hq"} and {n.pbx for n in calm.boris.find()} == {"branch"}
    assert calm.clara.find() == [] and calm.hugo.find() == []
    assert calm.call_row(anna.id)["pbx"] == "hq" and calm.call_row(boris.id)["answered_by"] == BORIS


def test_many_calls_crosswise(calm):
    """Eight calls on two servers, started together: each at the one person it is for."""
    people = [(calm.anna, "201", 0), (calm.boris, "201", 1), (calm.clara, "202", 0), (calm.hugo, "202", 1)]
    for turn in range(2):
        for index, (_, extension, pbx) in enumerate(people):
            calm.inbound(extension, f"+4207991{turn}{index}000", pbx=pbx)
    for index, (client, _, _) in enumerate(people):
        wanted = {f"+4207991{turn}{index}000" for turn in range(2)}
        for number in wanted:
            client.expect(state="ringing", where=lambda n, number=number: n.party.get("number") == number)
        assert {n.party.get("number") for n in client.find(state="ringing")} == wanted


def test_click_to_dial_rings_the_own_phone(calm):
    assert error_of(calm.boris.dial(PAVEL)) == ""
    calm.phone("201", "branch").wait("ringing")
    assert calm.phone("201", "hq").idle
    assert calm.boris.expect(state="dialing").pbx == "branch"
    assert error_of(calm.anna.dial(PAVEL)) == ""
    calm.phone("201", "hq").wait("ringing")
    assert calm.anna.expect(state="dialing").pbx == "hq"


def test_operator_without_a_pbx_gets_no_pop(calm):
    """With several pbx an extension alone names nobody: check says so."""
    calm.inbound("203", pbx=0)
    calm.inbound("203", pbx=1)
    calm.phone("203", "hq").wait("ringing")
    calm.phone("203", "branch").wait("ringing")
    calm.david.quiet(1)
    done = calm.daemon.command("check")
    assert "david" in done.stdout + done.stderr
