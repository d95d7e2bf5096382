"""What an administrator gets wrong: a clear error that names it, in time, and never a crash."""
import copy
import json
import socket
import subprocess
import time

import pytest
from conftest import need
from lab.daemon import Daemon, binary
from lab.process import wait_until
from lab.site import Site


@pytest.fixture(scope="module")
def site():
    need("asterisk-22")
    site = Site(phones=("201",))
    site.daemon.migrate()
    yield site
    site.stop()


@pytest.fixture
def daemon(site, tmp_path):
    """A daemon of its own with the right configuration, for a test to spoil."""
    spoilt = Daemon(tmp_path / "d", copy.deepcopy(site.daemon.config))
    spoilt.config["state"] = str(tmp_path / "d/state")
    spoilt.write()
    yield spoilt
    spoilt.stop()


def clean(done):
    text = done.stdout + done.stderr
    assert done.returncode >= 0, f"ended by signal {-done.returncode}\n{text}"
    for sign in ("AddressSanitizer", "runtime error", "terminate called", "LeakSanitizer"):
        assert sign not in text, text
    return text


def test_right_configuration_has_nothing_to_mend(daemon):
    done = daemon.command("check")
    text = clean(done)
    assert done.returncode in (0, 1), text        # warnings are possible: shared extensions, people without a phone
    report = daemon.command("check", "--json")
    clean(report)
    json.loads(report.stdout)


def spoil(config, path, value):
    *parents, last = path
    for key in parents:
        config = config[key]
    if value is KeyError:
        del config[last]
    else:
        config[last] = value


FAULTS = {
    "unknown adapter": (("crm", "adapter"), "sugar", "adapter"),
    "adapter that is a path": (("crm", "adapter"), "../ctibridge", "adapter"),
    "unknown key": (("pbx", 0, "hots"), "x", "hots"),
    "missing AMI user": (("pbx", 0, "username"), KeyError, "username"),
    "missing secret file": (("pbx", 0, "secret"), {"file": "/nonexistent/secret"}, "/nonexistent/secret"),
    "secret from nowhere": (("xmpp", "secret"), {"env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
    "port out of range": (("pbx", 0, "port"), 70000, "port"),
    "port that is a word": (("xmpp", "port"), "five", "port"),
    "duration without a unit": (("crm", "budget"), "soon", "budget"),
    "unknown country": (("pbx", 0, "country"), "XX", "country"),
    "no pbx": (("pbx",), [], "pbx"),
    "two of one name": (("pbx",), "twice", "name"),
    "not a URL": (("crm", "url"), "localhost", "url"),
    "wrong mode": (("pop",), {"mode": "loud"}, "mode"),
}


@pytest.mark.parametrize("path, value, word", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("command", ["run", "check"])
def test_faults_of_the_configuration(daemon, command, path, value, word):
    if value == "twice":
        value = [daemon.config["pbx"][0], copy.deepcopy(daemon.config["pbx"][0])]
    spoil(daemon.config, path, value)
    daemon.write()
    done = daemon.command(command, timeout=20)
    text = clean(done)
    assert done.returncode != 0
    assert word in text and str(daemon.file) in text


@pytest.mark.parametrize("text", ["pbx: [", "a: b: c", "\tpbx: x", "- just\n- a list\n", "", "pbx: &a [*a]\n", "\x00\x01", "xmpp: !!binary xx\n", "{" * 5000, "pbx:\n" + "  - " * 3000],
                         ids=["open bracket", "two colons", "tab", "list", "empty", "self reference", "control bytes", "odd tag", "5000 braces", "3000 dashes"])
@pytest.mark.parametrize("command", ["run", "check", "lookup"])
def test_malformed_yaml(daemon, command, text):
    daemon.file.write_bytes(text.encode())
    done = daemon.command(command, *(["+420736763072"] if command == "lookup" else []), timeout=20)
    said = clean(done)
    assert done.returncode not in (0, 1) or command != "check"
    assert done.returncode != 0
    assert str(daemon.file) in said


def test_configuration_that_is_not_there(daemon):
    daemon.file.unlink()
    done = daemon.command("run")
    assert done.returncode != 0 and str(daemon.file) in clean(done)


LINKS = {
    "wrong AMI secret": (("pbx", 0, "secret"), "wrong", "hq"),
    "wrong component secret": (("xmpp", "secret"), "wrong", "xmpp"),
    "wrong database password": (("crm", "password"), "wrong", "denied"),
    "unreachable pbx": (("pbx", 0, "port"), 1, "hq"),
    "unreachable XMPP server": (("xmpp", "port"), 1, "xmpp"),
    "unreachable database": (("crm", "url"), "mysql://ctibridge@127.0.0.1:1/vtiger", "crm"),
    "host that does not exist": (("pbx", 0, "host"), "pbx.invalid", "pbx.invalid"),
    "user without the right to originate": (("pbx", 0, "username"), "restricted", "originate"),
    "foreign component": (("xmpp", "component"), "other.example.org", "xmpp"),
    "database that does not exist": (("crm", "url"), None, "nothere"),
}


@pytest.mark.parametrize("path, value, word", LINKS.values(), ids=LINKS)
def test_check_says_what_is_wrong_with_a_link(site, daemon, path, value, word):
    if path == ("crm", "url") and value is None:
        value = site.database.url("nothere")
    if path == ("pbx", 0, "host"):
        daemon.config["pbx"][0]["allow_plaintext"] = True
    spoil(daemon.config, path, value)
    daemon.write()
    begun = time.monotonic()
    done = daemon.command("check", timeout=60)
    text = clean(done)
    assert done.returncode != 0 and word.lower() in text.lower(), text
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("path", [("pbx", 0, "port"), ("xmpp", "port"), ("crm", "url")], ids=["pbx", "xmpp", "database"])
def test_silent_hosts_do_not_hang_check(daemon, path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        port = silent.getsockname()[1]
        spoil(daemon.config, path, f"mysql://ctibridge@127.0.0.1:{port}/vtiger" if path[0] == "crm" else port)
        daemon.write()
        begun = time.monotonic()
        done = daemon.command("check", timeout=90)
        text = clean(done)
        assert done.returncode != 0 and time.monotonic() - begun < 45, text


@pytest.mark.parametrize("path, value", [v[:2] for k, v in LINKS.items() if k in ("wrong AMI secret", "wrong component secret", "unreachable pbx", "unreachable XMPP server", "unreachable database")],
                         ids=["AMI secret", "component secret", "pbx", "xmpp", "database"])
def test_run_stays_up_without_a_link(daemon, path, value):
    spoil(daemon.config, path, value)
    daemon.write()
    daemon.start()
    time.sleep(1)
    assert daemon.child.running()
    assert daemon.stop() == 0


def test_silent_pbx_and_xmpp_server_do_not_hang_the_daemon(daemon):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        for path in (("pbx", 0, "port"), ("xmpp", "port")):
            spoil(daemon.config, path, silent.getsockname()[1])
        daemon.write()
        daemon.start(60)
        assert daemon.stop() == 0


def test_lookup(daemon):
    done = daemon.command("lookup", "--json", "+420736763072", "201", "anonymous", '"OR/**/1=1#', "")
    assert done.returncode == 0, clean(done)
    found, internal, anonymous, odd, empty = map(json.loads, done.stdout.splitlines())
    assert [(m["module"], m["id"]) for m in found["matches"]] == [("Contacts", "120")] and found["e164"] == "+420736763072"
    assert internal["internal"] is True and internal["matches"] == [] and internal["create"] is None
    for one in (anonymous, odd, empty):
        assert one["matches"] == [] and one["e164"] is None


def test_lookup_of_many_lines(daemon):
    numbers = ["+420736763072", "601 234 567", "x" * 10000, "\u0662\u0660\u0661"] * 50
    done = daemon.command("lookup", "--json", "-", input="\n".join(numbers) + "\n")
    assert done.returncode == 0, clean(done)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["number"] for line in lines] == numbers


def test_replay_of_what_is_not_ami(daemon, tmp_path):
    odd = tmp_path / "odd.ami"
    odd.write_bytes(bytes(range(256)) * 1000)
    done = daemon.command("replay", str(odd))
    assert done.returncode == 2 and str(odd) in clean(done)


def test_migrate_twice(daemon):
    for _ in range(2):
        done = daemon.command("migrate")
        assert done.returncode == 0, clean(done)


def test_unknown_command_and_version(daemon):
    assert daemon.command("frobnicate").returncode != 0
    assert subprocess.run([binary(), "--version"], capture_output=True, text=True).stdout.strip().split()[-1].count(".") == 2


def test_secret_with_quotes_blanks_and_hash_in_a_file(site, daemon, tmp_path):
    """One trailing newline is not part of a secret; everything else is."""
    secret = tmp_path / "secret"
    secret.write_text(site.pbx.secret + "\n")
    secret.chmod(0o600)
    daemon.config["pbx"][0]["secret"] = {"file": str(secret)}
    daemon.write()
    daemon.start()
    wait_until(lambda: "ctibridge" in site.pbx.cli("manager show connected"), 5, "the daemon is logged in", 0.1)
    assert daemon.stop() == 0
