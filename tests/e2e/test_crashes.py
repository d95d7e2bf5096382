"""The daemon is killed again and again under load (SIGKILL, at random moments, while starting too): what it has written in the end is what happened."""
import os
import random
import time

import pytest
from conftest import need  # noqa: F401  the lab's folder is in sys.path from here on
from centre import DISPOSITIONS, SLACK, Centre
from kinds import seconds
from lab.client import Client
from lab.daemon import binary
from lab.process import Child, wait_until

PEOPLE = [str(extension) for extension in range(210, 250)]
WATCHED = PEOPLE[:6] + PEOPLE[24:27]        # who has a client
KILLS = int(os.environ.get("CTIBRIDGE_KILLS", "50"))
SEED = int(os.environ.get("CTIBRIDGE_SEED", "1"))
PER_SECOND = 6.0
CLOSE = 1.0
WIDEST = 20.0      # seconds: of the window in which an unseen end lies; the daemon notes every 5 s that it follows, and a start takes some


class Crashes:
    def __init__(self):
        self.centre = Centre(PEOPLE, PEOPLE[24:])
        try:
            self._run(random.Random(SEED))
        except BaseException:
            self.centre.stop()
            raise

    def _run(self, choose):
        centre, site = self.centre, self.centre.site
        accounts = next((site.folder.path / "xmpp").glob("data/*/accounts"))
        for extension in WATCHED:
            site.clients.append(Client(site.xmpp, f"p{extension}", console=True))
        for client in site.clients:
            _account(accounts, client)
            client.start()
        site.daemon.start()
        generated = centre.pbx.mix(PER_SECOND, int(PER_SECOND * KILLS * 1.6))
        for kill in range(KILLS):
            time.sleep(choose.uniform(0.05, 2.0))
            ups, begin = centre.up_count(), time.time()
            site.daemon.kill()
            if choose.random() < 0.2:
                self._stillborn(site, choose.uniform(0.0, 0.4))
            site.daemon.start()
            wait_until(lambda ups=ups: centre.up_count() > ups, 20, f"the link is up after kill {kill}", 0.02)
            centre.outages.append((begin - SLACK, time.time() + SLACK))
        centre.finish(generated)

    @staticmethod
    def _stillborn(site, seconds_to_live: float):
        child = Child("ctibridge", [str(binary()), "run", "--config", str(site.daemon.file)], site.daemon.log, cwd=site.daemon.folder)
        time.sleep(seconds_to_live)
        child.kill()

    def outage_of(self, moment: float):
        """Outages that touch each other are one."""
        begin = end = None
        for first, last in self.centre.outages:
            if end is not None and first <= end:
                end = last
            elif end is not None and begin <= moment <= end:
                break
            else:
                begin, end = first, last
        return (begin, end) if begin is not None and begin <= moment <= end else None


def _account(folder, client):
    from lab.xmpp_servers import password
    (folder / f"{client.user}.dat").write_text(f'return {{ ["password"] = "{password(client.user)}"; }};\n')


@pytest.fixture(scope="module")
def crashes():
    running = Crashes()
    yield running
    running.centre.stop()


def test_a_call_between_two_kills_is_a_row_as_the_ledger_has_it(crashes):
    centre = crashes.centre
    whole = {key: entry for key, entry in centre.ledger.items() if centre.undisturbed(entry)}
    faults = [fault for key, entry in whole.items() for fault in centre.faults_of(key, entry)]
    assert not faults, f"{len(faults)} faults in {len(whole)} calls:\n" + "\n".join(faults[:60])


def test_no_call_is_invented_doubled_or_left_open(crashes):
    assert not crashes.centre.invented()


def test_a_call_that_met_a_kill_has_its_row_with_an_end_that_is_true(crashes):
    centre, faults = crashes.centre, []
    met = {key: entry for key, entry in centre.ledger.items() if not centre.undisturbed(entry)}
    for key, entry in met.items():
        row = centre.calls.get(key)
        if row is None:
            gap = crashes.outage_of(entry.started)
            if not gap or entry.ended > gap[1]:
                faults.append(f"{key}: no row, though {entry}")
            continue
        if row["merged_into"]:
            continue
        if row["caller_number"] != entry.caller:
            faults.append(f"{key}: caller {row['caller_number']!r}, not {entry.caller!r}")
        allowed = {DISPOSITIONS[entry.disposition], "answered" if entry.answered else "lost"}
        gap = crashes.outage_of(entry.ended)
        if gap:
            allowed.add("lost")
        if row["disposition"] not in allowed:
            faults.append(f"{key}: {row['disposition']}, not one of {allowed}: {entry}; there is {row} and {centre.legs.get(key)}")
        first, last = seconds(row["ended"]), seconds(row["ended_by"] or row["ended"])
        if not first - CLOSE <= entry.ended <= last + CLOSE:
            faults.append(f"{key}: ended between {first:.3f} and {last:.3f}, not at {entry.ended:.3f}: {entry}; there is {row}")
        if last - first > WIDEST:
            faults.append(f"{key}: the end is only known to {last - first:.1f} s: {row}")
        if not gap and row["ended_by"]:
            faults.append(f"{key}: its end was seen, but the row has a window: {entry}; there is {row}")
        if row["answered"] and not entry.answered:
            faults.append(f"{key}: answered, though {entry}")
    assert len(met) > KILLS, "the kills met calls"
    assert not faults, f"{len(faults)} faults in {len(met)} calls:\n" + "\n".join(faults[:30])


def test_every_ring_a_client_was_told_of_is_taken_back(crashes):
    """After a kill the end may be said twice, by the old daemon and by the new one: never something else afterwards."""
    faults, rings = [], 0
    for client in crashes.centre.site.clients:
        told = client.find()
        for leg in {notice.leg for notice in told}:
            mine = [notice.state for notice in told if notice.leg == leg]
            rings += 1
            if "ended" not in mine or any(state != "ended" for state in mine[mine.index("ended"):]):
                faults.append(f"{client.jid} {leg}: {mine}")
    assert rings > KILLS / 2, f"{rings} rings were told"
    assert not faults, f"{len(faults)} faults in {rings} rings:\n" + "\n".join(faults[:30])
