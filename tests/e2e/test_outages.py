"""Links, servers and the daemon itself fail while calls go on: nothing is lost, nothing is said twice, nothing stale pops."""
import time

import pytest
from company import ANNA, PAVEL, Company, states
from conftest import need
from lab.client import NS, Client
from lab.process import wait_until
from lab.proxy import Proxy


@pytest.fixture(scope="module")
def running():
    """Asterisk 22 and Prosody, each behind a link that can be cut."""
    need("asterisk-22")
    proxies = {}

    def prepare(site):
        for name, port in (("ami", site.pbx.ami), ("xmpp", site.xmpp.component)):
            proxies[name] = site._begin(Proxy(port))
        site.daemon.config["pbx"][0]["port"] = proxies["ami"].port
        site.daemon.config["xmpp"]["port"] = proxies["xmpp"].port
        site.daemon.write()
    company = Company(prepare=prepare)
    company.ami, company.component = proxies["ami"], proxies["xmpp"]
    yield company
    company.stop()


@pytest.fixture
def calm(running):
    running.calm()
    yield running
    running.ami.mend()
    running.component.mend()
    running.calm()


def pops_again(company, timeout=15):
    """The whole chain works: a call pops."""
    def tried():
        company.calm()
        company.inbound("201")
        try:
            return company.anna.expect(timeout=2, state="ringing")
        except Exception:
            return None
    pop = wait_until(tried, timeout, "calls pop again", 0.1)
    company.calm()
    return pop


def test_database_down_during_a_call(calm):
    calm.database.kill()
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    assert [m.get("id") for m in pop.matches] == ["120"]          # the index answers alone
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered")
    call.hangup()
    calm.anna.expect(state="ended")
    calm.database.start()
    row = calm.call_row(pop.id, 30)
    assert (row["disposition"], row["answered_by"], str(row["record"])) == ("answered", ANNA, "120")
    assert calm.crm_row(pop.id, "completed", 30)["smownerid"] == 5
    assert len(calm.leg_rows(pop.id, 1)) == 1


def test_component_link_cut_during_a_call(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.component.cut()
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    call.wait("answered")
    call.hangup()
    call2 = calm.inbound("202")                                    # rings and ends while nobody can be told
    calm.phone("202").wait("ringing")
    call2.hangup()
    time.sleep(0.5)
    calm.component.mend()
    assert calm.anna.expect(timeout=15, state="ended", leg=pop.leg).cause == "hangup"
    calm.boris.quiet(1, state="ringing")                           # never a stale pop
    assert len(calm.anna.find(state="ended", leg=pop.leg)) == 1
    assert calm.call_row(pop.id)["disposition"] == "answered"


def test_component_link_cut_and_the_phone_still_rings_after(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.component.cut()
    time.sleep(0.5)
    calm.component.mend()
    answer = wait_until(lambda: current(calm.anna), 15, "the current snapshot is told", 0.2)
    assert [(c.get("leg"), c.get("state")) for c in answer] == [(pop.leg, "ringing")]


def current(client):
    try:
        answer = client.request(f"<calls xmlns='{NS}'/>", "get", timeout=1)
    except Exception:
        return None
    calls = answer.find(f"{{{NS}}}calls")
    return None if calls is None else calls.findall(f"{{{NS}}}call")


def test_xmpp_server_restarted_during_a_call(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered", leg=pop.leg)
    calm.xmpp.restart()
    call.hangup()
    for user in ("anna", "boris", "clara"):
        old = getattr(calm, user)
        calm.site.clients.remove(old)
        old.stop()
        setattr(calm, user, calm.site.client(user))
    assert wait_until(lambda: current(calm.anna) == [], 15, "the daemon answers again and shows no call", 0.2)
    assert calm.anna.find(state="ringing") == []
    assert calm.call_row(pop.id)["disposition"] == "answered"
    pops_again(calm)


def test_ami_link_cut_and_the_call_ends_unseen(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered")
    calm.ami.cut()
    call.hangup()
    time.sleep(0.5)
    calm.ami.mend()
    assert calm.anna.expect(timeout=15, state="ended", leg=pop.leg).cause == "lost"
    row = calm.call_row(pop.id)
    assert row["disposition"] in ("answered", "lost") and row["answered_by"] == ANNA
    pops_again(calm)


def test_ami_link_cut_and_the_call_goes_on(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered")
    calm.ami.cut()
    time.sleep(0.5)
    calm.ami.mend()
    wait_until(lambda: [(c.get("leg"), c.get("state")) for c in current(calm.anna) or []] == [(pop.leg, "answered")], 15, "the call is still shown", 0.2)
    time.sleep(1)
    assert calm.anna.find(state="ended") == []
    call.hangup()
    assert calm.anna.expect(state="ended", leg=pop.leg).cause == "hangup"
    assert calm.call_row(pop.id)["disposition"] == "answered"


def test_asterisk_killed_during_a_call(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.pbx.kill()
    calm.pbx.start()
    assert calm.anna.expect(timeout=20, state="ended", leg=pop.leg).cause == "lost"
    pops_again(calm)                                   # Asterisk keeps the registrations in its own database


def test_asterisk_restarted_while_idle(calm):
    calm.pbx.restart()
    pops_again(calm)


def test_daemon_killed_during_a_call(calm):
    call = calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    calm.phone("201").wait("ringing")
    calm.phone("201").accept()
    calm.anna.expect(state="answered", leg=pop.leg)
    time.sleep(0.4)                                    # durable 100 ms after reading, 300 ms allowed for what was sent
    calm.daemon.kill()
    call.hangup()
    calm.phone("201").wait("idle")
    calm.daemon.start()
    assert calm.anna.expect(timeout=15, state="ended", leg=pop.leg).cause == "lost"
    time.sleep(1)
    assert len(calm.anna.find(state="ended", leg=pop.leg)) == 1
    assert calm.call_row(pop.id, 15)["answered_by"] == ANNA
    assert len({n.epoch for n in calm.anna.find()}) == 2           # a client sees that it has to ask


def test_daemon_killed_and_the_phone_still_rings_after(calm):
    calm.inbound("201")
    pop = calm.anna.expect(state="ringing")
    time.sleep(0.4)
    calm.daemon.kill()
    calm.daemon.start()
    wait_until(lambda: [(c.get("leg"), c.get("state")) for c in current(calm.anna) or []] == [(pop.leg, "ringing")], 15, "the ring is known again", 0.2)
    calm.phone("201").accept()
    calm.anna.expect(state="answered", leg=pop.leg)
    calm.phone("201").hangup()
    assert calm.anna.expect(state="ended", leg=pop.leg).cause == "hangup"
    row = calm.call_row(pop.id)
    assert (row["disposition"], row["answered_by"]) == ("answered", ANNA)
    assert states(calm.anna, pop.leg).count("ended") == 1


def test_everything_is_down_at_the_start_and_comes_later(calm):
    calm.daemon.stop()
    calm.ami.cut()
    calm.component.cut()
    calm.database.kill()
    calm.daemon.start()                                # READY: each link's first attempt is decided, the index is in the cache
    calm.database.start()
    calm.ami.mend()
    calm.component.mend()
    pop = pops_again(calm, 30)
    assert [m.get("id") for m in pop.matches] == ["120"]
