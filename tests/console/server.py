"""The built console on a web server of 127.0.0.1, as web/README.md says to serve it: one folder, config.json beside the page, the headers of security."""
import functools
import http.server
import json
import threading

from lab import places

DIST = places.project() / "web/dist"
# Word for word the one of web/README.md; `{connect}` is where the XMPP server is, when that is not the page's own host.
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{connect}; "
          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'")


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.split("?")[0] == "/config.json":
            return self._answer("application/json", json.dumps(self.server.config).encode())
        if self.path.startswith("/crm/"):       # what a record's link opens
            return self._answer("text/html", b"<!doctype html><title>record</title><p id='record'>record</p>")
        return super().do_GET()

    def _answer(self, kind: str, body: bytes):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self):
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_):
        with self.server.lock:
            self.server.asked.append(self.path)


class Pages(http.server.ThreadingHTTPServer):
    """`config` may be changed at any time; `asked`: the paths that were asked for."""
    daemon_threads = True

    def __init__(self):
        if not (DIST / "index.html").exists():
            raise FileNotFoundError(f"{DIST} is not built: npm ci && npm run build in web/")
        super().__init__(("127.0.0.1", places.free_port()), functools.partial(Handler, directory=str(DIST)))
        self.config, self.policy, self.asked, self.lock = {}, POLICY.format(connect=""), [], threading.Lock()
        threading.Thread(target=self.serve_forever, name="pages", daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def reach(self, xmpp, transport: str, port: int = 0, services=None):
        """Tells the console its XMPP server. `port`: of a proxy before it."""
        endpoint = (xmpp.websocket if transport == "websocket" else xmpp.bosh).replace(f":{xmpp.http}/", f":{port or xmpp.http}/")
        self.config = {transport: endpoint, "component": "cti.example.org", "domain": "example.org", "services": services or {}}
        self.policy = POLICY.format(connect=" " + endpoint)

    def opened(self) -> list:
        """The records that were opened, in order."""
        with self.lock:
            return [path for path in self.asked if path.startswith("/crm/")]

    def forget(self):
        with self.lock:
            self.asked.clear()

    def stop(self):
        self.shutdown()
        self.server_close()


def record_of(number: int, module: str = "Contacts") -> str:
    return f"/crm/index.php?module={module}&view=Detail&record={number}"
