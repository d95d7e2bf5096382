// What the operator is shown: the current calls, those that ended, the agent's state and the links. Takes what the bridge sends and says
// what must be asked. Rule 2 of docs/design.md: every notice is a whole snapshot, numbered by `seq` within an `epoch`; whoever sees a gap
// or a new epoch asks <calls/>, and that answer replaces everything shown.
import { agent_of, type Agent } from "./agent";
import { call_of, NS, whole, type Call } from "./call";
import { attr, child, type Element } from "./element";

export interface Link {
  readonly to: string; // pbx, crm
  readonly name: string;
  readonly up: boolean;
  readonly since: string | undefined;
}

export interface Shown {
  readonly call: Call;
  readonly since: number; // the state began: the bridge's clock
}

/** What changed, for triggers: a call that is new here, has another state, or is over. */
export interface Change {
  readonly call: Call;
  readonly before: Call | undefined;
  readonly fresh: boolean; // told live, not found in an answer
}

export interface Outcome {
  readonly ask: boolean; // <calls/> and <agent/> must be asked
  readonly hello: boolean; // another epoch: the bridge may not know us any more, directed presence must be sent again
  readonly changes: readonly Change[];
  readonly claimed?: boolean; // a colleague took a call of the lists over
}

const NOTHING: Outcome = { ask: false, hello: false, changes: [] };
const MOST_ENDED = 50;
const MOST_TEAM = 500;

function link_of(xml: Element): Link {
  return { to: attr(xml, "to") ?? "", name: attr(xml, "name") ?? "", up: attr(xml, "state") !== "down", since: attr(xml, "since") };
}

function talks(call: Call): boolean {
  return call.state === "answered" || call.state === "held";
}

export class Picture {
  calls: readonly Shown[] = []; // ringing first, then as they began
  ended: readonly Shown[] = []; // newest first
  agent: Agent | undefined;
  team: ReadonlyMap<string, Agent> = new Map(); // the states of those one is responsible for, by JID
  links: readonly Link[] = [];
  epoch: string | undefined;
  seq = 0;
  /** What is shown may have gaps until the answer to <calls/> is here. */
  stale = true;
  /** How far this computer's clock is before the bridge's, milliseconds. */
  skew = 0;
  private skew_known = false;

  /** `own`: the bare JID whose picture this is. */
  constructor(private readonly schemes: readonly string[] = [], public own = "") {}

  /** A message of the bridge (the caller has checked from whom it is). `now`: this computer's clock. */
  take(message: Element, now: number): Outcome {
    if (child(message, "delay", "urn:xmpp:delay")) return NOTHING; // old: the answers tell what is
    const ours = message.children.find((one) => one.ns === NS);
    switch (ours?.name) {
      case "call":
        return this.notice(ours, now);
      case "agent":
        return this.counted(ours, () => {
          this.take_agent(ours);
          return [];
        });
      case "link":
        return this.counted(ours, () => {
          this.take_link(ours);
          return [];
        });
      case "claimed":
        return { ...this.counted(ours, () => []), claimed: true };
      case "sync":
        return this.sync(ours);
      default:
        return NOTHING;
    }
  }

  /** The answer to <calls/>: it replaces everything shown. */
  take_calls(answer: Element, now: number): Outcome {
    this.epoch = attr(answer, "epoch") ?? this.epoch;
    this.seq = whole(attr(answer, "seq")) ?? this.seq;
    this.stale = false;
    const links = answer.children.filter((one) => one.ns === NS && one.name === "link");
    if (links.length > 0) this.links = links.map(link_of);
    const told = answer.children.map((one) => call_of(one, this.schemes)).filter((one) => one !== undefined && one.state !== "ended") as Call[];
    const changes: Change[] = [];
    const keys = new Set(told.map((call) => call.key));
    for (const gone of this.calls.filter((one) => !keys.has(one.call.key))) {
      // It ended while nobody told us; how is not known.
      const call: Call = { ...gone.call, state: "ended", cause: undefined, actions: [], at: now - this.skew };
      this.keep_ended(call, call.at);
      changes.push({ call, before: gone.call, fresh: false });
    }
    const before = this.calls;
    this.calls = told.map((call) => ({ call, since: this.since_of(before, call) }));
    this.sort();
    for (const call of told) changes.push({ call, before: before.find((one) => one.call.key === call.key)?.call, fresh: false });
    return { ask: false, hello: false, changes };
  }

  take_agent(xml: Element): void {
    // Supervisors are told of the operators of their services, too.
    const whose = attr(xml, "jid");
    const agent = agent_of(xml);
    if (!agent) return;
    if (whose === undefined || whose === this.own) this.agent = agent;
    else if (this.team.has(whose) || this.team.size < MOST_TEAM) this.team = new Map([...this.team, [whose, agent]]);
  }

  /** The stream is gone: what is shown stays, marked, until the answer of the next one. */
  lost(): void {
    this.stale = true;
    this.skew_known = false;
  }

  private take_link(xml: Element): void {
    const link = link_of(xml);
    this.links = [...this.links.filter((one) => one.to !== link.to || one.name !== link.name), link];
  }

  private sync(xml: Element): Outcome {
    const [epoch, seq] = [attr(xml, "epoch"), whole(attr(xml, "seq"))];
    if (epoch === undefined || seq === undefined) return NOTHING;
    if (epoch === this.epoch && seq === this.seq) return NOTHING;
    const hello = this.epoch !== undefined && epoch !== this.epoch;
    this.number(epoch, seq);
    return { ask: true, hello, changes: [] };
  }

  private number(epoch: string, seq: number): void {
    if (epoch !== this.epoch) this.links = []; // of another daemon's life
    this.epoch = epoch;
    this.seq = seq;
    this.stale = true;
  }

  /** Looks at epoch and seq, then does `apply` unless the notice is older than what is shown. */
  private counted(xml: Element, apply: () => readonly Change[]): Outcome {
    const [epoch, seq] = [attr(xml, "epoch"), whole(attr(xml, "seq"))];
    // An <agent/> in an answer carries no number.
    if (epoch === undefined || seq === undefined) return { ...NOTHING, changes: apply() };
    if (epoch === this.epoch && seq <= this.seq) return NOTHING;
    const gap = epoch !== this.epoch || seq !== this.seq + 1;
    const hello = this.epoch !== undefined && epoch !== this.epoch;
    if (gap) this.number(epoch, seq);
    else this.seq = seq;
    return { ask: gap, hello, changes: apply() };
  }

  private notice(xml: Element, now: number): Outcome {
    const call = call_of(xml, this.schemes);
    if (!call) return this.counted(xml, () => []); // unknown words of a newer bridge still count
    return this.counted(xml, () => {
      // The quickest notice tells best: what is more is delay of the network.
      const skew = now - call.at;
      if (!this.skew_known || skew < this.skew) this.skew = skew;
      this.skew_known = true;
      return this.apply(call);
    });
  }

  private apply(call: Call): readonly Change[] {
    if (call.replaces !== undefined) this.rename(call.replaces, call.id);
    const before = this.calls.find((one) => one.call.key === call.key);
    if (call.state === "ended") {
      this.calls = this.calls.filter((one) => one !== before);
      // The same end told twice is one.
      if (!before && this.ended.some((one) => one.call.key === call.key)) return [];
      this.keep_ended(call, before && talks(before.call) ? before.since : call.at);
    } else {
      const shown = { call, since: this.since_of(this.calls, call) };
      this.calls = before ? this.calls.map((one) => (one === before ? shown : one)) : [...this.calls, shown];
      this.sort();
    }
    return [{ call, before: before?.call, fresh: true }];
  }

  // A merge: every ring of the younger call belongs to the older one from now on.
  private rename(young: string, old: string): void {
    const renamed = (one: Shown): Shown => (one.call.id === young ? { ...one, call: { ...one.call, id: old } } : one);
    this.calls = this.calls.map(renamed);
    this.ended = this.ended.map(renamed);
  }

  private since_of(before: readonly Shown[], call: Call): number {
    const known = before.find((one) => one.call.key === call.key);
    if (talks(call) && call.answered !== undefined) return call.answered;
    if (!known) return call.state === "ringing" || call.state === "dialing" ? call.started : call.at;
    // Talking goes on while somebody is held; the time counts from the answer.
    return known.call.state === call.state || (talks(known.call) && talks(call)) ? known.since : call.at;
  }

  private keep_ended(call: Call, since: number): void {
    this.ended = [{ call, since }, ...this.ended.filter((one) => one.call.key !== call.key)].slice(0, MOST_ENDED);
  }

  private sort(): void {
    const rank = (call: Call) => (call.state === "ringing" ? 0 : 1);
    this.calls = [...this.calls].sort((a, b) => rank(a.call) - rank(b.call) || a.call.started - b.call.started || (a.call.key < b.call.key ? -1 : 1));
  }
}
