"""vTiger's pages as far as a widget sees them: the anchors, header bar, scripts and page changes of vTiger 8 (layout v7), rendered from the rows of vtiger_links
as vTiger does it: a HEADERSCRIPT is put in if its file exists in vTiger's tree. With a Content-Security-Policy as strict as vTiger's own inline handlers allow."""
import html
import http.server
import json
import pathlib
import threading
import urllib.parse

from lab import places

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
FIELDS = {"phone": "+420 736 763 072", "mobile": "+44 (0)20 7946 0018"}
SCRIPT = """
window._META = {module: %(module)s, view: %(view)s};
window._USERMETA = {id: '1', userlabel: 'Somebody Else'};
window.app = {getModuleName: () => _META.module, getRecordId: () => document.querySelector('#recordId')?.value ?? ''};
window.Vtiger_PBXManager_Js = {registerPBXOutboundCall(number, record) {
  fetch('index.php', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: new URLSearchParams({module: 'PBXManager', action: 'OutgoingCall', number, record})});
}};
// Tabs inside a record: a fragment by XHR, the address by pushState; nothing of the head runs again.
document.addEventListener('click', event => {
  const tab = event.target.closest('a[data-pjax]');
  if (!tab) { const row = event.target.closest('tr.listViewEntries'); if (row) location.href = row.dataset.recordurl; return; }
  event.preventDefault();
  fetch(tab.href + '&_pjax=%%23pjaxContainer').then(answer => answer.text()).then(text => {
    document.querySelector('#pjaxContainer').innerHTML = text;
    history.pushState({}, '', tab.href);
  });
});
"""


def link(number: str, record: int) -> str:
    stripped = "".join(sign for sign in number if sign not in "-() ")
    return (f"<a class='phoneField' data-value='{stripped}' record='{record}' "
            f"onclick=\"Vtiger_PBXManager_Js.registerPBXOutboundCall('{stripped}',{record})\">{html.escape(number)}</a>")


def summary(record: int) -> str:
    return f"<h4>Summary</h4><input type='hidden' id='recordId' value='{record}'>"


def details(record: int) -> str:
    rows = "".join(f"<tr><td class='fieldLabel'>{name}</td><td id='Contacts_detailView_fieldValue_{name}'><span class='value' data-field-type='phone'>{link(number, record)}</span></td></tr>"
                   for name, number in FIELDS.items())
    return summary(record) + f"<table>{rows}</table>"


def related(record: int) -> str:
    return summary(record) + f"""<div class='relatedContents'><input type='hidden' class='relatedModuleName' value='Contacts'><table><tr class='listViewEntries' data-id='121' data-recordurl='index.php?module=Contacts&amp;view=Detail&amp;record=121'>
      <td class='relatedListEntryValues' data-field-type='phone' title='{FIELDS["phone"]}'>{FIELDS["phone"]}</td></tr></table></div>"""


def listing() -> str:
    rows = "".join(f"""<tr class='listViewEntries' data-id='{record}' data-recordurl='index.php?module=Contacts&amp;view=Detail&amp;record={record}'>
      <td data-name='lastname'>Contact {record}</td><td data-name='phone' data-field-type='phone' data-rawvalue='{FIELDS["phone"]}'>{FIELDS["phone"]}</td></tr>""" for record in range(120, 126))
    return f"<table>{rows}</table>"


def editing() -> str:
    return f"<form id='EditView'><input name='phone' value='{FIELDS['phone']}'></form>"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        if address.path != "/index.php":
            return self._file(address.path)
        asked = dict(urllib.parse.parse_qsl(address.query))
        view, record = asked.get("view", "List"), int(asked.get("record", "120"))
        body = {"List": listing, "Edit": editing}.get(view) or {
            "details": lambda: details(record), "related": lambda: related(record)}.get(asked.get("tab", ""), lambda: summary(record))
        with self.server.lock:
            self.server.loads.append(self.path)
        if "_pjax" in asked:
            return self._answer("text/html; charset=utf-8", body().encode())
        return self._answer("text/html; charset=utf-8", self.server.page(asked.get("module", "Contacts"), view, record, body()).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with self.server.lock:
            self.server.posts.append(dict(urllib.parse.parse_qsl(body)))
        self._answer("application/json", b'{"success":true,"result":true}')

    def _file(self, path: str):
        file = (self.server.tree / path.lstrip("/")).resolve()
        if not file.is_relative_to(self.server.tree) or not file.is_file():
            return self.send_error(404)
        self._answer("text/javascript" if file.suffix == ".js" else "text/css" if file.suffix == ".css" else "text/plain", file.read_bytes())

    def _answer(self, kind: str, body: bytes):
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": self.server.policy, "Cache-Control": "no-store",
                            "Set-Cookie": "PHPSESSID=1; path=/"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


STYLE = """
.app-fixed-navbar { position: fixed; top: 0; left: 0; right: 0; height: 86px; z-index: 1095; background: #2c3b49; color: #fff; }
.app-fixed-navbar ul { float: right; list-style: none; } .app-fixed-navbar li { float: left; padding: 10px; }
body { margin: 100px 20px; font: 13px sans-serif; } button, iframe { border: 5px solid red; } a { cursor: pointer; color: #15c; } td { padding: 8px; }
"""


class Vtiger(http.server.ThreadingHTTPServer):
    """`links`: what vtiger_links holds, as a function; `posts`: what vTiger's own click-to-call sent; `loads`: pages and fragments that were asked for."""
    daemon_threads = True

    def __init__(self, folder: pathlib.Path, links, port: int = 0):
        super().__init__(("127.0.0.1", port or places.free_port()), Handler)
        self.tree, self.links, self.posts, self.loads, self.lock, self.policy = folder.resolve(), links, [], [], threading.Lock(), ""
        (self.tree / "modules").mkdir(parents=True)
        (self.tree / "vtigerversion.php").write_text("<?php $vtiger_current_version = '8.4.0';")
        (self.tree / "index.php").write_text("<?php")
        (self.tree / "style.css").write_text(STYLE)
        threading.Thread(target=self.serve_forever, name="vtiger", daemon=True).start()

    def allow(self, console: str):
        """What a site's web server may add: its own scripts and the console's, styles only from files, frames only of the console."""
        self.policy = (f"default-src 'self'; script-src 'self' 'unsafe-inline' {console}; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src {console}; "
                       "object-src 'none'; base-uri 'self'")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def address(self, **asked) -> str:
        return f"{self.origin}/index.php?" + urllib.parse.urlencode({"module": "Contacts", "view": "Detail", "record": 120, **asked})

    def page(self, module: str, view: str, record: int, body: str) -> str:
        scripts = "".join(f"<script src='{html.escape(url)}?v=8.4.0'></script>" for url in self.links() if (self.tree / url.split("?")[0]).is_file())
        tabs = "".join(f"<a data-pjax href='index.php?module={module}&amp;view=Detail&amp;record={record}&amp;tab={tab}' id='tab-{tab}'>{tab}</a> " for tab in ("summary", "details", "related"))
        header = f"<form id='headerForm'>{link(FIELDS['phone'], record)}</form>" if view == "Detail" else ""
        meta = SCRIPT % {"module": json.dumps(module), "view": json.dumps(view)}
        return f"""<!DOCTYPE html><html><head><title>{module}</title><link rel='stylesheet' href='style.css'></head><body data-language='en_us'>
<nav class='app-fixed-navbar'><ul class='nav navbar-nav'><li><a id='menubar_quickCreate'>+</a></li><li>c</li><li>r</li><li>t</li><li>u</li></ul></nav>
{header}<nav>{tabs}<a id='list' href='index.php?module=Contacts&amp;view=List'>list</a> <a id='next' href='index.php?module=Contacts&amp;view=Detail&amp;record={record + 1}'>next</a></nav>
<div id='pjaxContainer'>{body}</div><script>{meta}</script>{scripts}</body></html>"""

    def stop(self):
        self.shutdown()
        self.server_close()
