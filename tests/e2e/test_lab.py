"""The lab itself: what it starts is its own, and is gone when whoever started it is."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import need
from lab import places, trees
from lab.asterisk import Asterisk
from lab.phone import Phone
from lab.process import Child, LabError, wait_until
from lab.provider import Provider

TESTS = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture
def folder():
    place = places.Folder()
    yield place.path
    place.remove()


@pytest.mark.parametrize("version", [22, 16])
def test_a_call_goes_through_on_every_asterisk(folder, version):
    need(f"asterisk-{version}")
    pbx = Asterisk(folder / "hq", version).start()
    provider = Provider(pbx).start()
    phone = Phone(folder / "201", pbx, "201").start()
    try:
        call = provider.call("02079460201", "+420601234567", 'A "LEE"')
        phone.wait("ringing")
        call.wait("ringing")
        phone.accept()
        call.wait("answered")
        phone.wait("talking")
        call.hangup()
        phone.wait("idle")
        assert call.code == 0

        provider.behave("0777", 486)
        phone.dial("0777")
        assert provider.taken("0777").wait("ended").code == 486
        assert provider.call("02079460204").wait("ended").code in (404, 480)     # never registers
        wait_until(lambda: pbx.channels() == 0, 5, "all channels are gone")
    finally:
        phone.stop()
        provider.stop()
        pbx.stop()


def test_a_foreign_server_on_the_port_is_not_taken_for_ours(folder):
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        ours = Child("sleeper", ["sleep", "60"], folder / "log")
        try:
            assert not ours.owns(foreign.getsockname()[1])
        finally:
            ours.stop()


def test_a_server_that_ends_at_once_is_reported_with_its_log(folder):
    child = Child("broken", ["sh", "-c", "echo no such database >&2; exit 3"], folder / "log")
    with pytest.raises(LabError, match="(?s)broken ended with 3.*no such database"):
        child.wait_for_port(1)


def test_ports_are_reserved_for_one_lab_at_a_time():
    ports = [places.free_port(3) for _ in range(20)]
    taken = {port + i for port in ports for i in range(3)}
    assert len(taken) == 60


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_whoever_started_it(end):
    need("asterisk-22")
    script = ("import sys, time; sys.path.insert(0, sys.argv[1])\n"
              "from lab import places, asterisk, xmpp_servers\n"
              "f = places.Folder()\n"
              "a = asterisk.Asterisk(f.path / 'hq').start()\n"
              "e = xmpp_servers.Ejabberd(f.path / 'e').start()\n"
              "print(a.child.pid, e.child.pid, f.path, flush=True)\n"
              "time.sleep(60)\n")
    starter = subprocess.Popen([sys.executable, "-c", script, str(TESTS)], stdout=subprocess.PIPE, text=True)
    *pids, left = starter.stdout.readline().split()
    assert pids and all(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)
    starter.send_signal(end)
    starter.wait()

    def gone():
        return not any(running(pid) for pid in pids)
    wait_until(gone, 10, f"{pids} are gone after signal {end}")
    time.sleep(0.1)
    next_lab = places.Folder()          # sweeps what a killed lab left
    assert not pathlib.Path(left).exists()
    next_lab.remove()


def running(pid) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


ONE_LINE = """\
deb [signed-by=/k] http://security.example/debian-security bookworm-security main
deb http://mirror.example/debian/ bookworm-updates main
deb http://tools.example/apt bookworm tools
deb http://mirror.example/debian/ bookworm main contrib
"""
DEB822 = """\
# main archive
Types: deb
# a comment between
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
DISABLED = "Enabled: no\nTypes: deb\nURIs: http://wrong.example/debian\nSuites: bookworm\nComponents: main\n\n" + DEB822


@pytest.mark.parametrize("files", [{"sources.list": ONE_LINE}, {"sources.list.d/debian.sources": DEB822},
                                   {"sources.list.d/debian.sources": DISABLED, "sources.list": "# nothing here\n"},
                                   {"sources.list.d/debian.list": ONE_LINE}])
def test_the_mirror_is_the_one_of_apt(tmp_path, files):
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert trees.mirror(tmp_path, "bookworm") == "http://mirror.example/debian"


def test_without_a_mirror_the_reason_is_told(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "x.sources").write_text("Types: deb\nURIs: http://s.example/debian-security\nSuites: bookworm-security\nComponents: main\n")
    with pytest.raises(trees.Unavailable, match="no mirror with 'bookworm main'"):
        trees.mirror(tmp_path, "bookworm")


def test_two_clones_unpack_one_tree_once(tmp_path, monkeypatch):
    """A stand-in for debootstrap that takes its time: the second clone waits for the first and finds the whole tree."""
    stand_in = tmp_path / "bin/debootstrap"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\nshift 2\necho run >> "$COUNT"\nmkdir -p "$2/part"\nsleep 1\ntouch "$2/part/whole"\n')
    stand_in.chmod(0o755)
    count = tmp_path / "count"
    environment = {**os.environ, "PATH": f"{stand_in.parent}:{os.environ['PATH']}", "CTIBRIDGE_LAB": str(tmp_path / "cache"), "COUNT": str(count)}
    script = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom lab import trees\ntrees.mirror, trees._as_root = lambda: 'http://mirror.example', list\n"
              "t = trees.tree('asterisk-22')\nassert (t / 'part/whole').exists()\n")
    both = [subprocess.Popen([sys.executable, "-c", script, str(TESTS)], env=environment) for _ in range(2)]
    assert [p.wait() for p in both] == [0, 0]
    assert count.read_text().count("run") == 1
