"""A real browser (Debian's Chromium through its own driver) and what an operator does in the console's page."""
import os
import pathlib
import shutil
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, NoSuchElementException, NoSuchWindowException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from lab.process import LabError, wait_until
from lab.xmpp_servers import password

PICTURES = os.environ.get("CTIBRIDGE_PICTURES")      # a folder: the tests keep their pictures there


class Browser:
    """One profile; tabs are Tab. `options`: more of Chromium's."""

    def __init__(self, *options, language: str = "en-US", dark: bool = False):
        self._profile = pathlib.Path(tempfile.mkdtemp(prefix="ctibridge-browser-"))
        chosen = webdriver.ChromeOptions()
        chosen.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
        for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio", "--no-first-run", "--disable-extensions",
                       "--disable-background-networking", f"--user-data-dir={self._profile}", "--window-size=1360,840", f"--lang={language}",
                       # Nothing leaves this machine.
                       "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost", *options):
            chosen.add_argument(option)
        chosen.add_experimental_option("prefs", {"profile.default_content_setting_values": {"popups": 1, "notifications": 1}, "intl.accept_languages": language,
                                                 "credentials_enable_service": False})
        chosen.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver") or "/usr/bin/chromedriver"), options=chosen)
        self.driver.set_page_load_timeout(30)
        self.pids = [self.driver.service.process.pid]
        if dark:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def first_tab(self, address: str) -> "Tab":
        tab = Tab(self, self.driver.current_window_handle)
        tab.load(address)
        return tab

    def new_tab(self, address: str) -> "Tab":
        self.driver.switch_to.new_window("tab")
        tab = Tab(self, self.driver.current_window_handle)
        tab.load(address)
        return tab

    def complaints(self) -> list:
        """What the page complained of: exceptions, refusals by the Content-Security-Policy. A lost network is no complaint."""
        network = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE" and not any(word in entry["message"] for word in network)]

    def stop(self):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self._profile, ignore_errors=True)


class Tab:
    def __init__(self, browser: Browser, handle: str):
        self.browser, self.driver, self.handle = browser, browser.driver, handle

    def front(self):
        try:
            here = self.driver.current_window_handle == self.handle
        except NoSuchWindowException:       # the last one was closed
            here = False
        if not here:
            self.driver.switch_to.window(self.handle)
        return self

    def load(self, address: str):
        self.front()
        self.address = address
        self.driver.get(address)
        return self

    def reload(self):
        self.front().driver.refresh()
        return self

    def close(self):
        self.front().driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    # what is seen

    def all(self, css: str) -> list:
        return self.front().driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        """The text of the first such element; empty while there is none."""
        try:
            return self.front().driver.find_element(By.CSS_SELECTOR, css).text
        except (NoSuchElementException, NoSuchWindowException, StaleElementReferenceException):
            return ""

    def ask(self, script: str, *arguments):
        return self.front().driver.execute_script(script, *arguments)

    def wait(self, what: str, found, timeout: float = 10):
        def there():
            try:
                return found()
            except (NoSuchElementException, NoSuchWindowException, StaleElementReferenceException, JavascriptException):
                return None
        try:
            return wait_until(there, timeout, f"the page shows {what}", 0.05)
        except LabError as error:
            raise LabError(f"{error}; it shows:\n{self.text('body')[:1500]}\n{self.browser.complaints()}") from None

    def see(self, css: str, text: str = "", timeout: float = 10):
        """Until such an element has that text in it."""
        return self.wait(f"{css} with {text!r}", lambda: next((e for e in self.all(css) if text in e.text), None), timeout)

    def see_no(self, css: str, timeout: float = 10):
        self.wait(f"no {css}", lambda: not self.all(css), timeout)

    def calls(self) -> list:
        """(key, state) of the calls shown now."""
        return [tuple(one) for one in self.ask("return [...document.querySelectorAll('.call')].map(c => [c.dataset.key, c.dataset.state])")]

    def state(self, state: str, timeout: float = 10):
        """Until a call in that state is shown."""
        return self.see(f".call[data-state='{state}']", timeout=timeout)

    def online(self, timeout: float = 20):
        self.see(".connection[data-status='online']", timeout=timeout)
        self.wait("a picture without gaps", lambda: self.ask("return document.querySelector('.calls')?.dataset.stale === 'false'"), timeout)
        return self

    # what is done

    def click(self, css: str, text: str = ""):
        self.see(css, text).click()

    def choose(self, css: str, value: str):
        Select(self.see(css)).select_by_value(value)

    def type(self, css: str, text: str, clear: bool = False):
        field = self.see(css)
        if clear:
            field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)
        return field

    def paste(self, css: str, text: str):
        """As from the clipboard, also what no key types."""
        self.see(css)
        self.ask("""const [css, text] = arguments; const field = document.querySelector(css); field.focus(); field.select();
                    document.execCommand('insertText', false, text);""", css, text)

    def press(self, key: str):
        """A key of the page itself, no field."""
        self.ask("document.activeElement?.blur()")
        self.front().driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def sign_in(self, user: str, secret: str = "", stay: bool = False):
        self.type("input[name=username]", user, clear=True)
        self.type("input[name=password]", secret or password(user), clear=True)
        if stay:
            self.click("input[name=stay]")
        self.click("form button")
        return self

    def picture(self, name: str):
        """Keeps what is seen, without what moves."""
        if PICTURES:
            time.sleep(0.3)
            pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.front().driver.save_screenshot(str(pathlib.Path(PICTURES) / f"{name}.png"))
