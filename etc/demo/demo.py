"""A small company on loopback, shown to a person (etc/demo/run)."""
import json
import pathlib
import random
import select
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from lab import places                                # noqa: E402
from lab.client import NS, error_of                  # noqa: E402
from lab.process import LabError, wait_until         # noqa: E402
from lab.site import Site                            # noqa: E402
from lab.xmpp_servers import COMPONENT, DOMAIN, password    # noqa: E402

OPERATORS = {"anna": "201", "boris": "202", "clara": "203"}
CALLERS = [("+420736763072", "P DOLEZAL"), ("+420601234567", "ALFA STAVBY"), ("+442079460018", "J SMYTHE"), ("+420603000003", ""), ("+380500000001", ""),
           ("+420541000111", ""), ("+420799123456", "somebody new"), ("anonymous", "")]
_print = threading.Lock()


def say(text: str = ""):
    with _print:
        print(text, flush=True)


def describe(client, notice):
    """One line for one notice, as it arrives."""
    if notice.call is None:
        text = notice.body or "?"
    else:
        party = notice.party
        who = next((m.get("label") for m in notice.matches if m.get("label")), None) if len(notice.matches) == 1 else None
        who = who or (party is not None and (party.get("name") or party.get("number"))) or "number withheld"
        text = f"{notice.state + (' (' + notice.cause + ')' if notice.cause else ''):<22} {notice.direction:<9} {who}"
        if notice.child("far-end") is not None:
            text += "  (the far end rings)"
        if notice.body:
            text += "".join(f"\n{'':20}{line}" for line in notice.body.splitlines())
    say(f"{time.strftime('%H:%M:%S')}  {client.user:<8}  {text}")


def serve_console(site):
    """The console in the browser, by the daemon's own HTTP port. Returns its address, or nothing where it is not built."""
    built = pathlib.Path(__file__).resolve().parents[2] / "web/dist"
    if not (built / "index.html").exists():
        return ""
    folder, port = site.folder.path / "console", places.free_port()
    shutil.copytree(built, folder)
    (folder / "config.json").write_text(json.dumps({"websocket": site.xmpp.websocket, "bosh": site.xmpp.bosh, "component": COMPONENT, "domain": DOMAIN}))
    site.daemon.config["http"] = [{"listen": f"127.0.0.1:{port}", "serve": ["console", "caller", "health"], "console": str(folder)}]
    site.daemon.write()
    return f"http://127.0.0.1:{port}/"


def show(site, console):
    say(f"\n{site.versions()}, {site.xmpp.name}, {site.database.kind} and ctibridge run, on loopback only.\n")
    if console:
        say(f"The console: {console}   (sign in as anna, boris or clara; the calls that come are shown, and the pop's buttons work)")
    say(f"Any XMPP client can join (domain {DOMAIN}, no TLS needed):")
    say(f"  TCP 127.0.0.1:{site.xmpp.c2s}   BOSH {site.xmpp.bosh}   WebSocket {site.xmpp.websocket}")
    for user, extension in OPERATORS.items():
        say(f"  {user}@{DOMAIN}  password {password(user)}  phone {extension}")
    say(f"The component is {COMPONENT}; its log {site.daemon.log}")
    say(f"The database: mariadb --socket={site.database.socket} --user=root ctibridge\n")


def verified(what: str):
    say(f"  verified: {what}")


def need(condition, what: str):
    if not condition:
        raise LabError(f"not so: {what}")
    verified(what)


def row(site, sql, *parameters, what):
    rows = wait_until(lambda: site.database.rows(sql, *parameters), 10, what, 0.1)
    verified(what)
    return rows[0]


def once_inbound(site, anna):
    say("One call from outside to anna:")
    phone = site.phone("201")
    call = site.provider.call("02079460201", "+420736763072", "P DOLEZAL")
    phone.wait("ringing")
    pop = anna.expect(state="ringing")
    need(phone.ringing and not phone.talking, "the pop is at anna while the phone still rings")
    need(any(m.get("id") == "120" and m.get("label") == "Pavel Doležal" for m in pop.matches), "it says who calls: Pavel Doležal")
    need("record=120" in (pop.oob or "") and (pop.oob or "?") in pop.body, f"it links to the record: {pop.oob}")
    phone.accept()
    anna.expect(state="answered", leg=pop.leg)
    verified("answered")
    time.sleep(1.2)
    call.hangup()
    need(anna.expect(state="ended", leg=pop.leg).cause == "hangup", "ended, with its cause")
    rows_of(site, pop.id, "inbound", "completed")


def once_dial(site, anna):
    say("One click-to-dial of anna:")
    number, outside = "+420601234567", "00420601234567"
    site.provider.behave(outside, "manual")
    answer = anna.dial(number)
    need(not error_of(answer), f"{number} is accepted")
    call = answer.find(f"{{{NS}}}call").get("id")
    phone = site.phone("201")
    phone.wait("ringing")
    verified("anna's own phone rings first")
    phone.accept()
    far = site.provider.taken(outside)
    verified(f"then {outside} is called")
    far.ring()
    time.sleep(0.5)
    far.answer()
    anna.expect(state="answered", id=call)
    verified("answered")
    time.sleep(1.2)
    far.hangup()
    need(anna.expect(state="ended", id=call).cause == "hangup", "ended, with its cause")
    rows_of(site, call, "outbound", "completed")


def rows_of(site, call, direction, status):
    row(site, "SELECT id FROM cti_call WHERE id = %s AND direction = %s AND disposition = 'answered' AND talk_ms > 0 AND ended IS NOT NULL", call, direction,
        what=f"cti_call has {call}: {direction}, answered")
    row(site, "SELECT `call` FROM cti_leg WHERE `call` = %s AND jid = %s AND answered IS NOT NULL AND ended IS NOT NULL", call, f"anna@{DOMAIN}",
        what="cti_leg has anna's leg")
    row(site, "SELECT p.pbxmanagerid FROM cti_crm_row r JOIN vtiger.vtiger_pbxmanager p ON p.pbxmanagerid = r.crm_id "
        "JOIN vtiger.vtiger_crmentity e ON e.crmid = p.pbxmanagerid AND e.deleted = 0 AND e.smownerid = 5 "
        "WHERE r.`call` = %s AND p.direction = %s AND p.callstatus = %s", call, direction, status,
        what=f"vTiger's call list has it under anna as {status}")


def once(site):
    anna = site.client("anna")
    once_inbound(site, anna)
    anna.clear()
    once_dial(site, anna)
    if site.daemon.stop() != 0:
        raise LabError("ctibridge did not end cleanly")
    say("All of it works.")


def one_call(site, stop):
    """A caller, an operator who answers or not, a talk, an end."""
    number, name = random.choice(CALLERS)
    extension = random.choice(list(OPERATORS.values()))
    phone = site.phone(extension)
    if not phone.idle:
        return
    try:
        call = site.provider.call("02079460" + extension, number, name)
        phone.wait("ringing", 5)
        if random.random() < 0.25:
            stop.wait(3)                    # the caller gives up
        else:
            stop.wait(random.uniform(1.5, 4))
            phone.accept()
            call.wait("answered", 5)
            stop.wait(random.uniform(3, 8))
        call.hangup()
    except (LabError, OSError) as error:
        if not stop.is_set():
            say(f"{time.strftime('%H:%M:%S')}  demo: {error}")


def typed(clients, line):
    words = line.split()
    user = words.pop(0) if words and words[0] in clients else "anna"
    number = " ".join(words)
    if not number:
        return
    say(f"{time.strftime('%H:%M:%S')}  {user} dials {number}")
    try:
        answer = clients[user].dial(number.replace("&", "&amp;").replace("'", "&apos;").replace("<", "&lt;"))
    except LabError as error:
        say(f"          {error}")
        return
    if condition := error_of(answer):
        text = next((e.text for e in answer.iter() if e.tag.endswith("}text")), "")
        say(f"          refused ({condition}): {text}")


def watch(site, console):
    clients = {user: site.client(user) for user in OPERATORS}
    for client in clients.values():
        client.on_notice = describe
    show(site, console)
    say("Type a number to dial it as anna (her phone answers by itself), `boris NUMBER` as boris; Ctrl-C ends the demo.\n")
    stop = threading.Event()
    next_call, typing = time.monotonic() + 1, True
    try:
        while True:
            if not site.daemon.child.running():
                raise LabError(f"ctibridge has ended; its log is {site.daemon.log}")
            if time.monotonic() >= next_call:
                next_call = time.monotonic() + random.uniform(4, 7)
                threading.Thread(target=one_call, args=(site, stop), daemon=True).start()
            if typing and select.select([sys.stdin], [], [], 0.2)[0]:
                line = sys.stdin.readline()
                typing = bool(line)
                if line.strip():
                    threading.Thread(target=dial_and_answer, args=(site, clients, line.strip()), daemon=True).start()
            elif not typing:
                time.sleep(0.2)
    finally:
        stop.set()


def dial_and_answer(site, clients, line):
    """The operator's hand on the own phone is the demo's: it answers after a moment."""
    user = line.split()[0] if line.split()[0] in clients else "anna"
    phone = site.phone(OPERATORS[user])
    was_idle = phone.idle
    typed(clients, line)
    if was_idle:
        try:
            phone.wait("ringing", 3)
            time.sleep(1)
            phone.accept()
            phone.wait("talking", 5)
            time.sleep(8)
            phone.hangup()
        except (LabError, OSError):
            pass


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("starting Asterisk, phones, MariaDB, Prosody and ctibridge")
    site = None
    try:
        site = Site()
        just_once = "--once" in sys.argv[1:]
        console = "" if just_once else serve_console(site)
        site.start_daemon()
        once(site) if just_once else watch(site, console)
        return 0
    except KeyboardInterrupt:
        say("\nstopping")
        return 0
    except LabError as error:
        say(f"demo: {error}")
        if site is not None and site.daemon.text():
            say("the end of ctibridge's log:\n" + "\n".join(site.daemon.text().splitlines()[-20:]))
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if site is not None:
            site.stop()


if __name__ == "__main__":
    sys.exit(main())
