"""Private Prosody and ejabberd: the same accounts, the same component, loopback only."""
import os
import pathlib
import shutil
import subprocess

from . import places, tls
from .process import Child, wait_until, LabError, tail

DOMAIN, COMPONENT, SECRET = "example.org", "cti.example.org", "component-secret"
ACCOUNTS = ("anna", "boris", "clara", "david", "filip", "hugo", "admin", "stranger")


def password(user: str) -> str:
    return user + "-pw"


class Server:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.c2s, self.component, self.component_tls, self.http = (places.free_port() for _ in range(4))
        self.child = None
        certificate = tls.certificate()
        shutil.copy(certificate.key, folder / "key.pem")
        shutil.copy(certificate.cert, folder / "cert.pem")

    def stop(self):
        if self.child:
            self.child.stop()

    def kill(self):
        self.child.kill()

    def restart(self):
        self.stop()
        return self.start()


class Prosody(Server):
    name = "prosody"

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        (folder / "data").mkdir()
        self.config = folder / "prosody.cfg.lua"
        self.config.write_text(f"""\
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/prosody.log" }} }}
network_backend = "epoll"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.c2s} }}
c2s_direct_tls_ports = {{ }}
component_ports = {{ {self.component} }}
component_interfaces = {{ "127.0.0.1" }}
http_ports = {{ {self.http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
run_as_root = true
modules_enabled = {{ "roster"; "saslauth"; "tls"; "disco"; "ping"; "version"; "time"; "lastactivity"; "private"; "vcard4"; "vcard_legacy";
  "presence"; "message"; "iq"; "offline"; "carbons"; "smacks"; "csi_simple"; "pep"; "mam"; "blocklist"; "adhoc"; "bosh"; "websocket" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
ssl = {{ key = "{folder}/key.pem"; certificate = "{folder}/cert.pem" }}
consider_bosh_secure = true
consider_websocket_secure = true
cross_domain_bosh = true
cross_domain_websocket = true
http_default_host = "{DOMAIN}"
component_conflict_resolve = "kick_old"
VirtualHost "{DOMAIN}"
Component "{COMPONENT}"
  component_secret = "{SECRET}"
  name = "phone"
""")
        for user in ACCOUNTS:
            store = folder / "data" / DOMAIN.replace(".", "%2e") / "accounts"
            store.mkdir(parents=True, exist_ok=True)
            # Prosody turns a plain password into a hash at the first login; prosodyctl would take a second per account.
            (store / f"{user}.dat").write_text(f'return {{\n\t["password"] = "{password(user)}";\n}};\n')

    @property
    def bosh(self):
        return f"http://127.0.0.1:{self.http}/http-bind"

    @property
    def websocket(self):
        return f"ws://127.0.0.1:{self.http}/xmpp-websocket"

    def start(self):
        self.child = Child("prosody", ["prosody", "--config", str(self.config), "-F"], self.folder / "out.log", cwd=self.folder)
        for port in (self.c2s, self.component, self.http):
            self.child.wait_for_port(port, 20)
        return self


class Ejabberd(Server):
    name = "ejabberd"

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder)
        self.dist = places.free_port()
        conf = folder / "conf"
        for part in ("conf", "spool", "logs"):
            (folder / part).mkdir()
        (conf / "cert.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
        (conf / "inetrc").write_text('{lookup,["file","native"]}.\n{host,{127,0,0,1},["localhost"]}.\n')
        (conf / "ejabberdctl.cfg").write_text(f"""\
ERL_DIST_PORT={self.dist}
INET_DIST_INTERFACE=127.0.0.1
ERLANG_NODE=lab{self.dist}@localhost
EJABBERD_PID_PATH={folder}/ejabberd.pid
ERL_OPTIONS="-env ERL_CRASH_DUMP_BYTES 0"
""")
        (conf / "ejabberd.yml").write_text(f"""\
loglevel: info
hosts: ["{DOMAIN}"]
certfiles: ["{conf}/cert.pem"]
auth_method: internal
auth_password_format: scram
listen:
  - {{ port: {self.c2s}, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, access: c2s, shaper: none, starttls: true }}
  - port: {self.component}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    shaper: none
    max_stanza_size: infinity
    hosts:
      "{COMPONENT}":
        password: "{SECRET}"
  - port: {self.component_tls}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    shaper: none
    tls: true
    certfile: "{conf}/cert.pem"
    hosts:
      "{COMPONENT}":
        password: "{SECRET}"
  - {{ port: {self.http}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {{ /http-bind: mod_bosh, /ws: ejabberd_http_ws }} }}
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
acl: {{ local: {{ user_regexp: "" }}, loopback: {{ ip: [127.0.0.0/8] }} }}
access_rules: {{ c2s: [allow], local: [ {{ allow: local }} ] }}
api_permissions:
  "console commands": {{ from: [ejabberd_ctl], who: all, what: "*" }}
shaper_rules: {{ max_user_sessions: 10, max_user_offline_messages: 100 }}
modules:
  mod_adhoc: {{}}
  mod_admin_extra: {{}}
  mod_blocking: {{}}
  mod_bosh: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_mam: {{ default: always }}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub: {{ plugins: [flat, pep] }}
  mod_roster: {{ versioning: true }}
  mod_stream_mgmt: {{ resend_on_timeout: if_offline }}
  mod_vcard: {{}}
  mod_version: {{}}
""")
        # The packaged script insists on the system's user and forks; ours becomes the server, so that its pid is ours.
        packaged = pathlib.Path(shutil.which("ejabberdctl") or "/usr/sbin/ejabberdctl").read_text()
        script = packaged.replace("INSTALLUSER=ejabberd", "INSTALLUSER=", 1)
        script = script.replace('    foreground)\n        check_start\n        exec_erl ', '    foreground)\n        exec_cmd() { exec "$@"; }\n        exec_erl ', 1)
        if "exec_cmd() { exec" not in script:
            raise LabError("the packaged ejabberdctl has changed: its 'foreground' is not where the lab expects it")
        self.control = folder / "ejabberdctl"
        self.control.write_text(script)
        self.control.chmod(0o755)
        self._registered = False

    @property
    def bosh(self):
        return f"http://127.0.0.1:{self.http}/http-bind"

    @property
    def websocket(self):
        return f"ws://127.0.0.1:{self.http}/ws"

    def _command(self, *arguments):
        return [str(self.control), "--config-dir", str(self.folder / "conf"), "--spool", str(self.folder / "spool"),
                "--logs", str(self.folder / "logs"), *arguments]

    def ctl(self, *arguments):
        return subprocess.run(self._command(*arguments), capture_output=True, text=True, env={**os.environ, "HOME": str(self.folder)}, timeout=60)

    def start(self):
        self.child = Child("ejabberd", self._command("foreground"), self.folder / "out.log", env={"HOME": str(self.folder)}, cwd=self.folder)
        for port in (self.c2s, self.component, self.http):
            self.child.wait_for_port(port, 60)
        wait_until(lambda: self.ctl("status").returncode == 0, 60, f"ejabberd answers\n{tail(self.folder / 'out.log')}", 0.1)
        if not self._registered:
            for user in ACCOUNTS:
                done = self.ctl("register", user, DOMAIN, password(user))
                if done.returncode != 0:
                    raise LabError(f"ejabberd: {user} cannot be registered: {done.stdout}{done.stderr}")
            self._registered = True
        return self
