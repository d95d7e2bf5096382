"""An operator at the console, real Asterisk and real phones: what is seen and done during a call."""
import time

import pytest
from browser import Browser
from company import ALFA, NOBODY, PAVEL
from lab.process import wait_until
from lab.xmpp_servers import password
from selenium.webdriver.common.keys import Keys
from server import record_of


@pytest.fixture
def anna(company, tab):
    """Anna (extension 201) is signed in."""
    return tab.sign_in("anna").online()


def test_a_call_from_pop_to_the_list(company, anna):
    anna.see(".idle", "No call")
    anna.picture("idle")
    call = company.inbound("201", PAVEL, "P DOLEZAL")
    card = anna.state("ringing")
    phone = company.phone("201")
    phone.wait("ringing")
    assert not phone.talking                        # the pop is there before anybody picked up
    text = card.text
    for part in ("Ringing", "Pavel Doležal", "Truhlářství Zlín 4 s.r.o.", "+420\u202f736\u202f763\u202f072", "02079460201", "P DOLEZAL", "Incoming"):
        assert part in text, (part, text)
    [link] = anna.all(".records a")
    assert link.get_attribute("href").endswith(record_of(120)) and "noopener" in link.get_attribute("rel")
    assert anna.ask("return document.title") == "☎ Pavel Doležal"
    anna.picture("ringing")

    phone.accept()
    anna.state("answered")
    assert "Talking" in anna.text(".call .state")
    anna.picture("talking")
    time.sleep(1.2)
    call.hangup()
    anna.see_no(".call")
    entry = anna.see(".past", "Pavel Doležal")
    assert "Ended 0:0" in entry.text                # with the time talked
    assert anna.ask("return document.title") == "Operator's console"
    anna.see(".last", "Pavel Doležal")
    anna.picture("after")


def test_hang_up_from_the_page(company, anna):
    call = company.inbound("201")
    anna.state("ringing")
    company.phone("201").wait("ringing")
    company.phone("201").accept()
    anna.state("answered")
    anna.click(".call [data-action='hangup']")
    call.wait("ended")
    anna.see_no(".call")


def test_only_what_is_possible_now_is_offered(company, anna):
    company.inbound("201")
    anna.state("ringing")
    shown = {button.get_attribute("data-action") for button in anna.all(".call .actions button")}
    desk = company.client("anna", console=True, resource="watcher")
    try:
        told = desk.request("<calls xmlns='urn:ctibridge:1'/>", "get").find(".//{urn:ctibridge:1}call").get("actions")
        assert shown == set(told.split())
    finally:
        desk.stop()
        company.site.clients.remove(desk)


def test_click_to_dial_shows_what_will_be_called_and_how_it_goes(company, anna):
    company.provider.behave("00420736763072", 2.0)  # rings, then is picked up
    company.phone("201").behaviour = 0.5
    anna.paste("#dial", "Tel.: +420 (0)736/763 072, Suite 5")
    assert anna.text("#dial-will") == "Will call +420\u202f736\u202f763\u202f072"
    anna.picture("dial")
    anna.type("#dial", Keys.ENTER)
    anna.state("dialing")
    assert "Pavel Doležal" in anna.text(".call h2")
    anna.state("answered", 15)
    assert anna.ask("return document.querySelector('#dial').value") == ""
    anna.press("h")                                 # the key presses the button
    anna.see_no(".call")
    assert "Outgoing" not in anna.text(".past .who") and "Pavel" in anna.text(".past .who")


@pytest.mark.parametrize(("number", "text"), [("+420900123456", "rules do not allow"), ("112233", "")])
def test_a_refused_number_is_told_in_words(company, anna, number, text):
    anna.paste("#dial", number)
    anna.type("#dial", Keys.ENTER)
    refused = anna.see(".notices p")
    assert text in refused.text and len(refused.text) > 20
    assert anna.ask("return document.querySelector('#dial').value") == number   # to be mended, not typed again
    assert anna.calls() == []
    anna.picture("refused")
    anna.click(".notices button")
    anna.see_no(".notices p")


def test_unknown_caller_several_records_and_withheld_number(company, anna):
    call = company.inbound("201", NOBODY)
    anna.state("ringing")
    assert "No record has this number" in anna.text(".records")
    assert "%2B420799123456" in anna.all(".records a.main")[0].get_attribute("href")
    anna.picture("unknown")
    call.hangup()
    anna.see_no(".call")

    call = company.inbound("201", ALFA)
    anna.state("ringing")
    assert len(anna.all(".records li a")) == 2
    call.hangup()
    anna.see_no(".call")

    call = company.inbound("201", "anonymous")
    anna.state("ringing")
    assert anna.text(".call h2") == "Number withheld" and anna.all(".records li") == []
    call.hangup()
    anna.see_no(".call")


def test_missed_call_and_call_back(company, anna):
    call = company.inbound("201")
    anna.state("ringing")
    call.hangup()
    anna.see_no(".call")
    anna.click(".tabs button", "Missed")
    entry = anna.see(".past[data-missed='true']", "Pavel Doležal")
    assert "Caller gave up" in entry.text
    anna.picture("missed")
    company.phone("201").behaviour = 0.3
    company.provider.behave("00420736763072", 0.5)
    anna.click(".past [data-action='call-back']")
    anna.state("answered", 15)
    anna.click(".call [data-action='hangup']")
    anna.see_no(".call")


def test_no_layout_shift_when_a_call_comes_in(company, anna):
    anna.ask("""window.shifts = []; new PerformanceObserver(list => { for (const one of list.getEntries()) shifts.push([one.value,
        ...one.sources.map(s => s.node?.className ?? String(s.node))]); }).observe({type: 'layout-shift', buffered: false});""")
    fixed = "return [...document.querySelectorAll('.top, .links, .dial, #dial, .lists, .connection')].map(e => JSON.stringify(e.getBoundingClientRect()))"
    before = anna.ask(fixed)
    call = company.inbound("201")
    anna.state("ringing")
    assert anna.ask(fixed) == before
    company.phone("201").wait("ringing")
    actions = "return [...document.querySelectorAll('.call .actions')].map(e => JSON.stringify(e.getBoundingClientRect()))"
    place = anna.ask(actions)
    company.phone("201").accept()
    anna.state("answered")
    assert anna.ask(fixed) == before and anna.ask(actions) == place     # the button stays under the hand
    call.hangup()
    anna.see_no(".call")
    assert anna.ask(fixed) == before
    assert anna.ask("return shifts") == []


def test_two_calls_at_once_and_the_keys(company, anna):
    first = company.inbound("201", PAVEL)
    anna.state("ringing")
    company.phone("201").wait("ringing")
    company.phone("201").accept()
    anna.state("answered")
    second = company.provider.call("02079460901", ALFA)      # rings Anna and Boris
    wait_until(lambda: len(anna.calls()) == 2, 10, "both calls are shown")
    assert [state for _, state in anna.calls()] == ["ringing", "answered"]
    anna.picture("two-calls")
    chosen = "return document.querySelector(\".call[aria-current='true']\").dataset.state"
    assert anna.ask(chosen) == "ringing"
    anna.press("j")
    assert anna.ask(chosen) == "answered"
    anna.press("d")
    assert anna.ask("return document.activeElement.id") == "dial"
    anna.type("#dial", "h")                             # a letter in a field is a letter
    assert [state for _, state in anna.calls()] == ["ringing", "answered"]
    anna.press("h")
    first.wait("ended")
    wait_until(lambda: [state for _, state in anna.calls()] == ["ringing"], 10, "the other call goes on")
    second.hangup()
    anna.see_no(".call")


def test_a_hidden_or_missing_function_shows_no_button(company, anna):
    """What the daemon does not offer (it says so in <me/>, or refuses) is not on the page."""
    desk = company.client("anna", console=True, resource="watcher")
    try:
        features = {one.get("name") for one in desk.request("<me xmlns='urn:ctibridge:1'/>", "get").iter("{urn:ctibridge:1}feature")}
        works = {name: desk.request(f"<{name} xmlns='urn:ctibridge:1'/>", "get").get("type") == "result" for name in ("agent", "history", "directory")}
    finally:
        desk.stop()
        company.site.clients.remove(desk)
    assert "dial" in features and bool(anna.all("#dial"))
    assert bool(anna.all(".agent")) == works["agent"]
    assert ("Since this page was opened" in anna.text(".lists")) == (not works["history"])


def test_dark_and_german(company, pages):
    browser = Browser(language="de-DE", dark=True)
    try:
        anna = browser.first_tab(pages.address)
        anna.see("button.main", "Anmelden")
        anna.picture("sign-in-dark-german")
        anna.sign_in("anna").online()
        anna.see(".idle", "Kein Anruf")
        call = company.inbound("201", PAVEL)
        card = anna.state("ringing")
        assert "Klingelt" in card.text and anna.ask("return document.documentElement.lang") == "de"
        anna.picture("ringing-dark-german")
        assert anna.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
        call.hangup()
        anna.click("[data-action='settings']")
        anna.see("dialog[open]", "Einstellungen")
        anna.picture("settings-dark-german")
        assert browser.complaints() == []
    finally:
        browser.stop()


HOSTILE = ["<img src=x onerror=alert(1)>", "\u202egnp.eciovni\u202c \u2066x", "x" * 500, "\U0001F600\U0001F469\u200d\U0001F680", "&lt;b&gt;&amp;&#x3c;", "]]></body>"]


@pytest.mark.parametrize("name", HOSTILE, ids=["markup", "right to left", "500 characters", "emoji", "entities", "xml"])
def test_what_a_caller_calls_himself_is_text(company, anna, name):
    width = anna.ask("return document.documentElement.scrollWidth")
    call = company.inbound("201", NOBODY, name)
    anna.state("ringing")
    shown = anna.text(".call h2")
    assert anna.all(".call img, .call body, .call b") == [] and not any(sign in shown for sign in "\u202e\u2066")
    assert shown and name[:10].strip("\u202e\u2066") in shown
    assert anna.ask("return document.documentElement.scrollWidth") == width
    call.hangup()
    anna.see_no(".call")
    anna.see(".past")


def test_the_password_is_nowhere(company, anna):
    """Not in storage, not in the address; the fields are those a password manager fills."""
    stored = anna.ask("return JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, document.cookie])")
    assert password("anna") not in stored
    anna.click("[data-action='sign-out']")
    anna.see("input[name=username]")
    assert anna.ask("return [...document.querySelectorAll('input')].map(i => i.autocomplete)")[:2] == ["username", "current-password"]
    assert "ck" not in anna.ask("return JSON.stringify([{...localStorage}, {...sessionStorage}])").replace("ctibridge-watch", "")
