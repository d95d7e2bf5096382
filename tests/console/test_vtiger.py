"""The widget in pages of vTiger: put in by `ctibridge vtiger install`, against the daemon's own console, a real XMPP server and MariaDB.
The pages are vtiger_pages.py; a page's origin and the console's are two."""
import json
import shutil
import statistics
import time
import urllib.request

import pytest
import slixmpp
from browser import Browser
from lab import places
from lab.process import wait_until
from lab.xmpp_servers import password
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from server import DIST
from test_measures import keep
from vtiger_pages import FIELDS, HOSTILE, Vtiger

STATE = """const lamp = document.querySelector('#ctibridge-lamp'), box = document.querySelector('#ctibridge-box');
           return lamp && box ? {lamp: lamp.dataset.lamp, text: lamp.dataset.text, shown: box.dataset.shown === 'true'} : {}"""

# Before the page's own scripts: when the widget was put in and when it showed calls, milliseconds since the navigation began.
CLOCK = """
new MutationObserver(() => {
  const box = document.querySelector('#ctibridge-box');
  if (box && !window.putIn) window.putIn = performance.now();
  if (box?.dataset.shown === 'true' && !window.showed) window.showed = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-shown']});
"""


class Presences:
    """What another program of anna's sees of her: every change of presence of the widget's session."""

    def __init__(self, client):
        self.seen = []
        client._xmpp.register_handler(slixmpp.xmlstream.handler.Callback("presences", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}presence"), self._take))

    def _take(self, stanza):
        sender = str(stanza["from"])
        if "/crm-" in sender:
            self.seen.append((sender, stanza.xml.get("type")))


class Page:
    """A page of vTiger with the widget in it. The frame's inside is seen as an operator sees it, by going into the frame."""

    def __init__(self, browser, vtiger):
        self.browser, self.driver, self.vtiger = browser, browser.driver, vtiger
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK})
        self.tab = browser.first_tab(vtiger.address())

    def load(self, **asked):
        self.driver.switch_to.default_content()
        self.driver.get(self.vtiger.address(**asked))
        return self

    def state(self) -> dict:
        self.driver.switch_to.default_content()
        return self.driver.execute_script(STATE)

    def lamp(self, *wanted, timeout: float = 15):
        try:
            return wait_until(lambda: self.state().get("lamp") in wanted, timeout, f"the lamp is {wanted}", 0.02)
        except Exception as error:
            raise AssertionError(f"{error}; it is {self.state()}; {self.browser.complaints()}; inside: {self.inside(lambda: self.driver.find_element(By.TAG_NAME, 'body').text)}") from None

    def inside(self, do):
        """Does something in the frame, which stands in a closed shadow: only the browser itself finds it."""
        self.driver.switch_to.default_content()
        frame = self._frame()
        try:
            self.driver.switch_to.frame(frame)
            return do()
        finally:
            self.driver.switch_to.default_content()

    def _frame(self):
        # Through the shadow root's node: closed to the page's scripts, not to the driver's protocol.
        return self.driver.execute_script("return window.testFrame") or self._find_frame()

    def _find_frame(self):
        document = self.driver.execute_cdp_cmd("DOM.getDocument", {"depth": -1, "pierce": True})["root"]

        def walk(node):
            if node["nodeName"] == "IFRAME":
                return node
            for child in node.get("children", []) + node.get("shadowRoots", []):
                if found := walk(child):
                    return found
            return None
        node = walk(document)
        assert node, "there is no frame in the page"
        found = self.driver.execute_cdp_cmd("DOM.resolveNode", {"nodeId": node["nodeId"]})["object"]["objectId"]
        self.driver.execute_cdp_cmd("Runtime.callFunctionOn", {"objectId": found, "functionDeclaration": "function() { window.testFrame = this }"})
        return self.driver.execute_script("return window.testFrame")

    def texts(self, css: str) -> list:
        return self.inside(lambda: [one.text for one in self.driver.find_elements(By.CSS_SELECTOR, css)])

    def see(self, css: str, text: str = "", timeout: float = 10):
        wait_until(lambda: any(text in one for one in self.texts(css)), timeout, f"the box shows {css} with {text!r}", 0.05)
        return self

    def see_no(self, css: str, timeout: float = 10):
        wait_until(lambda: self.texts(css) == [], timeout, f"the box shows no {css}", 0.05)

    def press(self, css: str):
        """Once the box is as high as what is in it: the page is told that a moment after it is drawn."""
        def whole():
            return self.driver.execute_script("return document.documentElement.scrollHeight <= innerHeight + 1 || innerHeight > 600")
        self.see(css)
        wait_until(lambda: self.inside(whole) and self.state()["shown"], 5, "the box has its size")
        self.inside(lambda: self.driver.find_element(By.CSS_SELECTOR, css).click())

    def toggle(self):
        """The lamp opens the box, or closes it."""
        before = self.state()["shown"]
        self.driver.find_element(By.CSS_SELECTOR, "#ctibridge-lamp").click()
        wait_until(lambda: self.state()["shown"] != before, 5, "the lamp opens and closes the box", 0.02)

    def sign_in(self, user: str = "anna", secret: str = ""):
        self.lamp("sign-in")
        if not self.state()["shown"]:
            self.toggle()

        def fill():
            for name, value in (("username", user), ("password", secret or password(user))):
                field = self.driver.find_element(By.NAME, name)
                field.clear()
                field.send_keys(value)
            self.driver.find_element(By.CSS_SELECTOR, "form button").click()
        wait_until(lambda: self.texts("form button"), 10, "there is a form")
        self.inside(fill)
        return self

    def click(self, css: str):
        self.driver.switch_to.default_content()
        self.driver.find_element(By.CSS_SELECTOR, css).click()

    def point(self, css: str):
        """The mouse goes to it; the number that the button beside it would dial."""
        self.driver.switch_to.default_content()
        ActionChains(self.driver).move_by_offset(1, 1).move_to_element(self.driver.find_element(By.CSS_SELECTOR, css)).perform()
        return self.driver.execute_script("return document.querySelector('#ctibridge-dial').dataset.number ?? ''")


@pytest.fixture(scope="module")
def vtiger_company(pages, tmp_path_factory):
    from quick import Quick
    folder = tmp_path_factory.mktemp("vtiger")
    ports, crm = {"websocket": places.free_port(), "bosh": places.free_port()}, places.free_port()

    def prepare(site):
        site.daemon.config["crm"]["web"] = f"http://127.0.0.1:{crm}/"
        site.daemon.config["http"] = []
        for transport, port in ports.items():
            www = folder / transport
            shutil.copytree(DIST, www)
            (www / "config.json").write_text(json.dumps({transport: getattr(site.xmpp, transport), "component": "cti.example.org", "domain": "example.org"}))
            site.daemon.config["http"].append({"listen": f"127.0.0.1:{port}", "serve": ["console"], "console": str(www), "crm_origins": [f"http://127.0.0.1:{crm}"]})
        site.daemon.write()
    company = Quick(prepare=prepare, users=())
    company.console, company.bosh_console = (f"http://127.0.0.1:{port}" for port in ports.values())

    def links():
        return [row["linkurl"] for row in company.site.database.rows("SELECT linkurl FROM vtiger_links WHERE linktype='HEADERSCRIPT' AND tabid=0 ORDER BY linkid", database="vtiger")]
    company.vtiger = Vtiger(folder / "tree", links, crm)
    company.vtiger.allow(f"{company.console} {company.bosh_console}")
    company.site.database.load("GRANT INSERT, DELETE ON vtiger.vtiger_links TO 'ctibridge'@'localhost'; GRANT UPDATE ON vtiger.vtiger_links_seq TO 'ctibridge'@'localhost'")
    done = company.site.daemon.command("vtiger", "install", "--console", company.console, "--docroot", str(company.vtiger.tree), "--yes")
    assert done.returncode == 0, done.stderr
    yield company
    company.vtiger.stop()
    company.stop()


@pytest.fixture
def company(vtiger_company):
    vtiger_company.calm()
    vtiger_company.vtiger.posts.clear()
    vtiger_company.vtiger.loads.clear()
    yield vtiger_company
    vtiger_company.calm()


@pytest.fixture
def page(company):
    running = Browser("--window-size=1400,900")
    try:
        yield Page(running, company.vtiger)
        complaints = running.complaints()
    finally:
        running.stop()
    assert complaints == []


@pytest.fixture
def anna(page):
    page.sign_in().lamp("online", "ready", "not-ready", "logged-out")
    return page


@pytest.fixture
def watcher(company):
    client = company.site.client("anna", resource="watcher")
    yield Presences(client)
    client.stop()
    company.site.clients.remove(client)


def dialled(company, count: int = 1) -> list:
    """The newest requests to dial, as the bridge wrote them down: whose, which number, of which record."""
    def found():
        rows = company.site.database.rows("SELECT jid, number, module, record FROM cti_dial ORDER BY at DESC, id")
        return rows if len(rows) >= count else None
    return wait_until(found, 10, f"cti_dial has {count} rows", 0.05)


def fresh(company):
    company.site.database.execute("DELETE FROM cti_dial")
    company.vtiger.posts.clear()


def test_the_widget_signs_in_and_pops(company, anna):
    call = company.ring(kind="answered")
    anna.see(".call h2", "Pavel Doležal")
    assert anna.state()["shown"]
    anna.tab.picture("vtiger-ringing")
    anna.see(".call[data-state='answered']")
    anna.tab.picture("vtiger-answered")
    company.hang_up()
    anna.see_no(".call")
    assert anna.inside(lambda: anna.driver.find_element(By.CSS_SELECTOR, ".last").get_attribute("data-id")) == call


def test_fifty_page_changes_change_no_presence_and_lose_no_notice(company, watcher, anna):
    wait_until(lambda: watcher.seen, 10, "the widget's session is seen")
    [(session, kind)] = watcher.seen
    assert kind is None
    watcher.seen.clear()
    from_script, from_navigation = [], []
    for number in range(50):
        if number % 10 == 0:
            company.ring(kind="no-answer")
            anna.see(".call[data-state='ringing']")
        elif number % 10 == 8:
            company.hang_up()
            anna.see_no(".call")
        ringing = number % 10 < 8
        if number % 2:
            anna.load(record=120 + number)
        else:       # as vTiger's own links do
            anna.driver.switch_to.default_content()
            anna.driver.execute_script("location.href = arguments[0]", company.vtiger.address(record=120 + number, view="List" if number % 4 else "Detail"))
            wait_until(lambda number=number: f"record={120 + number}" in anna.driver.current_url, 10, "the next page")
        anna.lamp("online", "ready", "not-ready", "logged-out", "ringing")
        if ringing:
            wait_until(lambda: anna.state()["shown"], 10, f"page {number} shows the call", 0.01)
            put_in, showed = anna.driver.execute_script("return [putIn, showed]")
            from_script.append(showed - put_in)
            from_navigation.append(showed)
        assert (anna.texts(".call h2"), anna.state()["shown"]) == ((["Pavel Doležal"], True) if ringing else ([], False)), number
    keep(widget_shows_calls_ms=[round(statistics.median(from_script)), round(max(from_script))],
         page_to_calls_ms=[round(statistics.median(from_navigation)), round(max(from_navigation))])
    assert watcher.seen == []       # no presence came or went
    company.ring(kind="answered")   # and it is the session of the first page that tells
    anna.see(".call[data-state='answered']")
    assert watcher.seen == []
    anna.press("[data-action='sign-out']")
    anna.lamp("sign-in")
    wait_until(lambda: watcher.seen == [(session, "unavailable")], 10, "the same session left, once")


@pytest.mark.parametrize("where, css, number, record", [
    ({}, "#headerForm a.phoneField", "+420736763072", "120"),
    ({"tab": "details"}, "td[id$='_detailView_fieldValue_phone'] a.phoneField", "+420736763072", "120"),
    ({"tab": "details", "record": 121}, "td[id$='_detailView_fieldValue_mobile'] a.phoneField", "+442079460018", "121"),
])
def test_a_phone_link_is_dialled_by_the_bridge(company, anna, where, css, number, record):
    anna.load(**where).lamp("online", "ready", "not-ready", "logged-out")
    fresh(company)
    anna.click(css)
    assert dialled(company) == [{"jid": "anna@example.org", "number": number, "module": "Contacts", "record": record}]
    assert company.vtiger.posts == []       # vTiger did not do it, too
    anna.see(".call[data-state='dialing']")


def test_links_that_came_with_a_fragment_are_dialled(company, anna):
    anna.load()
    loads = len(company.vtiger.loads)
    for tab in ("related", "details"):
        anna.click(f"#tab-{tab}")
        wait_until(lambda tab=tab: f"tab={tab}" in anna.driver.current_url, 5, "the fragment is there")
    fresh(company)
    anna.click("td[id$='_fieldValue_phone'] a.phoneField")
    assert dialled(company)[0]["number"] == "+420736763072"
    assert all("_pjax" in one for one in company.vtiger.loads[loads:])     # the script ran once
    assert company.vtiger.posts == []


@pytest.mark.parametrize("where, css, record", [
    ({"view": "List"}, "tr[data-id='123'] td[data-field-type='phone']", "123"),
    ({"tab": "related"}, "td.relatedListEntryValues", "121"),
    ({"view": "Edit"}, "#EditView input[name='phone']", "120"),     # which the bridge finds by its number
])
def test_plain_numbers_get_a_button_beside_the_mouse(company, anna, where, css, record):
    anna.load(**where).lamp("online", "ready", "not-ready", "logged-out")
    here = anna.driver.current_url
    wait_until(lambda: anna.point(css) == FIELDS["phone"], 5, "the button is there")
    anna.tab.picture("vtiger-number")
    fresh(company)
    anna.click("#ctibridge-dial")
    assert [(one["number"], one["record"]) for one in dialled(company)] == [("+420736763072", record)]
    assert anna.driver.current_url == here      # the row was not opened
    assert company.vtiger.posts == []


def test_vtiger_has_its_own_click_while_nobody_is_signed_in(company, page):
    page.lamp("sign-in")
    fresh(company)
    page.click("#headerForm a.phoneField")
    wait_until(lambda: company.vtiger.posts, 5, "vTiger's own request")
    assert company.vtiger.posts == [{"module": "PBXManager", "action": "OutgoingCall", "number": "+420736763072", "record": "120"}]
    assert page.point("#headerForm") == ""


def test_vtiger_has_its_own_click_while_the_bridge_is_away(company, anna):
    daemon = company.site.daemon
    daemon.child.process.send_signal(19)        # it stands still: only its silence tells
    try:
        daemon.child.process.send_signal(18)
        company.site.xmpp.stop()
        anna.lamp("away")
        fresh_posts = len(company.vtiger.posts)
        anna.click("#headerForm a.phoneField")
        wait_until(lambda: len(company.vtiger.posts) == fresh_posts + 1, 5, "vTiger's own request")
    finally:
        company.site.xmpp.start()
    anna.lamp("online", "ready", "not-ready", "logged-out", timeout=60)


def test_the_lamp_shows_the_agent_and_the_box_changes_it(company, anna):
    anna.lamp("not-ready", "logged-out", "ready")       # the box is still open from signing in
    anna.press("[data-agent-action='ready']")
    anna.lamp("ready")
    assert anna.state()["text"] == "Ready"
    anna.load(view="List").lamp("ready")
    assert not anna.state()["shown"]            # what was opened by hand is closed on the next page
    anna.toggle()
    anna.press("[data-agent-action='not-ready']")
    anna.lamp("not-ready")


def test_hostile_names_are_text(company, anna):
    for name in (HOSTILE, "\u202egnp.exe", "x" * 500):
        company.exchange.call("201", "+420799123456", name, "no-answer")
        anna.see(".call h2")
        shown = anna.texts(".call h2")[0]
        assert "img" in shown if name == HOSTILE else "\u202e" not in shown
        assert anna.inside(lambda: anna.driver.find_elements(By.CSS_SELECTOR, ".call img")) == []
        assert anna.driver.title == "Contacts"
        wide = anna.inside(lambda: anna.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"))
        assert wide
        company.hang_up()
        anna.see_no(".call")


def test_a_closed_box_stays_closed_for_its_call(company, anna):
    company.ring(kind="answered")
    anna.see(".call[data-state='answered']")
    anna.press("[data-action='close']")
    wait_until(lambda: not anna.state()["shown"], 5, "the box is closed")
    anna.load(record=130).lamp("online", "ready", "not-ready", "logged-out", "talking", "ringing")
    anna.see(".call[data-state='answered']")
    assert not anna.state()["shown"]
    anna.toggle()
    company.hang_up()
    anna.see_no(".call")
    company.ring()
    wait_until(lambda: anna.state()["shown"], 5, "another call opens it")


def test_a_note_begun_on_one_page_goes_on_on_the_next(company, anna):
    company.ring(kind="answered")
    anna.see(".call[data-state='answered']")
    anna.inside(lambda: anna.driver.find_element(By.CSS_SELECTOR, ".call textarea").send_keys("wants a call back"))
    anna.load(record=131)
    anna.see(".call")
    assert anna.inside(lambda: anna.driver.find_element(By.CSS_SELECTOR, ".call textarea").get_attribute("value")) == "wants a call back"


def test_two_tabs_are_one_session_and_one_picture(company, watcher, anna):
    wait_until(lambda: watcher.seen, 10, "the widget's session is seen")
    first = anna.driver.current_window_handle
    anna.driver.switch_to.new_window("tab")
    anna.load(record=140).lamp("online", "ready", "not-ready", "logged-out")     # no form
    company.ring(kind="answered")
    anna.see(".call[data-state='answered']")
    anna.driver.switch_to.window(first)
    anna.see(".call[data-state='answered']")
    assert len(watcher.seen) == 1


def test_over_bosh_it_is_the_same(company, page, watcher):
    def install(console):
        assert company.site.daemon.command("vtiger", "install", "--console", console, "--docroot", str(company.vtiger.tree), "--yes").returncode == 0
    install(company.bosh_console)
    try:
        page.load().sign_in().lamp("online", "ready", "not-ready", "logged-out")
        wait_until(lambda: len(watcher.seen) == 1, 10, "the widget's session is seen")
        company.ring(kind="answered")
        page.see(".call[data-state='answered']")
        for number in range(5):
            page.load(record=160 + number)
            page.see(".call[data-state='answered']")
        assert len(watcher.seen) == 1
    finally:
        install(company.console)


def test_without_shared_workers_each_page_signs_in_by_itself(company, page):
    page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.SharedWorker"})
    page.load().sign_in().lamp("online", "ready", "not-ready", "logged-out")
    company.ring(kind="answered")
    page.see(".call[data-state='answered']")
    page.load(record=170)
    page.see(".call[data-state='answered']")


def test_who_is_signed_in_at_the_console_is_so_in_vtiger(company, page):
    crm = page.driver.current_window_handle
    page.lamp("sign-in")
    console = page.browser.new_tab(company.console + "/").sign_in("anna").online()
    page.driver.switch_to.window(crm)
    page.load(record=180).lamp("online", "ready", "not-ready", "logged-out")
    company.ring(kind="answered")
    page.see(".call[data-state='answered']")
    console.state("answered")
    console.click("[data-action='sign-out']")
    page.driver.switch_to.window(crm)
    page.lamp("sign-in")        # all pages of the browser


def test_a_record_opens_in_the_page(company, anna):
    anna.load(record=150)
    company.ring(kind="answered")
    anna.see(".call .records a")
    anna.press(".call .records a")
    wait_until(lambda: "record=120" in anna.driver.current_url, 5, "the record is the page")
    anna.see(".call[data-state='answered']")


def test_a_wrong_password_is_said(company, page):
    page.sign_in(secret="wrong")
    page.see("[role=alert]", "does not accept this name and password")
    page.lamp("sign-in")
    page.sign_in().lamp("online", "ready", "not-ready", "logged-out")


def test_pages_of_other_origins_get_nothing(company, page):
    """A page that the daemon does not list: the browser refuses the frame, whatever the page asks."""
    page.sign_in().lamp("online", "ready", "not-ready", "logged-out")
    other = Vtiger(places.Folder().path / "tree", lambda: [])
    try:
        other.policy = "frame-src *"
        page.driver.get(other.origin + "/index.php")
        page.driver.execute_script("""
          window.heard = [];
          const frame = document.createElement('iframe');
          frame.src = arguments[0] + '/frame.html';
          frame.onload = () => { const channel = new MessageChannel(); channel.port1.onmessage = event => heard.push(event.data); frame.contentWindow.postMessage({hello: 'ctibridge'}, '*', [channel.port2]); window.loaded = true; };
          document.body.append(frame);""", company.console)
        wait_until(lambda: page.driver.execute_script("return window.loaded === true"), 10, "the frame was tried")
        company.ring()
        time.sleep(2)
        assert page.driver.execute_script("return heard") == []
        refused = [entry["message"] for entry in page.driver.get_log("browser") if "frame-ancestors" in entry["message"]]
        assert refused
    finally:
        other.stop()


def test_the_frame_itself_listens_to_no_other_page(company, page):
    """Where another web server than the daemon serves the files and says nothing of ancestors, the frame does not answer either."""
    page.driver.switch_to.default_content()
    page.lamp("sign-in")
    answer = urllib.request.urlopen(company.console + "/origins.json").read()
    assert json.loads(answer) == [company.vtiger.origin]
    policy = urllib.request.urlopen(company.console + "/frame.html").headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors {company.vtiger.origin}")
    assert urllib.request.urlopen(company.console + "/").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_the_page_stays_as_it_was(company, anna):
    """No global name, no style, no element but the widget's own three."""
    anna.driver.switch_to.default_content()
    assert not anna.driver.find_element(By.CSS_SELECTOR, "#ctibridge-dial").is_displayed()
    found = anna.driver.execute_script("""return [document.querySelectorAll('[id^=ctibridge]').length, document.querySelectorAll('style').length,
        Object.keys(window).filter(name => /ctibridge|strophe|preact/i.test(name)), document.querySelector('#ctibridge-lamp').nextElementSibling.querySelector('#menubar_quickCreate') !== null]""")
    assert found == [3, 0, [], True]
