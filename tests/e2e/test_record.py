"""`record` beside the running daemon: its own session's bytes, no second login, no secret, with pseudonyms when asked."""
import json
import pathlib
import signal
import stat
import subprocess
import time

import pytest
from company import PAVEL
from lab.daemon import binary
from lab.process import wait_until
from quick import Quick


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("control")

    def prepare(site):
        site.daemon.config["control"] = str(folder / "socket")
    company = Quick(prepare=prepare)
    company.work = folder
    yield company
    company.stop()


def logins(running) -> int:
    return sum("login" in report for report in running.exchange.reports)


class Recording:
    def __init__(self, running, name: str, *options):
        self.file = running.work / name
        self.child = subprocess.Popen([str(binary()), "record", "--config", str(running.site.daemon.file), *options, "hq", str(self.file)],
                                      stderr=subprocess.PIPE, text=True)
        self.times = self.file.with_suffix(".times")

    def stop(self) -> str:
        self.child.send_signal(signal.SIGINT)
        _, text = self.child.communicate(timeout=30)
        assert self.child.returncode == 0, text
        return text

    def wait_for(self, text: bytes):
        wait_until(lambda: self.file.exists() and text in self.file.read_bytes(), 20, f"{text} is in the recording")

    def replayed(self, running) -> list:
        done = subprocess.run([str(binary()), "replay", "--config", str(running.site.daemon.file), "--people", str(people(running)), "--times",
                               str(self.times), str(self.file)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def people(running) -> pathlib.Path:
    file = running.work / "people.yaml"
    file.write_text('[{jid: anna@example.org, pbx: hq, extension: "201"}]')
    return file


def one_call(running):
    call = running.ring(kind="no-answer")
    running.anna.expect(state="ringing", id=call)
    running.calm()
    return call


def test_the_daemons_own_session_is_recorded(running):
    before = logins(running)
    recording = Recording(running, "a.ami")
    recording.wait_for(b"Event: ExtensionStateListComplete\r\n")
    call = one_call(running)
    recording.wait_for(b"Event: Hangup\r\n")
    time.sleep(0.3)
    assert "bytes in" in recording.stop()
    data = recording.file.read_bytes()
    assert logins(running) == before
    assert data.startswith(b"Asterisk Call Manager/") and b"sim-secret" not in data and b"Challenge" not in data
    assert [stat.S_IMODE(file.stat().st_mode) for file in (recording.file, recording.times)] == [0o600, 0o600]
    lines = recording.replayed(running)
    states = [line["notice"]["state"] for line in lines if "notice" in line and line["notice"]["id"] == call]
    assert states == ["ringing", "ended"]
    assert [line["call"]["caller_number"] for line in lines if "call" in line] == [PAVEL]


def test_a_recording_that_begins_in_the_middle_knows_what_goes_on(running):
    call = running.ring(kind="no-answer")
    running.anna.expect(state="ringing", id=call)
    recording = Recording(running, "b.ami")
    recording.wait_for(b"Event: ExtensionStateListComplete\r\n")
    running.calm()
    recording.wait_for(b"Event: Hangup\r\n")
    time.sleep(0.3)
    recording.stop()
    notices = [line["notice"] for line in recording.replayed(running) if "notice" in line]
    assert [(n["id"], n["state"]) for n in notices] == [(call, "ringing"), (call, "ended")]


def test_pseudonyms(running):
    recording = Recording(running, "c.ami", "--anonymise")
    time.sleep(1.5)
    one_call(running)
    time.sleep(0.5)
    assert recording.file.read_bytes() == b"", "nothing of a person is on disk meanwhile"
    recording.stop()
    data = recording.file.read_bytes()
    assert PAVEL[1:].encode() not in data and b"\r\nExten: 201" in data
    numbers = {line["notice"]["party"]["number"] for line in recording.replayed(running) if "notice" in line}
    assert len(numbers) == 1 and numbers.pop().startswith("+420")


def test_limits_end_it_by_itself(running):
    start = time.monotonic()
    recording = Recording(running, "d.ami", "--seconds", "1")
    _, text = recording.child.communicate(timeout=30)
    assert recording.child.returncode == 0 and time.monotonic() - start < 20, text
    recording = Recording(running, "e.ami", "--max-size", "300")
    _, text = recording.child.communicate(timeout=30)
    assert recording.child.returncode == 0 and "limit" in text and recording.file.stat().st_size <= 300
    assert recording.file.read_bytes().endswith(b"\r\n")


def test_a_session_of_its_own(running):
    before = logins(running)
    recording = Recording(running, "f.ami", "--direct")
    recording.wait_for(b"Fully Booted")
    wait_until(lambda: logins(running) == before + 1, 10, "a second login")
    recording.wait_for(b"Event: ExtensionStateListComplete\r\n")
    recording.stop()
    assert b"Challenge" not in recording.file.read_bytes()


def test_faults_are_told(running):
    existing = Recording(running, "a.ami")
    assert existing.child.wait(20) == 2 and "does not exist yet" in existing.child.stderr.read()
    done = running.site.daemon.command("record", "nosuch", str(running.work / "g.ami"))
    assert done.returncode == 2 and "no pbx `nosuch`" in done.stderr
