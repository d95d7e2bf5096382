"""Figures of web/README.md: from the stanza to the screen, and what a thousand calls leave behind. With CTIBRIDGE_FIGURES=FILE they are written there."""
import gzip
import json
import os
import statistics

from lab.process import wait_until
from server import DIST

FIGURES = os.environ.get("CTIBRIDGE_FIGURES")

# Before the page's own scripts: notes when a message with a call comes in, and when the call has been painted.
CLOCK = """
const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
Object.defineProperty(WebSocket.prototype, 'onmessage', {...property, set(take) {
  property.set.call(this, take && (event => { if (event.data.includes("state='ringing'") || event.data.includes('state="ringing"')) window.came = performance.now(); take(event); }));
}});
window.delays = [];
new MutationObserver(() => {
  if (window.came === undefined || !document.querySelector(".call[data-state='ringing']")) return;
  const came = window.came;
  window.came = undefined;
  const drawn = performance.now();
  requestAnimationFrame(() => { const frame = new MessageChannel(); frame.port1.onmessage = () => window.delays.push([drawn - came, performance.now() - came]); frame.port2.postMessage(0); });
}).observe(document, {subtree: true, childList: true});
"""


def keep(**figures):
    if FIGURES:
        with open(FIGURES, "a") as file:
            file.write(json.dumps(figures) + "\n")


def heap(tab) -> float:
    """Megabytes of JavaScript that are really in use."""
    tab.front().driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    found = tab.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(one["value"] for one in found if one["name"] == "JSHeapUsedSize") / 1e6


def kilobytes(*files) -> list:
    data = [file.read_bytes() for file in files]
    return [sum(map(len, data)) // 1000, sum(len(gzip.compress(one, 9)) for one in data) // 1000]


def test_the_bundle_is_small():
    """What each of the pages loads: the console, and in a page of vTiger the widget and its frame; the worker is loaded once."""
    def named_in(page):
        text = (DIST / page).read_text()
        return [file for file in (DIST / "assets").iterdir() if file.name in text]
    sizes = {page: kilobytes(*named_in(page)) for page in ("index.html", "frame.html")}
    sizes["worker"] = kilobytes(*(DIST / "assets").glob("main-*.js"))
    sizes["widget.js"] = kilobytes(DIST / "widget.js")
    keep(kb_and_gzip=sizes)
    for page, most in (("index.html", 100), ("frame.html", 50), ("worker", 70), ("widget.js", 5)):
        assert 0 < sizes[page][1] < most, sizes


def test_from_the_stanza_to_the_screen(quick, browser, pages):
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK})
    anna = browser.first_tab(pages.address).sign_in("anna").online()
    for done in range(1, 31):
        quick.ring()
        wait_until(lambda done=done: anna.ask("return delays.length") >= done, 10, "the call was painted")
        quick.hang_up()
        anna.see_no(".call")
    drawn, painted = zip(*anna.ask("return delays"))
    keep(stanza_to_dom_ms=[round(statistics.median(drawn), 1), round(max(drawn), 1)], stanza_to_paint_ms=[round(statistics.median(painted), 1), round(max(painted), 1)])
    assert len(painted) == 30


def test_a_thousand_calls_leave_nothing_behind(quick, tab):
    anna = tab.sign_in("anna").online()
    anna.front().driver.execute_cdp_cmd("Performance.enable", {})

    def calls(count: int, at_once: int = 20):
        for _ in range(count // at_once):
            for _ in range(at_once):
                quick.ring()
            wait_until(lambda: len(anna.calls()) == at_once, 30, "all are shown")
            quick.hang_up()
            wait_until(lambda: not anna.calls(), 30, "none is shown")
    calls(100)
    before, nodes = heap(anna), anna.ask("return document.querySelectorAll('*').length")
    calls(1000)
    after = heap(anna)
    keep(heap_mb={"after 100 calls": round(before, 1), "after 1100 calls": round(after, 1)}, elements=nodes)
    assert anna.ask("return document.querySelectorAll('*').length") == nodes and 0 < len(anna.all(".past")) <= 50
    assert after - before < 3
