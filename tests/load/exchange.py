"""Calls that nobody recorded: many operators, queues, transfers, hold. What happens is decided here and kept in a ledger, the truth that a test
compares with what others made of the events. Events are those of classes call, agent and cdr; dialplan (VarSet, Newexten) is empty."""
import asyncio
import dataclasses
import itertools
import random
import time

from .events import CAUSES, Bridge, Channel, event

COMPANY = "02079460100"


@dataclasses.dataclass
class Leg:
    """A channel of an operator's phone; times in seconds of the clock."""
    uniqueid: str
    extension: str
    offered: float | None = None
    answered: float | None = None
    ended: float | None = None
    cause: str = ""


@dataclasses.dataclass
class Entry:
    """A call as it was."""
    linkedid: str
    caller: str
    dialed: str
    direction: str = "inbound"
    queue: str = ""
    disposition: str = ""
    answered_by: str = ""           # extension
    started: float = 0.0
    answered: float | None = None
    ended: float | None = None
    merged_into: str = ""
    legs: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Member:
    queue: str
    interface: str
    name: str
    membership: str = "static"
    penalty: int = 0
    paused: bool = False
    reason: str = ""
    taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    login: int = 0

    @property
    def extension(self):
        return self.interface.partition("/")[2]


class Queue:
    def __init__(self, name, ring=12.0, retry=1.0, patience=None, strategy="ringall"):
        self.name, self.ring, self.retry, self.patience, self.strategy = name, ring, retry, patience, strategy
        self.members: dict[str, Member] = {}
        self.waiting: list = []         # of Channel
        self.joined: dict[str, float] = {}
        self.completed = self.abandoned = self.turn = 0


@dataclasses.dataclass
class Plan:
    """How a call goes. Times in seconds. `end`: who hangs up."""
    answer: float = 0.5                 # after it began to ring
    talk: float = 1.0
    end: str = "agent"                  # agent | caller
    hold: float = 0.0                   # held that long in the middle of the talk
    transfer: str = ""                  # blind | attended, to `to`
    to: str = ""
    outcome: str = "answered"           # answered | no-answer | busy | cancelled; of a queue: answered | abandoned
    rounds: int = 0                     # of a queue that nobody takes, before somebody does
    patience: float = 30.0              # of a caller whom the queue cannot serve
    by: str = ""                        # of a queue: the extension that takes it; else any that is called


class Exchange:
    """Belongs to a Pbx, on its loop."""

    def __init__(self, pbx):
        self.pbx = pbx
        self.channels: dict[str, Channel] = {}
        self.queues: dict[str, Queue] = {}
        self.ledger: dict[str, Entry] = {}
        self.tasks: dict[str, asyncio.Task] = {}    # Linkedid -> what happens in the call
        self.names = {extension: f"Operator {extension}" for extension in pbx.extensions}
        self.busy: dict[str, list] = {}         # extension -> its channels
        self.states: dict[str, int] = {}        # extension -> device state as queues number it
        self.numbers = itertools.count(1)
        self.random = random.Random(1)

    # -- the plumbing

    @property
    def now(self) -> float:
        return self.pbx.clock()

    def send(self, *events):
        self.pbx.deliver(events)

    async def pause(self, seconds: float):
        await asyncio.sleep(seconds / self.pbx.speed)

    def add_queue(self, name, members=(), **options):
        queue = self.queues[name] = Queue(name, **options)
        for extension in members:
            self._join(queue, Member(name, f"PJSIP/{extension}", self.names.get(extension, extension)))
        return queue

    def uniqueid(self) -> str:
        return f"{self.pbx.epoch}.{next(self.numbers)}"

    def channel(self, peer, **options) -> Channel:
        made = Channel(f"PJSIP/{peer}-{next(self.pbx.sequence) & 0xffffffff:08x}", self.uniqueid(), born=self.now, **options)
        self.channels[made.uniqueid] = made
        self.send(event("Newchannel", made.text()))
        return made

    def phone(self, extension, linkedid) -> Channel:
        made = self.channel(extension, linkedid=linkedid, number=extension, caller_name=self.names.get(extension, ""), context="internal", exten="s")
        self.busy.setdefault(extension, []).append(made)
        return made

    def gone(self, channel, cause):
        channel.bridge = None
        if self.channels.pop(channel.uniqueid, None) is None:
            return
        self.send(event("Hangup", channel.text(), Cause=cause, Cause_txt=CAUSES[cause]))
        extension = channel.extension
        if channel in self.busy.get(extension, ()):
            self.busy[extension].remove(channel)
            self.device(extension)

    def device(self, extension):
        """Device, hint and queue members follow the phone's channels."""
        device = self.device_state(extension)
        state, hint, text = self.line(extension)
        if self.states.get(extension, 1) == device:
            return
        self.states[extension] = device
        events = [event("DeviceStateChange", Device=f"PJSIP/{extension}", State=state),
                  event("ExtensionStatus", Exten=extension, Context="internal", Hint=f"PJSIP/{extension}", Status=hint, StatusText=text)]
        for queue in self.queues.values():
            if member := queue.members.get(f"PJSIP/{extension}"):
                events.append(self._member_event("QueueMemberStatus", member))
        self.send(*events)

    def device_state(self, extension) -> int:
        """As queues number it."""
        states = [channel.state for channel in self.busy.get(extension, ())]
        ringing, talking = 5 in states, 6 in states or 4 in states
        return 7 if ringing and talking else 6 if ringing else 2 if talking else 1

    def line(self, extension) -> tuple:
        """Device state by name, number and name of the hint's."""
        return {1: ("NOT_INUSE", 0, "Idle"), 2: ("INUSE", 1, "InUse"), 6: ("RINGING", 8, "Ringing"),
                7: ("RINGINUSE", 9, "InUse&Ringing")}[self.device_state(extension)]

    def state(self, channel, state):
        channel.change(state=state)
        self.send(event("Newstate", channel.text()))
        self.device(channel.extension)

    def bridge(self, callee, caller) -> Bridge:
        bridge = Bridge()
        self.send(event("BridgeCreate", bridge.text()))
        self.enter(bridge, callee)
        self.enter(bridge, caller)
        return bridge

    def enter(self, bridge, channel):
        bridge.channels.append(channel)
        channel.bridge = bridge
        self.send(event("BridgeEnter", bridge.text(), channel.text()))

    def leave(self, channel):
        bridge, channel.bridge = channel.bridge, None
        if bridge:
            bridge.channels.remove(channel)
            self.send(event("BridgeLeave", bridge.text(), channel.text()))

    def destroy(self, bridge):
        self.send(event("BridgeDestroy", bridge.text()))

    def cdr(self, caller, callee, entry, application):
        def stamp(at):
            return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
        end = self.now
        self.send(event("Cdr", AccountCode="", Source=caller.number, Destination=caller.exten, DestinationContext=caller.context,
                        CallerID=f'"" <{caller.number}>', Channel=caller.name, DestinationChannel=callee.name if callee else "",
                        LastApplication=application, LastData="", StartTime=stamp(entry.started), AnswerTime=stamp(entry.answered),
                        EndTime=stamp(end), Duration=int(end - entry.started), BillableSeconds=int(end - (entry.answered or end)),
                        Disposition="ANSWERED" if entry.answered else "NO ANSWER", AMAFlags="DOCUMENTATION", UniqueID=caller.uniqueid, UserField="",
                        CrmId="", CallData="", LinkedId=caller.linkedid))

    # -- calls

    def begin(self, linkedid, coroutine):
        task = self.tasks[linkedid] = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(lambda done: self._done(linkedid, done))

    def begun(self, linkedid):
        return self.tasks[linkedid]

    def _done(self, linkedid, task):
        if self.tasks.get(linkedid) is task:
            del self.tasks[linkedid]
        if not task.cancelled() and task.exception():
            self.pbx.report(fault=repr(task.exception()))

    def hangup(self, linkedid):
        """By the action: every channel of the call goes."""
        if task := self.tasks.get(linkedid):
            task.cancel()
        entry = self.ledger.get(linkedid)
        for queue in self.queues.values():
            queue.waiting = [caller for caller in queue.waiting if caller.linkedid != linkedid]
            queue.joined.pop(linkedid, None)
        for channel in [one for one in self.channels.values() if one.linkedid == linkedid]:
            bridge = channel.bridge
            self.leave(channel)
            if bridge and not bridge.channels:
                self.destroy(bridge)
            for leg in entry.legs if entry else ():
                if leg.uniqueid == channel.uniqueid and leg.ended is None:
                    leg.ended, leg.cause = self.now, "hangup" if leg.answered else "cancelled"
            self.gone(channel, 16)
        if entry and entry.ended is None:
            entry.ended, entry.disposition = self.now, entry.disposition or ("abandoned" if entry.queue else "no-answer")

    def arrive(self, number, dialed) -> tuple[Channel, Entry]:
        caller = self.channel("trunk", state=4, number=number, context="from-trunk", exten=dialed)
        entry = self.ledger[caller.uniqueid] = Entry(caller.uniqueid, number, dialed, started=self.now)
        self.pbx.report(call=caller.uniqueid, number=number, dialed=dialed)
        return caller, entry

    def direct(self, extension, plan=None, number="", dialed="") -> str:
        """Somebody calls an extension's own number; the Linkedid."""
        number = number or f"+4477009{next(self.numbers) % 100000:05d}"
        caller, entry = self.arrive(number, dialed or f"020794{extension:0>5}")
        self.begin(caller.uniqueid, self._direct(caller, entry, extension, plan or Plan()))
        return caller.uniqueid

    def ring(self, caller, extension, entry) -> tuple[Channel, Leg]:
        """Dial: from the phone's channel to its ringing."""
        caller.change(priority=5 if caller.context == "from-trunk" else 2, application="Dial", data=f"PJSIP/{extension},10,tT")
        phone = self.phone(extension, caller.linkedid)
        phone.change(exten=caller.exten, connected=caller.number, connected_name=caller.caller_name)
        self.send(event("NewConnectedLine", phone.text()), event("DialBegin", caller.text(), phone.text("Dest"), DialString=f"PJSIP/{extension}"))
        caller.change(connected=extension, connected_name=self.names.get(extension, "<unknown>"))
        self.send(event("NewConnectedLine", caller.text()))
        leg = Leg(phone.uniqueid, extension, offered=self.now)
        entry.legs.append(leg)
        self.state(phone, 5)
        self.send(event("DialState", caller.text(), phone.text("Dest"), DialStatus="RINGING"))
        return phone, leg

    def answer(self, caller, phone, leg, entry) -> Bridge:
        self.state(phone, 6)
        self.send(event("DialEnd", caller.text(), phone.text("Dest"), DialStatus="ANSWER"))
        if caller.state != 6:
            self.state(caller, 6)
        leg.answered = self.now
        if entry.answered is None:
            entry.answered, entry.answered_by, entry.disposition = leg.answered, leg.extension, "answered"
        phone.change(exten="")
        return self.bridge(phone, caller)

    async def _direct(self, caller, entry, extension, plan):
        phone, leg = self.ring(caller, extension, entry)
        await self.pause(plan.answer)
        if plan.outcome != "answered":
            return self._unanswered(caller, phone, leg, entry, plan.outcome)
        bridge = self.answer(caller, phone, leg, entry)
        await self._talk(caller, phone, leg, entry, bridge, plan)

    def _unanswered(self, caller, phone, leg, entry, outcome):
        """Of a Dial: nobody, busy, or the caller gave up."""
        status, cause, last = {"no-answer": ("NOANSWER", 0, 19), "busy": ("BUSY", 17, 17), "cancelled": ("CANCEL", 127, 127)}[outcome]
        if outcome == "busy":
            self.send(event("HangupRequest", phone.text(), Cause=17))
        if outcome == "cancelled":
            self.send(event("HangupRequest", caller.text(), Cause=127))
        self.send(event("DialEnd", caller.text(), phone.text("Dest"), DialStatus=status))
        leg.ended, leg.cause = self.now, outcome
        self.gone(phone, cause)
        self.send(event("SoftHangupRequest", caller.text(), Cause=16))
        if entry.answered is None:      # a transfer's target may be the one who does not answer
            entry.disposition = "busy" if outcome == "busy" else "no-answer"
        entry.ended = self.now
        self.cdr(caller, phone, entry, "Dial")
        self.gone(caller, last)

    async def _talk(self, caller, phone, leg, entry, bridge, plan):
        if plan.hold:
            await self.pause(plan.talk / 2)
            self.send(event("Hold", phone.text(), MusicClass="default"), event("MusicOnHoldStart", caller.text(), Class="default"))
            await self.pause(plan.hold)
            self.send(event("Unhold", phone.text()), event("MusicOnHoldStop", caller.text()))
            await self.pause(plan.talk / 2)
        else:
            await self.pause(plan.talk)
        if plan.transfer == "blind":
            return await self._blind(caller, phone, leg, entry, bridge, plan)
        if plan.transfer == "attended":
            return await self._attended(caller, phone, leg, entry, bridge, plan)
        self._hang_up(caller, phone, leg, entry, bridge, plan.end)

    def _hang_up(self, caller, phone, leg, entry, bridge, who):
        first, other = (phone, caller) if who == "agent" else (caller, phone)
        self.send(event("HangupRequest", first.text(), Cause=16))
        self.leave(first)
        self.leave(other)
        self.destroy(bridge)
        self.send(event("SoftHangupRequest", caller.text(), Cause=16))
        leg.ended, leg.cause, entry.ended = self.now, "hangup", self.now
        self.gone(phone, 16)
        self.cdr(caller, phone, entry, "Dial")
        self.gone(caller, 16)

    async def _blind(self, caller, phone, leg, entry, bridge, plan):
        """REFER by the phone."""
        self.send(event("Unhold", phone.text()),
                  event("BlindTransfer", "Result: Success\r\n", phone.text("Transferer"), caller.text("Transferee"), bridge.text(), IsExternal="Yes",
                        Context="internal", Extension=plan.to))
        caller.change(context="internal", exten=plan.to, priority=1)
        self.leave(caller)
        self.leave(phone)
        self.destroy(bridge)
        leg.ended, leg.cause = self.now, "transferred"
        self.gone(phone, 16)
        second, its = self.ring(caller, plan.to, entry)
        await self.pause(plan.answer)
        if plan.outcome != "answered":
            return self._unanswered(caller, second, its, entry, plan.outcome)
        new = self.answer(caller, second, its, entry)
        await self.pause(plan.talk)
        self._hang_up(caller, second, its, entry, new, plan.end)

    async def _attended(self, caller, phone, leg, entry, bridge, plan):
        """Hold, a call to the colleague, REFER with Replaces."""
        self.send(event("Hold", phone.text(), MusicClass="default"), event("MusicOnHoldStart", caller.text(), Class="default"))
        await self.pause(plan.answer)
        own = self.channel(phone.extension, state=4, number=phone.extension, caller_name=phone.caller_name, context="internal", exten=plan.to)
        self.busy[phone.extension].append(own)
        consult = self.ledger[own.uniqueid] = Entry(own.uniqueid, phone.extension, plan.to, "internal", started=self.now, merged_into=entry.linkedid)
        mine = Leg(own.uniqueid, phone.extension, offered=self.now)
        consult.legs.append(mine)
        second, its = self.ring(own, plan.to, consult)
        await self.pause(plan.answer)
        new = self.answer(own, second, its, consult)
        mine.answered = its.answered
        await self.pause(plan.talk)
        self.send(event("Unhold", phone.text()), event("Unhold", own.text()))
        self.leave(caller)
        self.send(event("MusicOnHoldStop", caller.text()))
        own_bridge, own.bridge = own.bridge, None
        own_bridge.channels.remove(own)
        own.change(linkedid=entry.linkedid) if own.uniqueid > entry.linkedid else None
        self.send(event("BridgeLeave", own_bridge.text(), own.text()))
        self.enter(new, caller)
        self.cdr(own, second, consult, "Dial")
        second.change(linkedid=entry.linkedid, connected=caller.number, connected_name=caller.caller_name)
        self.send(event("NewConnectedLine", second.text()))
        caller.change(connected=plan.to, connected_name=second.caller_name)
        self.send(event("NewConnectedLine", caller.text()))
        self.leave(phone)
        self.send(event("SoftHangupRequest", own.text(), Cause=1),
                  event("AttendedTransfer", "Result: Success\r\n", phone.text("OrigTransferer"), bridge.text("Orig"), own.text("SecondTransferer"),
                        new.text("Second"), caller.text("Transferee"), second.text("TransferTarget"), IsExternal="Yes", DestType="Bridge",
                        DestBridgeUniqueid=new.id),
                  event("SoftHangupRequest", own.text(), Cause=16))
        leg.ended, leg.cause, mine.ended, mine.cause = self.now, "transferred", self.now, "transferred"
        self.gone(phone, 16)
        self.destroy(bridge)
        self.gone(own, 16)
        entry.legs += consult.legs
        consult.legs, consult.ended = [], self.now
        await self.pause(plan.talk)
        self._hang_up(caller, second, its, entry, new, plan.end)

    # -- queues

    def queued(self, queue, plan=None, number="", dialed=COMPANY) -> str:
        number = number or f"+4477009{next(self.numbers) % 100000:05d}"
        caller, entry = self.arrive(number, dialed)
        entry.queue = queue
        self.begin(caller.uniqueid, self._queued(caller, entry, self.queues[queue], plan or Plan()))
        return caller.uniqueid

    async def _queued(self, caller, entry, queue, plan):
        caller.change(priority=4)
        self.state(caller, 6)
        caller.change(priority=5, application="Queue", data=f"{queue.name},tT")
        queue.waiting.append(caller)
        queue.joined[caller.uniqueid] = self.now
        self.send(event("QueueCallerJoin", caller.text(), Queue=queue.name, Position=len(queue.waiting), Count=len(queue.waiting)),
                  event("MusicOnHoldStart", caller.text(), Class="default"))
        rounds, until = 0, self.now + plan.patience / self.pbx.speed
        while True:
            members = self._free(queue, caller)
            if not members and self.now < until:
                await self.pause(queue.retry)
                continue
            if not members or (plan.outcome == "abandoned" and rounds >= plan.rounds):
                rung = self._call(caller, entry, queue, members)
                await self.pause(plan.answer if members else 0)
                return self._abandon(caller, entry, queue, rung)
            rung = self._call(caller, entry, queue, members)
            taker = next((one for one in rung if one[0].extension == plan.by), rung[0] if not plan.by else None)
            if rounds < plan.rounds or taker is None:
                await self.pause(queue.ring)
                self._round_over(caller, queue, rung)
                rounds += 1
                await self.pause(queue.retry)
                continue
            await self.pause(plan.answer)
            return await self._taken(caller, entry, queue, rung, taker, plan)

    def _free(self, queue, caller) -> list:
        """Members to be called now for this caller: those in front of him are served first."""
        free = [member for member in queue.members.values() if not member.paused and not self.busy.get(member.extension)]
        ahead = queue.waiting.index(caller)
        if queue.strategy == "ringall":
            return free if ahead == 0 else []
        free = sorted(free, key=lambda member: (member.penalty, member.taken, member.last_call))
        return free[:1]

    def _call(self, caller, entry, queue, members) -> list:
        rung = []
        for member in members:
            phone = self.phone(member.extension, caller.linkedid)
            phone.change(exten=caller.exten)
            rung.append((phone, Leg(phone.uniqueid, member.extension, offered=self.now), member))
            entry.legs.append(rung[-1][1])
            self.send(event("AgentCalled", caller.text(), phone.text("Dest"), Queue=queue.name, Interface=member.interface, MemberName=member.name),
                      event("DialBegin", caller.text(), phone.text("Dest"), DialString=member.interface))
        for phone, _, _ in rung:
            phone.change(connected=caller.number, connected_name=caller.caller_name)
            self.state(phone, 5)
            self.send(event("NewConnectedLine", phone.text()), event("DialState", caller.text(), phone.text("Dest"), DialStatus="RINGING"))
        return rung

    def _dial_end(self, caller, rung, status):
        self.send(*(event("DialEnd", caller.text(), phone.text("Dest"), DialStatus=status) for phone, _, _ in rung))

    def _lose(self, rung, cause, why):
        for phone, leg, _ in rung:
            leg.ended, leg.cause = self.now, why
            self.gone(phone, cause)

    def _round_over(self, caller, queue, rung):
        self.send(*(event("AgentRingNoAnswer", caller.text(), phone.text("Dest"), Queue=queue.name, Interface=member.interface,
                          MemberName=member.name, RingTime=int(queue.ring * 1000)) for phone, _, member in rung))
        self._dial_end(caller, rung, "NOANSWER")
        self._dial_end(caller, rung, "CANCEL")
        self._lose(rung, 0, "no-answer")

    def _left(self, caller, queue) -> int:
        position = queue.waiting.index(caller) + 1
        queue.waiting.remove(caller)
        return position

    def _abandon(self, caller, entry, queue, rung):
        held = int(self.now - queue.joined.pop(caller.uniqueid))
        self.send(event("HangupRequest", caller.text()), event("MusicOnHoldStop", caller.text()))
        self._dial_end(caller, rung, "CANCEL")
        self._dial_end(caller, rung, "CANCEL")
        position = self._left(caller, queue)
        queue.abandoned += 1
        self.send(event("QueueCallerAbandon", caller.text(), Queue=queue.name, Position=position, OriginalPosition=position, HoldTime=held),
                  event("QueueCallerLeave", caller.text(), Queue=queue.name, Position=position, Count=len(queue.waiting)),
                  event("SoftHangupRequest", caller.text(), Cause=16))
        entry.disposition, entry.ended = "abandoned", self.now
        self._lose(rung, 0, "cancelled")
        self.gone(caller, 0)
        self.cdr(caller, None, entry, "Queue")

    async def _taken(self, caller, entry, queue, rung, taker, plan):
        phone, leg, member = taker
        losers = [one for one in rung if one is not taker]
        self.state(phone, 6)
        self.send(event("DialEnd", caller.text(), phone.text("Dest"), DialStatus="ANSWER"))
        leg.answered = entry.answered = self.now
        entry.answered_by, entry.disposition = leg.extension, "answered"
        self._dial_end(caller, losers, "CANCEL")
        caller.change(connected=phone.number, connected_name=phone.caller_name)
        self.send(event("NewConnectedLine", caller.text()))
        self._dial_end(caller, losers, "CANCEL")
        position, held = self._left(caller, queue), int(self.now - queue.joined.pop(caller.uniqueid))
        common = {"Queue": queue.name, "Interface": member.interface, "MemberName": member.name, "HoldTime": held}
        self.send(event("MusicOnHoldStop", caller.text()),
                  event("QueueCallerLeave", caller.text(), Queue=queue.name, Position=position, Count=len(queue.waiting)),
                  event("AgentConnect", caller.text(), phone.text("Dest"), **common, RingTime=int(self.now - leg.offered)))
        self._lose(losers, 26, "answered-elsewhere")
        bridge = self.bridge(phone, caller)
        await self.pause(plan.talk)
        first, other = (phone, caller) if plan.end == "agent" else (caller, phone)
        member.taken, member.last_call = member.taken + 1, int(self.now)
        queue.completed += 1
        self.send(event("HangupRequest", first.text()),
                  event("AgentComplete", caller.text(), phone.text("Dest"), **common, TalkTime=int(self.now - leg.answered), Reason=plan.end))
        self.leave(first)
        if first is caller:
            self.send(event("SoftHangupRequest", caller.text(), Cause=16))
        self.leave(other)
        if first is phone:
            self.send(event("SoftHangupRequest", caller.text(), Cause=16))
        self.destroy(bridge)
        leg.ended, leg.cause, entry.ended = self.now, "hangup", self.now
        for channel in (first, other):
            self.gone(channel, 16)
        self.cdr(caller, phone, entry, "Queue")

    # -- members, as the actions say

    def _member_pairs(self, member, interface="Interface", name="MemberName") -> dict:
        own = {"Queue": member.queue}
        own.update({name: member.name, interface: member.interface})
        return {**own, "StateInterface": member.interface, "Membership": member.membership, "Penalty": member.penalty, "CallsTaken": member.taken,
                "LastCall": member.last_call, "LastPause": member.last_pause, "LoginTime": member.login,
                "InCall": int(any(channel.bridge for channel in self.busy.get(member.extension, ()))),
                "Status": self.states.get(member.extension, 1), "Paused": int(member.paused), "PausedReason": member.reason}

    def _member_event(self, name, member):
        return event(name, **self._member_pairs(member), Ringinuse=0, Wrapuptime=0)

    def _join(self, queue, member):
        member.login = int(self.now)
        queue.members[member.interface] = member
        self.send(self._member_event("QueueMemberAdded", member))

    def queue_add(self, action) -> str:
        """Asterisk's refusal, or nothing."""
        queue = self.queues.get(action.get("Queue", ""))
        if "Queue" not in action or "Interface" not in action:
            return f"'{'Queue' if 'Queue' not in action else 'Interface'}' not specified."
        if queue is None:
            return "Unable to add interface to queue: No such queue"
        if action["Interface"] in queue.members:
            return "Unable to add interface: Already there"
        self._join(queue, Member(queue.name, action["Interface"], action.get("MemberName") or action["Interface"], "dynamic",
                                 int(action.get("Penalty") or 0), action.get("Paused", "").lower() in ("true", "yes", "1")))
        return ""

    def queue_remove(self, action) -> str:
        queue = self.queues.get(action.get("Queue", ""))
        if queue is None:
            return "Unable to remove interface from queue: No such queue"
        member = queue.members.get(action.get("Interface", ""))
        if member is None:
            return "Unable to remove interface: Not there"
        if member.membership == "static":
            return "Member not dynamic"
        del queue.members[member.interface]
        self.send(self._member_event("QueueMemberRemoved", member))
        return ""

    def _members(self, action) -> list:
        wanted = action.get("Queue", "")
        return [queue.members[action["Interface"]] for queue in self.queues.values()
                if (not wanted or queue.name == wanted) and action.get("Interface") in queue.members]

    def queue_pause(self, action) -> str:
        if not action.get("Interface") or not action.get("Paused"):
            return "Need 'Interface' and 'Paused' parameters."
        members = self._members(action)
        for member in members:
            member.paused = action["Paused"].lower() in ("true", "yes", "1")
            member.reason = action.get("Reason", "") if member.paused else ""
            member.last_pause = int(self.now) if member.paused else member.last_pause
            self.send(self._member_event("QueueMemberPause", member))
        return "" if members else "Interface not found"

    def queue_penalty(self, action) -> str:
        members = self._members(action) if action.get("Penalty", "").isdigit() else []
        for member in members:
            member.penalty = int(action["Penalty"])
            self.send(self._member_event("QueueMemberPenalty", member))
        return "" if members else "Invalid interface, queuename or penalty"

    # -- what is true now

    def queue_status(self, name="", only="") -> list:
        items = []
        for queue in self.queues.values():
            if name and queue.name != name:
                continue
            items.append([("Event", "QueueParams"), ("Queue", queue.name), ("Max", 0), ("Strategy", queue.strategy), ("Calls", len(queue.waiting)),
                          ("Holdtime", 0), ("TalkTime", 0), ("Completed", queue.completed), ("Abandoned", queue.abandoned), ("ServiceLevel", 0),
                          ("ServicelevelPerf", "0.0"), ("ServicelevelPerf2", "0.0"), ("Weight", 0)])
            items += [[("Event", "QueueMember"), *self._member_pairs(member, "Location", "Name").items(), ("Wrapuptime", 0)]
                      for member in queue.members.values() if not only or member.interface == only]
            items += [] if only else [
                [("Event", "QueueEntry"), ("Queue", queue.name), ("Position", at + 1), ("Channel", caller.name), ("Uniqueid", caller.uniqueid),
                 ("CallerIDNum", caller.number), ("CallerIDName", "unknown"), ("ConnectedLineNum", "unknown"), ("ConnectedLineName", "unknown"),
                 ("Wait", int(self.now - queue.joined[caller.uniqueid])), ("Priority", 0)] for at, caller in enumerate(queue.waiting)]
        return items

    def queue_summary(self, name="") -> list:
        items = []
        for queue in self.queues.values():
            if name and queue.name != name:
                continue
            members = list(queue.members.values())
            longest = max((int(self.now - queue.joined[caller.uniqueid]) for caller in queue.waiting), default=0)
            items.append([("Event", "QueueSummary"), ("Queue", queue.name), ("LoggedIn", len(members)),
                          ("Available", sum(not member.paused and not self.busy.get(member.extension) for member in members)),
                          ("Callers", len(queue.waiting)), ("HoldTime", 0), ("TalkTime", 0), ("LongestHoldTime", longest)])
        return items

    def listed(self, status: bool) -> list:
        """Channels for Status or CoreShowChannels, without the variables asked for."""
        items = []
        for channel in sorted(self.channels.values(), key=lambda one: one.order):
            age = int(self.now - channel.born)
            bridge = channel.bridge.id if channel.bridge else ""
            own = ([("Type", "PJSIP"), ("DNID", channel.dnid if channel.state != 5 else ""), ("EffectiveConnectedLineNum", channel.connected),
                    ("EffectiveConnectedLineName", channel.connected_name), ("TimeToHangup", 0), ("BridgeID", bridge),
                    ("Application", channel.application), ("Data", channel.data), ("Nativeformats", "(alaw)"), ("Readformat", "alaw"),
                    ("Readtrans", ""), ("Writeformat", "alaw"), ("Writetrans", ""), ("Callgroup", 0), ("Pickupgroup", 0), ("Seconds", age)]
                   if status else [("Application", channel.application), ("ApplicationData", channel.data),
                                   ("Duration", f"{age // 3600:02d}:{age // 60 % 60:02d}:{age % 60:02d}"), ("BridgeId", bridge)])
            items.append([*channel.pairs, *own])
        return items

    def crash(self):
        """The host is gone: every call with it."""
        for task in list(self.tasks.values()):
            task.cancel()
        for entry in self.ledger.values():
            if entry.ended is None:
                entry.ended = self.now
                entry.disposition = entry.disposition or "lost"
                for leg in entry.legs:
                    if leg.ended is None:
                        leg.ended, leg.cause = self.now, "lost"
        self.channels.clear()
        self.busy.clear()
        self.states.clear()
        for queue in self.queues.values():
            queue.waiting.clear()
            queue.joined.clear()
