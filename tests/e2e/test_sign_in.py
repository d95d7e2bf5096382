"""A thousand operators sign in at once: all are in their queues, as the simulated pbx has it, no action was lost or sent twice, and few were under way at once.

How long it takes is measured by tests/bench/run."""
import collections

import pytest
import yaml
from conftest import need  # noqa: F401  the lab's folder is in sys.path from here on
from lab.process import wait_until
from lab.site import Site
from load import crowd
from load.pbx import Simulated

PEOPLE = 1000
IN_FLIGHT = 32          # of the agents, per pbx
OTHERS = 8              # the session's own: ping, lists


class Shift:
    def __init__(self):
        self.site, self.pbx, self.client = Site(asterisk=(), phones=()), None, None
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self):
        self.people = crowd.extensions(PEOPLE)
        self.pbx = Simulated("hq", extensions=self.people)
        for queue in crowd.SERVICES:
            self.pbx.do("queue", queue)
        self.site.add(self.pbx.start())
        daemon = self.site.daemon
        daemon.config["pbx"][0].update(extensions=["3???"])
        daemon.config["log"]["level"] = "info"
        daemon.write()
        daemon.migrate()
        roster = daemon.folder / "roster.yaml"
        roster.write_text(yaml.safe_dump(crowd.roster(PEOPLE)))
        done = daemon.command("import", str(roster))
        assert done.returncode == 0, (done.stdout, done.stderr)
        daemon.start()
        wait_until(lambda: f"services={len(crowd.SERVICES)}" in daemon.text() and "link=pbx:hq state=up" in daemon.text(), 30, "people and pbx are known", 0.1)
        self.client = crowd.Crowd(self.site.xmpp.c2s)
        self.pbx.pbx.action_time = 0.0005       # Asterisk's session does one after the other

    def stop(self):
        if self.client:
            self.client.close()
        daemon = self.site.daemon
        code, text, fault = daemon.stop(), daemon.text(), daemon.fault()
        self.site.stop()
        if self.pbx:
            self.pbx.close()
        assert code in (None, 0) and not fault, fault or text[-4000:]


@pytest.fixture(scope="module")
def shift():
    running = Shift()
    yield running
    running.stop()


def expected(shift) -> dict:
    return {queue: {one: int(one) % 7 for one in shift.people if queue in crowd.services_of(one)} for queue in crowd.SERVICES}


def penalties(shift) -> dict:
    return {queue: {extension: member.penalty for extension, member in members.items()} for queue, members in crowd.members(shift.pbx).items()}


def test_all_of_them_are_in_their_queues(shift):
    shift.pbx.pbx.most_waiting = 0
    shift.client.ask(shift.people, "ready")
    assert shift.client.refused() == []
    assert penalties(shift) == expected(shift)
    assert not [member for queue in crowd.members(shift.pbx).values() for member in queue.values() if member.paused]
    assert all(b"state='ready'" in stanza or b'state="ready"' in stanza for _, stanza in shift.client.answers.values())


def test_no_action_was_lost_or_sent_twice(shift):
    added = collections.Counter((one["Queue"], one["Interface"]) for one in crowd.actions(shift.pbx, "QueueAdd"))
    assert added == {(queue, f"PJSIP/{extension}"): 1 for queue, people in expected(shift).items() for extension in people}
    names = {one["Interface"]: one["MemberName"] for one in crowd.actions(shift.pbx, "QueueAdd")}
    assert names == {f"PJSIP/{extension}": f"Person {extension}" for extension in shift.people}


def test_few_actions_are_under_way_at_once(shift):
    assert 1 < shift.pbx.pbx.most_waiting <= IN_FLIGHT + OTHERS


def test_all_of_them_sign_out_as_well(shift):
    shift.client.ask(shift.people, "logged-out")
    assert shift.client.refused() == []
    assert penalties(shift) == {queue: {} for queue in crowd.SERVICES}
    assert shift.pbx.pbx.most_waiting <= IN_FLIGHT + OTHERS
