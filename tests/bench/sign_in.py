"""A thousand operators sign in at once: from the first request to the last answer, which comes when Asterisk's event says so."""
import pathlib
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.daemon import Daemon, configuration            # noqa: E402
from lab.process import wait_until                       # noqa: E402
from load import crowd                                   # noqa: E402
from load.pbx import Simulated                           # noqa: E402
from pops import cpu_seconds, memory_kib                 # noqa: E402


def measure(root, xmpp, database, count: int = 1000, action_times=(0.0, 0.001)) -> list:
    """`action_times`: what the pbx takes for each action, one after the other."""
    people = crowd.extensions(count)
    pbx = Simulated("hq", extensions=people)
    for queue in crowd.SERVICES:
        pbx.do("queue", queue)
    pbx.start()
    daemon = Daemon(root / "sign-in", configuration(root / "sign-in", [pbx], xmpp, database))
    daemon.config["pbx"][0].update(extensions=["3???"])
    daemon.config["log"]["level"] = "info"
    daemon.write()
    daemon.migrate()
    roster = daemon.folder / "roster.yaml"
    roster.write_text(yaml.safe_dump(crowd.roster(count)))
    done = daemon.command("import", str(roster))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    daemon.start()
    client = None
    try:
        wait_until(lambda: f"services={len(crowd.SERVICES)}" in daemon.text() and "link=pbx:hq state=up" in daemon.text(), 30, "people and pbx are known", 0.1)
        client = crowd.Crowd(xmpp.c2s)
        return [_round(daemon, pbx, client, people, action_time) for action_time in action_times]
    finally:
        if client:
            client.close()
        daemon.stop()
        pbx.close()


def _round(daemon, pbx, client, people, action_time) -> dict:
    pbx.pbx.action_time, pbx.pbx.most_waiting = action_time, 0
    cpu, before = cpu_seconds(daemon.child.pid), len(crowd.actions(pbx, "QueueAdd"))
    seconds = client.ask(people, "ready")
    if client.refused() or sum(len(queue) for queue in crowd.members(pbx).values()) != 2 * len(people):
        raise RuntimeError(f"not everybody is in: {client.refused()[:3]}")
    row = {"operators": len(people), "queue_adds": len(crowd.actions(pbx, "QueueAdd")) - before, "action_ms": 1000 * action_time, "seconds": round(seconds, 2),
           "most_at_the_pbx": pbx.pbx.most_waiting, "cpu_seconds": round(cpu_seconds(daemon.child.pid) - cpu, 2), "memory_kib": memory_kib(daemon.child.pid)}
    client.ask(people, "logged-out")
    return row
