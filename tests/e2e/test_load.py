"""Calls of every kind at once, and a link that breaks twice: what the daemon writes is what the simulated pbx knows."""
import json
import time

import pytest
from conftest import need  # noqa: F401  the lab's folder is in sys.path from here on
from centre import DISPOSITIONS, SLACK, Centre
from lab.process import wait_until

PEOPLE = [str(extension) for extension in range(210, 280)]
CALLS = 300


def outage(centre: Centre, at: float, happen):
    time.sleep(max(0.0, at - time.time()))
    ups = centre.up_count()
    begin = time.time()
    happen()
    # Down, and up again: the daemon says so itself.
    wait_until(lambda: centre.up_count() > ups, 20, "the link is up again", 0.02)
    centre.outages.append((begin - SLACK, time.time() + SLACK))


@pytest.fixture(scope="module")
def load():
    centre = Centre(PEOPLE, PEOPLE[40:])
    try:
        centre.site.daemon.start()
        started = time.time()
        generated = centre.pbx.mix(16.0, CALLS)
        outage(centre, started + 6.0, lambda: centre.pbx.do("drop"))
        outage(centre, started + 13.0, lambda: centre.pbx.do("restart"))
        centre.finish(generated)
        yield centre
    finally:
        centre.stop()


def test_every_call_the_daemon_saw_whole_is_a_row_as_the_ledger_has_it(load):
    entries = {key: entry for key, entry in load.ledger.items() if load.undisturbed(entry)}
    faults = [fault for key, entry in entries.items() for fault in load.faults_of(key, entry)]
    kinds = {entry.disposition for entry in entries.values()}
    assert len(entries) > 0.4 * CALLS and {"answered", "no-answer", "busy", "abandoned"} <= kinds, (len(entries), kinds)
    assert not faults, f"{len(faults)} faults in {len(entries)} calls:\n" + "\n".join(faults[:60])


def test_no_call_is_invented_doubled_or_left_open(load):
    assert not load.invented()


def test_a_call_an_outage_touched_is_closed_with_what_could_be_known(load):
    touched = {key: entry for key, entry in load.ledger.items() if not load.undisturbed(entry)}
    faults = []
    for key, entry in touched.items():
        row = load.calls.get(key)
        if row is None:
            if not load.hidden(entry):
                faults.append(f"{key}: no row, though {entry}")
            continue
        if row["merged_into"]:
            continue
        if row["caller_number"] != entry.caller:
            faults.append(f"{key}: caller {row['caller_number']!r}, not {entry.caller!r}")
        allowed = {DISPOSITIONS[entry.disposition], "lost", "answered" if entry.answered else "lost"}
        if row["disposition"] not in allowed:
            faults.append(f"{key}: {row['disposition']}, not one of {allowed}: {entry}; there is {row} and {load.legs.get(key)}")
    assert len(touched) > 10, "the outages met calls"
    assert not faults, f"{len(faults)} faults in {len(touched)} calls, outages {load.outages}:\n" + "\n".join(faults[:40])


def test_the_outages_were_seen(load):
    text = load.site.daemon.text()
    assert text.count("link=pbx:hq down:") >= 2, json.dumps([line for line in text.splitlines() if "link=pbx" in line])
