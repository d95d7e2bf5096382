"""Fixtures: whole companies of tests/lab. A test that cannot run here is skipped with the reason, and ctest is told (exit code 77)."""
import functools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import trees  # noqa: E402
from lab.process import tail  # noqa: E402


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 77


@functools.cache
def _why_not(name: str) -> str:
    try:
        trees.tree(name)
        return ""
    except trees.Unavailable as error:
        return str(error)


def need(*names: str):
    """Skips when a server tree cannot be had on this machine."""
    for name in names:
        if why := _why_not(name):
            pytest.skip(f"{name}: {why}")


SETS = {"asterisk-22-prosody": {"asterisk": (22,), "xmpp": "prosody"}, "asterisk-16-ejabberd": {"asterisk": (16,), "xmpp": "ejabberd"}}


@pytest.fixture(scope="module", params=SETS)
def company(request):
    """Both generations of Asterisk, both XMPP servers."""
    from company import Company
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Company(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(company):
    """The company with no call going on, before and after."""
    company.calm()
    yield company
    company.calm()


@pytest.fixture(scope="session", params=SETS)
def site_of_all_kinds(request):
    from kinds import Kinds
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = Kinds(**options)
    yield running
    running.stop()


@pytest.fixture
def kinds(site_of_all_kinds, request):
    """The same company for the tests of every kind of call, calm, with a tape running."""
    site_of_all_kinds.begin(request.node.originalname.removeprefix("test_").replace("_", "-"))
    yield site_of_all_kinds
    site_of_all_kinds.end()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the daemon had to say."""
    outcome = yield
    report = outcome.get_result()
    running = item.funcargs.get("company") or item.funcargs.get("running") or item.funcargs.get("kinds") or item.funcargs.get("floor")
    if report.when == "call" and report.failed and running is not None:
        report.sections.append(("ctibridge's log", running.site.daemon.text()[-6000:]))
        if "kinds" in item.funcargs:
            report.sections.append(("Asterisk's log", tail(running.pbx.folder / "log/messages.log", 60)))
