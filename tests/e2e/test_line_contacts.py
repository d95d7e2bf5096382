"""Telephone lines as contacts in any contact list: EXT@COMPONENT, subscribed to by plain clients at real servers, with real phones."""
import xml.etree.ElementTree as ET

import pytest
from company import PAVEL
from lab.client import NS
from lab.process import wait_until
from lab.xmpp_servers import COMPONENT


class Watcher:
    """A client that keeps a contact list: what it sees of our contacts, oldest first."""

    def __init__(self, client):
        self.client, self.seen = client, []
        client.on_presence = self._hear
        client.roster = True
        if client.online:
            client.ask_roster()

    def _hear(self, element):
        sender = element.get("from").split("/")[0]
        if sender.endswith(COMPONENT):
            self.seen.append(element)

    def ask(self, kind: str, line: str):
        self.client.raw(f"<presence to='{line}@{COMPONENT}' type='{kind}'/>")

    def of(self, line: str) -> list:
        return [e for e in self.seen if e.get("from").split("@")[0] == line]

    def states(self, line: str) -> list:
        return [e.find(f"{{{NS}}}line").get("state") for e in self.of(line) if e.find(f"{{{NS}}}line") is not None]

    def wait(self, line: str, state: str, timeout: float = 10):
        wait_until(lambda: self.states(line)[-1:] == [state], timeout, f"{line} is shown as {state}; it was {self.states(line)}", 0.05)

    def answered(self, line: str, kind: str):
        wait_until(lambda: any(e.get("type") == kind for e in self.of(line)), 10, f"{line} says {kind}", 0.05)


def subscribed(watcher: Watcher, line: str):
    """Asked for, and answered; a server that knows of the subscription already says nothing: it is taken back first."""
    watcher.ask("unsubscribe", line)
    watcher.ask("subscribe", line)
    watcher.answered(line, "subscribed")


def show(element) -> str:
    return next((e.text for e in element if e.tag.endswith("}show")), "")


def test_a_line_is_free_rings_is_busy_and_says_nothing_of_the_other_party(calm):
    anna = Watcher(calm.anna)
    subscribed(anna, "202")
    anna.wait("202", "idle")
    caller = calm.inbound("202", PAVEL, "Pavel Secret")
    anna.wait("202", "ringing")
    assert show(anna.of("202")[-1]) == "away"
    calm.phone("202").accept()
    anna.wait("202", "busy")
    assert show(anna.of("202")[-1]) == "dnd"
    caller.hangup()
    anna.wait("202", "idle")
    assert anna.of("202")[-1].get("type") is None and show(anna.of("202")[-1]) == ""
    for element in anna.seen:
        text = ET.tostring(element, encoding="unicode")
        assert "Secret" not in text and PAVEL[4:] not in text and "Pavel" not in text, text
    anna.ask("unsubscribe", "202")
    anna.answered("202", "unavailable")


def test_a_phone_that_never_came_is_not_there(calm):
    boris = Watcher(calm.boris)
    subscribed(boris, "204")         # exists in the exchange and never registers
    wait_until(lambda: boris.states("204"), 10, "204 is shown")
    # What Asterisk has never told of (a phone that did not register since its start) is not known.
    assert boris.states("204")[-1] in ("unregistered", "unknown") and boris.of("204")[-1].get("type") == "unavailable"


def test_a_phone_that_leaves_and_comes_back(calm):
    boris, phone = Watcher(calm.boris), calm.phone("205")
    subscribed(boris, "205")
    boris.wait("205", "idle")
    phone.stop()
    try:
        boris.wait("205", "unregistered", timeout=30)
        assert boris.of("205")[-1].get("type") == "unavailable"
    finally:
        phone.start()
    boris.wait("205", "idle", timeout=30)


def test_what_is_no_line_is_refused(calm):
    anna = Watcher(calm.anna)
    anna.ask("subscribe", "299")
    anna.answered("299", "unsubscribed")
    assert anna.states("299") == []



def test_a_client_that_signs_in_again_is_told_at_once(calm):
    """The server probes for each contact of the list at login."""
    first = calm.site.client("clara", resource="morning")
    subscribed(Watcher(first), "201")
    first.stop()
    calm.site.clients.remove(first)
    watchers = []
    again = calm.site.client("clara", resource="noon", prepare=lambda client: watchers.append(Watcher(client)))
    try:
        watchers[0].wait("201", "idle")
    finally:
        watchers[0].ask("unsubscribe", "201")
        watchers[0].answered("201", "unavailable")
        again.stop()
        calm.site.clients.remove(again)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_subscriptions_outlive_the_daemon(calm, end):
    anna = Watcher(calm.anna)
    subscribed(anna, "203")
    anna.wait("203", "idle")
    anna.seen.clear()
    if end == "stopped":
        calm.site.daemon.stop()
        anna.wait("203", "unknown")
        assert anna.of("203")[-1].get("type") == "unavailable"
    else:
        calm.site.daemon.kill()
    anna.seen.clear()
    calm.site.daemon.start()
    anna.wait("203", "idle")
    caller = calm.inbound("203", PAVEL)
    anna.wait("203", "ringing")
    caller.hangup()
    anna.wait("203", "idle")
    assert not any(e.get("type") == "unsubscribed" for e in anna.seen)


def test_a_lost_exchange_and_a_lost_server_are_seen_and_made_good(calm):
    anna = Watcher(calm.anna)
    subscribed(anna, "202")
    anna.wait("202", "idle")
    calm.pbx.kill()
    try:
        anna.wait("202", "unknown")
        boris = Watcher(calm.boris)
        boris.ask("subscribe", "299")            # nobody can tell: it is answered when the exchange is back
        boris.ask("subscribe", "203")
        boris.answered("203", "subscribed")      # an operator's phone is known from our own tables
    finally:
        calm.pbx.start()
    anna.wait("202", "idle", timeout=60)
    boris.answered("299", "unsubscribed")
