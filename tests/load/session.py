"""One AMI connection of the simulated pbx: reads actions, answers them, lets through the events of its mask."""
import asyncio
import hashlib
import secrets

BANNER = b"Asterisk Call Manager/11.0.0\r\n"

# Write classes an action needs, any of them (Asterisk 22, ListCommands). None: everybody may.
RIGHTS = {
    "Challenge": None, "Login": None, "Logoff": None, "Ping": None, "Events": None, "ListCommands": None, "QueueStatus": None,
    "CoreSettings": {"system", "reporting"}, "CoreShowChannels": {"system", "reporting"}, "Status": {"system", "call", "reporting"},
    "DeviceStateList": {"call", "reporting"}, "ExtensionStateList": {"call", "reporting"}, "Originate": {"originate"},
    "Hangup": {"system", "call"}, "Getvar": {"call", "reporting"}, "Setvar": {"call"}, "Redirect": {"call"}, "BlindTransfer": {"call"},
    "Atxfer": {"call"}, "CancelAtxfer": {"call"}, "Park": {"call"}, "QueueAdd": {"agent"}, "QueueRemove": {"agent"},
    "QueuePause": {"agent"}, "QueuePenalty": {"agent"}, "QueueSummary": None, "PJSIPNotify": {"system"},
}
ALL_CLASSES = {"system", "call", "agent", "user", "cdr", "dialplan", "dtmf", "reporting", "originate", "security", "command"}


def message(*pairs) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("utf-8", "surrogateescape") + b"\r\n"


class Session:
    def __init__(self, pbx, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.pbx, self.reader, self.writer = pbx, reader, writer
        self.authenticated = False
        self.challenge = ""
        self.mask = set(ALL_CLASSES)
        self.stalled = False
        self.rate = 0                # bytes a second that get through; 0: all
        self.held = bytearray()      # what waits for that
        self.inbox = asyncio.Queue()    # actions that came in and are not looked at yet
        self.cut_after = None        # bytes of events still sent before the connection is closed amid a message

    # -- what goes out

    def send(self, data: bytes):
        if self.stalled or self.writer.is_closing():
            return
        if self.rate:
            if not self.held:
                asyncio.get_running_loop().call_later(0.05, self._trickle)
            self.held += data
            return
        if self.cut_after is not None:
            data, self.cut_after = data[:self.cut_after], max(0, self.cut_after - len(data))
            if self.cut_after == 0:
                self.writer.write(data)
                self.writer.close()
                return
        self.writer.write(data)

    def freeze(self, frozen: bool):
        self.stalled = frozen
        transport = self.writer.transport
        transport.pause_reading() if frozen else transport.resume_reading()

    def slow(self, bytes_per_second: int):
        self.rate = bytes_per_second
        if not self.rate and self.held:
            self.writer.write(bytes(self.held))
            self.held.clear()

    def _trickle(self):
        if not self.rate or self.writer.is_closing():
            return
        size = max(1, self.rate // 20)
        self.writer.write(bytes(self.held[:size]))
        del self.held[:size]
        if self.held:
            asyncio.get_running_loop().call_later(0.05, self._trickle)

    def event(self, privilege: str, data: bytes):
        if self.authenticated and (not privilege or privilege in self.mask):
            self.send(data)

    def answer(self, action, response, *pairs):
        own = (("ActionID", action["ActionID"]),) if "ActionID" in action else ()
        self.send(message(("Response", response), *own, *pairs))

    def success(self, action, text, *pairs):
        self.answer(action, "Success", ("Message", text), *pairs)

    def error(self, action, text):
        self.answer(action, "Error", ("Message", text))

    def list(self, action, complete, items):
        own = (("ActionID", action["ActionID"]),) if "ActionID" in action else ()
        data = message(("Response", "Success"), *own, ("EventList", "start"), ("Message", "follows"))
        for item in items:
            data += message(*item, *own)
        self.send(data + message(("Event", complete), *own, ("EventList", "Complete"), ("ListItems", len(items))))

    # -- what comes in

    async def run(self):
        faults = self.pbx.faults
        if faults.silent:
            await self.reader.read()
            return
        self.send(faults.banner)
        listening = asyncio.get_running_loop().create_task(self._listen())
        try:
            await self._serve()
        finally:
            listening.cancel()

    async def _serve(self):
        while block := await self.inbox.get():
            self.pbx.most_waiting = max(self.pbx.most_waiting, 1 + self.inbox.qsize())
            if self.pbx.action_time:
                await asyncio.sleep(self.pbx.action_time)
            action = {}
            for line in block.decode("utf-8", "surrogateescape").split("\r\n"):
                name, _, value = line.partition(":")
                if name == "Variable":
                    action.setdefault("Variable", []).append(value.strip())
                elif name:
                    action[name] = value.strip()
            self.pbx.report(action={name: value for name, value in action.items() if name not in ("Secret", "Key")})
            if self.stalled:
                continue
            if await self._act(action):
                break

    async def _listen(self):
        try:
            while True:
                self.inbox.put_nowait(await self.reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.inbox.put_nowait(b"")

    async def _act(self, action) -> bool:
        """True: the connection ends."""
        name = action.get("Action", "")
        self.pbx.flush()    # what happened before is told before
        if self.pbx.faults.shutting_down:
            self.error(action, "Asterisk is shutting down")
        elif name not in RIGHTS:
            self.error(action, f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands.")
        elif name == "Challenge":
            self.challenge = str(secrets.randbelow(10**9))
            self.answer(action, "Success", ("Challenge", self.challenge))
        elif name == "Login":
            return await self._login(action)
        elif not self.authenticated or (RIGHTS[name] and not RIGHTS[name] & self.pbx.write):
            self.error(action, "Permission denied")
        elif name == "Logoff":
            self.answer(action, "Goodbye", ("Message", "Thanks for all the fish."))
            return True
        else:
            handler = getattr(self, f"_{name.lower()}", None)
            if handler:
                handler(action)
            else:
                self.success(action, f"{name} done")
        return False

    async def _login(self, action) -> bool:
        pbx = self.pbx
        key = hashlib.md5((self.challenge + pbx.secret).encode()).hexdigest()
        right = action.get("Key") == key if action.get("AuthType", "").upper() == "MD5" else action.get("Secret") == pbx.secret
        if action.get("Username") != pbx.username or not right:
            await asyncio.sleep(1)      # as Asterisk does
            self.error(action, "Authentication failed")
            return True
        self.authenticated = True
        if "Events" in action:
            self._set_mask(action["Events"])
        self.success(action, "Authentication accepted")
        pbx.report(login=action["Username"])
        if pbx.faults.boot_delay:
            await asyncio.sleep(pbx.faults.boot_delay)
        self.event("system", message(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", 1), ("Status", "Fully Booted")))
        self.stalled = pbx.faults.stall_after_login
        return False

    def _set_mask(self, words):
        everything = {"on": ALL_CLASSES, "all": ALL_CLASSES, "off": set()}
        self.mask = set(everything.get(words, set(words.replace(" ", "").split(",")))) & self.pbx.read

    # -- single actions

    def _events(self, action):
        self._set_mask(action.get("EventMask", ""))
        self.answer(action, "Success", ("Events", "On" if self.mask else "Off"))

    def _ping(self, action):
        self.answer(action, "Success", ("Ping", "Pong"), ("Timestamp", f"{self.pbx.clock():.6f}"))

    def _coresettings(self, action):
        self.answer(action, "Success", ("AMIversion", "11.0.0"), ("AsteriskVersion", "22.10.1"), ("SystemName", ""))

    def _listcommands(self, action):
        allowed = [(name, f"{name}.  (Priv: {','.join(sorted(classes)) if classes else '<none>'})") for name, classes in RIGHTS.items()
                   if not classes or classes & self.pbx.write]
        self.answer(action, "Success", *allowed)

    def _status(self, action):
        variables = [("Variable", f"{name}=") for name in action.get("Variables", "").split(",") if name]
        self.list(action, "StatusComplete", [[("Event", "Status"), ("Privilege", "Call"), *snapshot, *variables]
                                             for snapshot in (*self.pbx.channels.values(), *self.pbx.exchange.listed(True))])

    def _coreshowchannels(self, action):
        self.list(action, "CoreShowChannelsComplete",
                  [[("Event", "CoreShowChannel"), *snapshot] for snapshot in (*self.pbx.channels.values(), *self.pbx.exchange.listed(False))])

    def _queuestatus(self, action):
        self.list(action, "QueueStatusComplete", self.pbx.exchange.queue_status(action.get("Queue", ""), action.get("Member", "")))

    def _queuesummary(self, action):
        self.list(action, "QueueSummaryComplete", self.pbx.exchange.queue_summary(action.get("Queue", "")))

    def _queue_change(self, action, change, done):
        refused = change(action)
        self.error(action, refused) if refused else self.success(action, done)

    def _queueadd(self, action):
        self._queue_change(action, self.pbx.exchange.queue_add, "Added interface to queue")

    def _queueremove(self, action):
        self._queue_change(action, self.pbx.exchange.queue_remove, "Removed interface from queue")

    def _queuepause(self, action):
        paused = action.get("Paused", "").lower() in ("true", "yes", "1")
        self._queue_change(action, self.pbx.exchange.queue_pause, f"Interface {'' if paused else 'un'}paused successfully")

    def _queuepenalty(self, action):
        self._queue_change(action, self.pbx.exchange.queue_penalty, "Interface penalty set successfully")

    def _devicestatelist(self, action):
        self.list(action, "DeviceStateListComplete", [[("Event", "DeviceStateChange"), ("Device", f"PJSIP/{extension}"), ("State", self.pbx.exchange.line(extension)[0])]
                                                      for extension in self.pbx.extensions])

    def _extensionstatelist(self, action):
        self.list(action, "ExtensionStateListComplete",
                  [[("Event", "ExtensionStatus"), ("Exten", extension), ("Context", "internal"), ("Hint", f"PJSIP/{extension}"),
                    ("Status", self.pbx.exchange.line(extension)[1]), ("StatusText", self.pbx.exchange.line(extension)[2])] for extension in self.pbx.extensions])

    def _originate(self, action):
        missing = "Channel not specified" if not action.get("Channel") else "Extension does not exist." if not action.get("Exten") else ""
        if missing:
            self.error(action, missing)
            return
        self.success(action, "Originate successfully queued")
        self.pbx.originate(action)

    def _hangup(self, action):
        if self.pbx.hangup(action.get("Channel", "")):
            self.success(action, "Channel Hungup")
        else:
            self.error(action, "No such channel")

    def _getvar(self, action):
        if self.pbx.find_channel(action.get("Channel", "")):
            self.answer(action, "Success", ("Variable", action.get("Variable", [""])[0]), ("Value", ""))
        else:
            self.error(action, "No such channel")

    def _setvar(self, action):
        self.success(action, "Variable Set") if self.pbx.find_channel(action.get("Channel", "")) else self.error(action, "No such channel")
