"""Fixtures: companies of tests/e2e with a browser at an operator's place. What cannot run here is skipped with the reason, and ctest is told (exit code 77)."""
import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "e2e")]


def _e2e():
    """The fixtures' helpers of tests/e2e, whose conftest has the same name as this file."""
    import importlib.util
    spec = importlib.util.spec_from_file_location("e2e_conftest", HERE.parent / "e2e/conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SETS = _e2e().SETS      # the modules of tests/e2e ask for both
need = _e2e().need
pytest_sessionfinish = _e2e().pytest_sessionfinish
pytest_runtest_makereport = _e2e().pytest_runtest_makereport


def _tools():
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    pytest.importorskip("selenium")


@pytest.fixture(scope="session")
def pages():
    _tools()
    from server import Pages
    running = Pages()
    yield running
    running.stop()


def _link_to(pages):
    """Records of the CRM are pages of ours: that a browser opened one is seen at the server."""
    def prepare(site):
        site.daemon.config["crm"]["web"] = pages.address + "crm/"
        site.daemon.write()
    return prepare


@pytest.fixture(scope="session")
def real_company(pages):
    need("asterisk-22")
    from company import Company
    running = Company(prepare=_link_to(pages), users=("boris",), asterisk=(22,))
    yield running
    running.stop()


@pytest.fixture
def company(real_company, pages):
    """Real Asterisk and phones, no call going on."""
    pages.forget()
    real_company.calm()
    pages.reach(real_company.xmpp, "websocket")
    yield real_company
    real_company.calm()


@pytest.fixture(scope="session")
def quick_companies(pages):
    from quick import Quick
    running = {}

    def company(server: str):
        if server not in running:
            running[server] = Quick(prepare=_link_to(pages), users=(), xmpp=server)
        return running[server]
    yield company
    for one in running.values():
        one.stop()


# The test runs on every server and transport; without it on the first.
everywhere = pytest.mark.parametrize("quick", ["prosody-websocket", "prosody-bosh", "ejabberd-websocket", "ejabberd-bosh"], indirect=True)


@pytest.fixture
def quick(quick_companies, request, pages):
    """A simulated pbx, for what browser and XMPP server alone decide."""
    server, transport = getattr(request, "param", "prosody-websocket").split("-")
    company = quick_companies(server)
    pages.forget()
    company.calm()
    company.transport = transport
    pages.reach(company.xmpp, transport)
    yield company
    company.calm()


@pytest.fixture
def browser(pages):
    from browser import Browser
    running = Browser()
    yield running
    complaints = running.complaints()
    running.stop()
    assert complaints == []


@pytest.fixture
def tab(browser, pages):
    return browser.first_tab(pages.address)


@pytest.fixture(scope="session")
def told_bridge(pages, tmp_path_factory):
    from bridge import Bridge
    running = Bridge(tmp_path_factory.mktemp("bridge") / "xmpp").start()
    yield running
    running.stop()


@pytest.fixture
def bridge(told_bridge, pages):
    """A bridge that says what the test tells it."""
    told_bridge.reset()
    pages.forget()
    pages.reach(told_bridge.xmpp, "websocket")
    return told_bridge
