"""The simulated pbx: connections, calls, faults. Everything on one asyncio loop; Simulated runs that loop in a thread."""
import asyncio
import dataclasses
import itertools
import json
import random
import sys
import threading
import time

from . import session, template
from .exchange import Exchange, Plan
from .session import ALL_CLASSES, BANNER, Session, message

# The headers of a channel event that a list shows too.
SNAPSHOT = ("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName", "Language",
            "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid")


@dataclasses.dataclass
class Faults:
    silent: bool = False                # accepts and never says anything
    banner: bytes = BANNER              # what it says first
    shutting_down: bool = False         # refuses every action, calls go on
    stall_after_login: bool = False     # logged in, then silent for ever
    boot_delay: float = 0.0             # seconds from login to FullyBooted


class Call:
    """A template being played; its remaining events are dropped by stop()."""

    def __init__(self, linkedid):
        self.linkedid, self.timers = linkedid, []

    def stop(self):
        for timer in self.timers:
            timer.cancel()


class Pbx:
    def __init__(self, username="ctibridge", secret="sim-secret", extensions=("201", "202", "203"), read=ALL_CLASSES, write=ALL_CLASSES,
                 speed=1.0, originate_as="answered", report=None):
        self.username, self.secret, self.extensions = username, secret, list(extensions)
        self.read, self.write = set(read), set(write)
        self.speed, self.originate_as = speed, originate_as
        self.faults = Faults()
        self.report_to = report
        self.sessions: set[Session] = set()
        self.channels: dict[str, list] = {}     # Uniqueid -> headers of the last event that described it
        self.calls: dict[str, Call] = {}
        self.sequence = itertools.count(0x1000)    # above the channels of the recordings
        self.epoch = int(time.time())
        self.server = None
        self.load = None
        self.port = 0
        self.action_time = 0.0                  # seconds for each action, one after the other, as a session of Asterisk works
        self.most_waiting = 0                   # actions that were there at once, the one worked on counted
        self.sent = 0                           # events, to each client that was there
        self._pending: list = []
        self.exchange = Exchange(self)

    clock = staticmethod(time.time)

    def report(self, **what):
        if self.report_to:
            self.report_to(what)

    # -- connections

    async def listen(self, port=0):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", port or self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        self.report(listening=self.port)

    async def refuse(self):
        """Stops listening and drops every connection: the host refuses."""
        if self.server:
            self.server.close()
            self.server = None
        self.drop()

    def drop(self):
        for each in list(self.sessions):
            each.writer.transport.abort()

    async def _accept(self, reader, writer):
        each = Session(self, reader, writer)
        self.sessions.add(each)
        try:
            await each.run()
        except ConnectionError:
            pass
        finally:
            self.sessions.discard(each)
            writer.close()

    def cut(self, after: int):
        """Closes each connection after that many more bytes, wherever that is in a message."""
        for each in self.sessions:
            each.cut_after = after

    def shutdown(self, restart=False):
        self._event("system", message(("Event", "Shutdown"), ("Privilege", "system,all"), ("Shutdown", "Cleanly"), ("Restart", restart)))
        for each in list(self.sessions):
            each.writer.close()

    def freeze(self, frozen=True):
        """The network takes and brings nothing any more, and says nothing: the connections are half open."""
        for each in self.sessions:
            each.freeze(frozen)

    def slow(self, bytes_per_second: int):
        """What was sent arrives at that speed; 0: at once again."""
        for each in self.sessions:
            each.slow(bytes_per_second)

    def restart(self, same_ids=False):
        """The process died and came back: every call is gone, every connection reset. Uniqueids begin anew with a later second, or,
        after a restart within it (a clock set back), with the same ones."""
        self.exchange.crash()
        for call in self.calls.values():
            call.stop()
        self.calls.clear()
        self.channels.clear()
        self.drop()
        if same_ids:
            self.exchange.numbers = itertools.count(1)
        else:
            self.epoch = max(int(time.time()), self.epoch + 1)

    # -- events

    def deliver(self, events):
        """To every client whose mask lets them through; what happens at once is written at once."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self.flush)
        self._pending.extend(events)

    def flush(self):
        events, self._pending = self._pending, []
        if not events:
            return
        for each in list(self.sessions):
            if each.authenticated and (data := b"".join(data for privilege, data in events if privilege in each.mask)):
                self.sent += len(events)
                each.send(data)

    # -- calls

    def call(self, extension="", number="", name="", kind="answered", dialed="") -> str:
        """An inbound call as recorded; its Linkedid."""
        count = next(self.sequence)
        names = template.Names(extension or self.extensions[count % len(self.extensions)], number or f"+447700900{count % 1000:03d}", name,
                               dialed or f"020794602{count % 100:02d}", sequence=count, epoch=self.epoch)
        names.linkedid = f"{self.epoch}.{count * 2}"
        self._play(template.inbound(kind), names)
        return names.linkedid

    def originate(self, action):
        count = next(self.sequence)
        variables = dict(variable.partition("=")[::2] for variable in action.get("Variable", []))
        names = template.Names(extension=action["Channel"].rpartition("/")[2], number=action["Exten"],
                               linkedid=action.get("ChannelId") or f"{self.epoch}.{count * 2}", sequence=count, epoch=self.epoch,
                               action_id=action.get("ActionID", ""), crmid=variables.get("CDR(crmid)", variables.get("crmid", "")))
        self._play(template.originate(self.originate_as), names)

    def _play(self, call_template, names):
        loop = asyncio.get_running_loop()
        call = self.calls[names.linkedid] = Call(names.linkedid)
        leg = f"PJSIP/{names.extension}-"
        start, rung = loop.time() + 0.001, False
        blocks = call_template.play(names, self.speed)
        # What was read at once is written at once.
        for at, group in itertools.groupby(blocks, key=lambda block: block.at):
            group = list(group)
            ring = ""
            for block in group:
                if not rung and block.event == "Newstate" and template.header(block.data, "ChannelStateDesc") == "Ringing" and \
                        template.header(block.data, "Channel").startswith(leg):
                    rung, ring = True, template.header(block.data, "Uniqueid")
            call.timers.append(loop.call_at(start + at, self._emit, group, names, ring))
        call.timers.append(loop.call_at(start + blocks[-1].at + 0.001, self.calls.pop, names.linkedid, None))
        self.report(call=names.linkedid, extension=names.extension, number=names.number)

    def _emit(self, group, names, ring):
        for block in group:
            self._remember(block)
        for each in list(self.sessions):
            data = b"".join(block.data for block in group if block.privilege in each.mask)
            if data and each.authenticated:
                at = time.monotonic_ns()
                each.send(data)
                if ring:
                    self.report(ring=ring, call=names.linkedid, extension=names.extension, at_ns=at)

    def _remember(self, block):
        fields = dict(template.headers(block.data))
        uniqueid = fields.get("Uniqueid")
        if not uniqueid or "ChannelState" not in fields or "Linkedid" not in fields:
            return
        if block.event == "Hangup":
            self.channels.pop(uniqueid, None)
        elif block.event == "Newchannel" or uniqueid in self.channels:
            self.channels[uniqueid] = [(name, fields[name]) for name in SNAPSHOT if name in fields]

    def _event(self, privilege, data):
        for each in list(self.sessions):
            each.event(privilege, data)

    def find_channel(self, name_or_uniqueid):
        for channel in self.exchange.channels.values():
            if name_or_uniqueid in (channel.uniqueid, channel.name):
                return dict(channel.pairs)
        return next((dict(fields) for uniqueid, fields in self.channels.items()
                     if name_or_uniqueid in (uniqueid, dict(fields)["Channel"])), None)

    def hangup(self, name_or_uniqueid) -> bool:
        """Ends the whole call of that channel."""
        found = self.find_channel(name_or_uniqueid)
        if not found:
            return False
        if found["Uniqueid"] in self.exchange.channels:
            self.exchange.hangup(found["Linkedid"])
            return True
        if call := self.calls.pop(found["Linkedid"], None):
            call.stop()
        for uniqueid, fields in list(self.channels.items()):
            if dict(fields)["Linkedid"] == found["Linkedid"]:
                del self.channels[uniqueid]
                self._event("call", message(("Event", "Hangup"), ("Privilege", "call,all"), *fields, ("Cause", 16), ("Cause-txt", "Normal Clearing")))
        return True

    def direct(self, extension, number="", **plan) -> str:
        return self.exchange.direct(extension, Plan(**plan), number)

    def queued(self, queue, number="", **plan) -> str:
        return self.exchange.queued(queue, Plan(**plan), number)

    def queue(self, name, members=(), **options):
        self.exchange.add_queue(name, members, **options)

    async def mix(self, per_second: float, calls: int, seed=1):
        """Calls of every kind to whoever is free: the first half of the extensions is called directly, the others take the queues."""
        loop, choose = asyncio.get_running_loop(), random.Random(seed)
        people = [extension for extension in self.extensions if not any(f"PJSIP/{extension}" in queue.members for queue in self.exchange.queues.values())]
        reserved, start = set(), loop.time()
        for count in range(calls):
            await asyncio.sleep(max(0.0, start + count / per_second - loop.time()))
            plan = self._plan(choose)
            if self.exchange.queues and choose.random() < 0.3:
                outcome = "abandoned" if choose.random() < 0.25 else "answered"
                self.exchange.queued(choose.choice(sorted(self.exchange.queues)), dataclasses.replace(plan, outcome=outcome, transfer="", hold=0.0,
                                                                                                     rounds=choose.choice((0, 0, 0, 1))))
                continue
            free = [extension for extension in people if extension not in reserved and not self.exchange.busy.get(extension)]
            if len(free) < 2:
                self.report(skipped=count)
                continue
            plan.to, extension = choose.sample(free, 2)
            used = {plan.to, extension} if plan.transfer else {extension}
            reserved |= used
            task = self.exchange.begun(self.exchange.direct(extension, plan))
            task.add_done_callback(lambda _, used=used: reserved.difference_update(used))
        self.report(generated=calls)

    @staticmethod
    def _plan(choose) -> Plan:
        kind = choose.choices(("answered", "no-answer", "busy", "cancelled", "hold", "blind", "attended"), (30, 10, 10, 10, 15, 15, 10))[0]
        plan = Plan(answer=choose.uniform(0.2, 1.5), talk=choose.uniform(0.2, 2.0), end=choose.choice(("agent", "caller")))
        if kind in ("no-answer", "busy", "cancelled"):
            plan.outcome = kind
        elif kind == "hold":
            plan.hold = choose.uniform(0.2, 1.0)
        elif kind in ("blind", "attended"):
            plan.transfer = kind
        return plan

    async def generate(self, per_second: float, calls: int = 0):
        """Inbound calls to the extensions in turn, evenly spaced."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for count in itertools.count():
            if calls and count == calls:
                break
            await asyncio.sleep(max(0.0, start + count / per_second - loop.time()))
            self.call()
        self.report(generated=calls)


class Simulated:
    """A Pbx in a thread of its own, with the attributes of the lab's Asterisk. Methods may be called from any thread."""

    def __init__(self, name="sim", **options):
        self.name, self.tech = name, "PJSIP"
        self.reports = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"simulated pbx {name}", daemon=True)
        self._thread.start()
        self.pbx = self._run(self._make(options))
        self.secret = self.pbx.secret

    async def _make(self, options):
        return Pbx(report=self.reports.append, **options)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    @property
    def ami(self):
        return self.pbx.port

    @property
    def faults(self):
        return self.pbx.faults

    def start(self, port=0):
        self._run(self.pbx.listen(port))
        return self

    def stop(self):
        self._run(self.pbx.refuse())

    def do(self, name, *arguments, **options):
        """A method of Pbx that is no coroutine, on its loop: do("call", "201", number="+44…")."""
        async def perform():
            return getattr(self.pbx, name)(*arguments, **options)
        return self._run(perform())

    def call(self, *arguments, **options):
        return self.do("call", *arguments, **options)

    def mix(self, per_second, calls, seed=1):
        """Every kind of call, in the background."""
        return asyncio.run_coroutine_threadsafe(self.pbx.mix(per_second, calls, seed), self._loop)

    def load(self, per_second, calls):
        """Generates in the background."""
        return asyncio.run_coroutine_threadsafe(self.pbx.generate(per_second, calls), self._loop)

    def close(self):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _commands(pbx):
    """Lines of JSON on standard input: {"do": "call", "with": {"extension": "201"}}."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    allowed = {"call", "direct", "queued", "queue", "drop", "cut", "freeze", "slow", "restart", "shutdown", "hangup"}
    while line := await reader.readline():
        try:
            command = json.loads(line)
            if command["do"] == "faults":
                pbx.faults = dataclasses.replace(pbx.faults, **command.get("with", {}))
            elif command["do"] == "generate":
                pbx.load = asyncio.create_task(pbx.generate(**command.get("with", {})))
            elif command["do"] == "mix":
                pbx.load = asyncio.create_task(pbx.mix(**command.get("with", {})))
            elif command["do"] in allowed:
                getattr(pbx, command["do"])(**command.get("with", {}))
            else:
                raise ValueError(f"unknown command {command['do']}")
        except (ValueError, KeyError, TypeError) as fault:
            pbx.report(fault=str(fault))


async def serve(options, port, rate, calls, faults):
    pbx = Pbx(report=lambda what: print(json.dumps(what), flush=True), **options)
    pbx.faults = faults
    await pbx.listen(port)
    if rate:
        pbx.load = asyncio.create_task(pbx.generate(rate, calls))
    await _commands(pbx)
