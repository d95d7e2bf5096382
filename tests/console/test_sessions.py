"""Sessions of the console on every XMPP server and transport: signing in, and coming back after whatever may happen to a browser or a network.
After each the picture equals the bridge's answer to <calls/>."""
import time

import pytest
from company import PAVEL
from conftest import everywhere
from lab.process import wait_until
from lab.proxy import Proxy
from server import record_of

NS = "urn:ctibridge:1"


@pytest.fixture
def anna(quick, tab):
    return tab.sign_in("anna").online()


@pytest.fixture
def proxied(quick, pages):
    """The operator's network, which can be cut."""
    proxy = Proxy(quick.xmpp.http).start()
    pages.reach(quick.xmpp, quick.transport, proxy.port)
    yield proxy
    proxy.mend()
    proxy.stop()


def truth(company, user: str = "anna") -> list:
    """What the bridge says is going on, as a client that is not ours is told."""
    client = company.site.client(user, resource=f"truth-{time.monotonic_ns()}")
    try:
        answer = client.request(f"<calls xmlns='{NS}'/>", "get")
        return sorted((f"{one.get('pbx')} {one.get('leg')}", one.get("state")) for one in answer.iter(f"{{{NS}}}call"))
    finally:
        client.stop()
        company.site.clients.remove(client)


def as_the_bridge_says(company, *tabs, timeout: float = 10):
    for tab in tabs:
        tab.online(60)
        wanted = truth(company)
        wait_until(lambda tab=tab, wanted=wanted: sorted(tab.calls()) == wanted, timeout, "the picture is the bridge's")


@everywhere
def test_sign_in_pop_answer_and_end(quick, anna):
    call = quick.ring(kind="answered")
    anna.state("ringing")
    assert "Pavel Doležal" in anna.text(".call h2")
    anna.state("answered")
    as_the_bridge_says(quick, anna)
    quick.hang_up()
    anna.see_no(".call")
    assert anna.see(".last").get_attribute("data-id") == call


@everywhere
def test_wrong_password_is_said_and_mended(quick, tab):
    tab.sign_in("anna", "wrong")
    tab.see("[role=alert]", "does not accept this name and password")
    tab.picture("wrong-password")
    tab.sign_in("anna").online()


def test_no_operator_is_told_so(quick, tab):
    tab.sign_in("stranger")
    tab.see(".links[data-bad='true']", "not an operator")


def test_server_that_cannot_be_reached(quick, tab, proxied, pages):
    proxied.cut()
    tab.load(pages.address).sign_in("anna")
    tab.see("[role=alert]", "cannot be reached", 40)
    proxied.mend()
    tab.sign_in("anna").online()


@everywhere
def test_reload_during_a_call(quick, anna):
    quick.ring(kind="answered")
    anna.state("answered")
    anna.reload()
    anna.state("answered")
    as_the_bridge_says(quick, anna)
    quick.hang_up()
    anna.see_no(".call")
    anna.reload().online()
    assert anna.calls() == []


def test_two_tabs_are_alike_and_one_opens_the_record(quick, pages, anna, browser):
    pages.config["services"] = {"*": {"open": "ringing"}}
    anna.reload().online()
    second = browser.new_tab(pages.address).online()        # signed in by the first
    quick.ring(kind="answered")
    second.state("answered")
    anna.state("answered")
    as_the_bridge_says(quick, anna, second)
    wait_until(lambda: pages.opened(), 5, "the record was opened")
    second.reload().state("answered")
    anna.reload().state("answered")
    time.sleep(1)
    assert pages.opened() == [record_of(120)]               # by one tab, once, whatever was loaded anew
    assert anna.ask("return location.href") == pages.address
    record = next(one for one in browser.driver.window_handles if one not in (anna.handle, second.handle))
    browser.driver.switch_to.window(record)
    assert browser.driver.execute_script("return [window.opener, document.referrer]") == [None, ""]
    browser.driver.close()
    quick.hang_up()
    anna.see_no(".call")
    second.see_no(".call")
    anna.click("[data-action='sign-out']")                  # all tabs of the browser
    second.see("input[name=username]")


@everywhere
def test_duplicated_tab_gets_a_name_of_its_own(quick, pages, anna, browser):
    """Browsers copy the storage of a tab to its duplicate: both begin with one resource, and must not throw each other out for ever."""
    storage = anna.ask("return JSON.stringify({...sessionStorage})")
    second = browser.new_tab(pages.address + "icon.svg")
    second.ask("for (const [key, value] of Object.entries(JSON.parse(arguments[0]))) sessionStorage.setItem(key, value)", storage)
    second.load(pages.address).online()
    anna.online(30)
    names = [tab.ask("return sessionStorage.getItem('resource')") for tab in (anna, second)]
    assert names[0] != names[1]
    quick.ring()
    anna.state("ringing")
    second.state("ringing")


@everywhere
def test_network_cut_while_a_call_begins_and_another_ends(quick, proxied, tab, pages):
    tab.load(pages.address).sign_in("anna").online()
    quick.ring(kind="answered")
    tab.state("answered")
    proxied.cut()
    tab.see(".connection[data-status='waiting']", "Connection lost")
    assert tab.calls() and tab.ask("return document.querySelector('.calls').dataset.stale") == "true"      # shown, and marked as old
    quick.hang_up()
    quick.ring(number=PAVEL)
    time.sleep(3)
    proxied.mend()
    as_the_bridge_says(quick, tab, timeout=60)


def test_half_open_connection_is_noticed(quick, proxied, tab, pages):
    """Thirty seconds in which nothing passes and nobody says so."""
    tab.load(pages.address).sign_in("anna").online()
    proxied.freeze()
    quick.ring(kind="answered")
    time.sleep(30)
    quick.hang_up()
    proxied.cut()
    proxied.mend()
    as_the_bridge_says(quick, tab)
    assert tab.calls() == []


def test_crash_of_the_browser(quick, pages, anna, browser):
    from browser import Browser
    anna.click("[data-action='sign-out']")
    anna.sign_in("anna", stay=True).online()
    quick.ring(kind="answered")
    anna.state("answered")
    kept = anna.ask("return JSON.stringify({...localStorage})")
    fresh = Browser()
    try:
        other = fresh.first_tab(pages.address + "icon.svg")
        other.ask("for (const [key, value] of Object.entries(JSON.parse(arguments[0]))) localStorage.setItem(key, value)", kept)
        other.load(pages.address).state("answered")         # without signing in again
        as_the_bridge_says(quick, other)
    finally:
        fresh.stop()


@everywhere
def test_server_restart_during_a_call(quick, anna):
    quick.ring(kind="answered")
    anna.state("answered")
    quick.xmpp.stop()
    anna.see(".connection:not([data-status='online'])", timeout=60)
    anna.picture("connection-lost")
    quick.xmpp.start()
    as_the_bridge_says(quick, anna, timeout=60)
    quick.hang_up()
    anna.see_no(".call", 30)


@everywhere
def test_bridge_stopped_and_started(quick, anna):
    quick.ring(kind="answered")
    anna.state("answered")
    quick.site.daemon.stop()
    anna.see(".links[data-bad='true']", "telephone bridge cannot be reached", 60)
    assert anna.calls() and not any(button.is_enabled() for button in anna.all(".call .actions button"))    # nothing is offered that cannot be done
    anna.picture("bridge-away")
    quick.hang_up()
    quick.site.daemon.start()
    anna.see(".links[data-bad='false']", "All links are up", 60)
    as_the_bridge_says(quick, anna)
    assert anna.calls() == []
    quick.ring()
    anna.state("ringing")                                   # the new daemon knows this console


def test_bridge_killed_and_started_at_once(quick, anna):
    """No presence, no farewell: the new epoch tells."""
    quick.ring(kind="answered")
    anna.state("answered")
    quick.site.daemon.kill()
    quick.site.daemon.start()
    wait_until(lambda: sorted(anna.calls()) == truth(quick), 60, "the picture is the new daemon's")
    quick.hang_up()
    anna.see_no(".call", 30)
    quick.ring()
    anna.state("ringing", 60)


def test_exchange_away_is_shown(quick, anna):
    quick.exchange.stop()
    anna.see(".links[data-bad='true']", "No telephone exchange hq since", 30)
    anna.picture("exchange-away")
    quick.exchange.start()
    anna.see(".links[data-bad='false']", "All links are up", 30)


HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "right to left": "\u202egnp.eciovni\u202c \u2066x",
    "500 characters": "x" * 500,
    "accents": "Z" + "\u0301" * 200,
    "entities": "&lt;b&gt;&amp;&#x3c;",
}


def hostile_call(name: str, number: str = "+420799123456") -> str:
    return (f"<call xmlns='{NS}' pbx='hq' leg='1.1' id='hq:1.0' epoch='x' seq='1' state='ringing' direction='inbound' at='2026-11-20T15:08:49.305Z' actions='hangup'>"
            f"<party number='{number}' name={name}/><service name={name} url='javascript:alert(3)'/><variable name={name}>v</variable>"
            f"<match module='Contacts' id='1' label={name} organization={name} url='javascript:alert(4)' quality='exact'/></call>")


def test_names_are_text(quick, pages, anna, browser):
    """What the CRM and the caller may contain, shown by the page: no markup, no link that runs code, no turned direction, the page keeps its shape."""
    width = anna.ask("return document.documentElement.scrollWidth")
    database = quick.site.database
    [before] = database.rows("SELECT label FROM vtiger_crmentity WHERE crmid = 120", database="vtiger")
    [person] = database.rows("SELECT firstname, lastname FROM vtiger_contactdetails WHERE contactid = 120", database="vtiger")
    try:
        for name, text in HOSTILE.items():
            database.rows("UPDATE vtiger_contactdetails SET firstname = '', lastname = %s WHERE contactid = 120", text[:80], database="vtiger")
            database.rows("UPDATE vtiger_crmentity SET label = %s, modifiedtime = UTC_TIMESTAMP() WHERE crmid = 120", text[:255], database="vtiger")
            quick.ring(number=PAVEL)
            anna.state("ringing")
            shown = anna.text(".call h2")
            assert anna.all(".call img, .call script") == [], name
            assert not any(sign in shown for sign in "\u202e\u2066"), name
            if name == "markup":
                assert "<img src=x onerror=alert(1)>" in shown
                anna.picture("hostile-name")
            assert anna.ask("return document.documentElement.scrollWidth") == width, name
            assert all(link.get_attribute("href").startswith("http") for link in anna.all(".call a")), name
            quick.hang_up()
            anna.see_no(".call")
    finally:
        database.rows("UPDATE vtiger_contactdetails SET firstname = %s, lastname = %s WHERE contactid = 120", person["firstname"], person["lastname"], database="vtiger")
        database.rows("UPDATE vtiger_crmentity SET label = %s, modifiedtime = UTC_TIMESTAMP() WHERE crmid = 120", before["label"], database="vtiger")


def test_only_the_bridge_is_believed(quick, anna):
    """Any user can send an operator a <call/>."""
    boris = quick.site.client("boris")
    try:
        to = anna.ask("return 'anna@example.org/' + JSON.parse(sessionStorage.getItem('resource'))")
        for target in (to, "anna@example.org"):
            boris.raw(f"<message type='headline' to='{target}'>{hostile_call(repr('Eve'))}</message>")
        quick.ring()
        anna.state("ringing")
        assert len(anna.calls()) == 1 and "Eve" not in anna.text("body")
    finally:
        boris.stop()
        quick.site.clients.remove(boris)


def test_tel_link_fills_the_field_and_dials_nothing(quick, pages, anna, browser):
    other = browser.new_tab(pages.address + "?dial=tel%3A%2B420736763072").online()
    assert other.ask("return [document.querySelector('#dial').value, location.search]") == ["tel:+420736763072", ""]
    assert other.text("#dial-will") == "Will call +420\u202f736\u202f763\u202f072"
    time.sleep(1)
    assert other.calls() == [] and anna.calls() == []


def test_sound_and_notification_in_one_tab_only_and_they_end_with_the_ring(quick, pages, anna, browser):
    spy = """window.shown = []; window.Notification = class { static permission = 'granted'; constructor(title, options) { this.title = title; shown.push(this); }
             close() { this.closed = true; } }; document.hasFocus = () => false;"""
    second = browser.new_tab(pages.address).online()
    for tab in (anna, second):
        tab.ask(spy)
    quick.ring()
    anna.state("ringing")
    second.state("ringing")

    def counts(script):
        return sorted(tab.ask(script) for tab in (anna, second))
    sounding = "return document.querySelector(\"[data-action='silence']\").disabled ? 0 : 1"
    wait_until(lambda: counts(sounding) == [0, 1], 5, "one tab rings")
    assert counts("return shown.length") == [0, 1]
    assert "Pavel Doležal" in [tab.ask("return shown[0]?.title ?? ''") for tab in (anna, second)]
    leader, other = sorted((anna, second), key=lambda tab: tab.ask(sounding), reverse=True)
    leader.click("[data-action='silence']")
    wait_until(lambda: counts(sounding) == [0, 0], 5, "it is silent")
    quick.hang_up()
    anna.see_no(".call")
    wait_until(lambda: leader.ask("return shown[0].closed") is True, 5, "the notification is taken away")
    leader.close()                                          # the other tab takes over
    quick.ring()
    other.state("ringing")
    wait_until(lambda: other.ask(sounding) == 1, 5, "the other tab rings")
    quick.hang_up()
    wait_until(lambda: other.ask(sounding) == 0, 5, "the sound ends with the ring")


def test_page_over_plain_http_takes_no_password(quick, pages):
    """127.0.0.1 is this computer and may; a page from elsewhere must be encrypted."""
    from browser import Browser
    outside = Browser("--host-resolver-rules=MAP console.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    try:
        tab = outside.first_tab(pages.address.replace("127.0.0.1", "console.test"))
        tab.see("[role=alert]", "not loaded over an encrypted connection")
        assert tab.all("input") == []
    finally:
        outside.stop()


def test_server_elsewhere_without_encryption_is_refused(quick, pages, tab):
    pages.config["websocket"] = "ws://xmpp.example.org/xmpp-websocket"
    tab.load(pages.address).see("[role=alert]", "websocket is not encrypted")
    assert tab.all("input") == []


def test_a_link_that_is_down_is_told_to_who_signs_in_then(quick, tab):
    quick.exchange.stop()
    try:
        wait_until(lambda: "link=pbx:hq down:" in quick.site.daemon.text(), 10, "the daemon noticed")
        tab.sign_in("anna").online()
        tab.see(".links[data-bad='true']", "No telephone exchange hq")
    finally:
        quick.exchange.start()
    tab.see(".links[data-bad='false']", timeout=30)


def test_since_when_they_talk_is_told_and_answered(quick):
    """What the page counts from after a reload."""
    client = quick.site.client("anna", console=True, resource="talk")
    try:
        quick.ring(kind="answered")
        assert client.expect(state="ringing").answered is None
        told = client.expect(state="answered")
        assert told.answered == told.call.get("at")
        answer = client.request(f"<calls xmlns='{NS}'/>", "get")
        assert [one.get("answered") for one in answer.iter(f"{{{NS}}}call")] == [told.answered]
    finally:
        client.stop()
        quick.site.clients.remove(client)
