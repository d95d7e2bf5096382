// A notice of the bridge (<call/>, docs/design.md section 5) as data. Everything in it is text that others chose.
import { attr, child, children, type Element } from "./element";
import { safe_url } from "./link";

export const NS = "urn:ctibridge:1";

export const STATES = ["dialing", "ringing", "answered", "held", "ended"] as const;
export type State = (typeof STATES)[number];
export const DIRECTIONS = ["inbound", "outbound", "internal"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const CAUSES = ["hangup", "no-answer", "busy", "rejected", "cancelled", "answered-elsewhere", "transferred", "failed", "lost"] as const;
export type Cause = (typeof CAUSES)[number];

export interface Match {
  readonly module: string;
  readonly id: string;
  readonly label: string;
  readonly organization: string;
  readonly url: string | undefined;
  readonly quality: string; // exact, national, suffix
  readonly owner: string | undefined; // of a record that may not be seen
}

export interface Call {
  readonly key: string; // of the notice: pbx and leg
  readonly pbx: string;
  readonly leg: string;
  readonly id: string;
  readonly replaces: string | undefined;
  readonly epoch: string;
  readonly seq: number;
  readonly state: State;
  readonly cause: Cause | undefined;
  readonly direction: Direction;
  readonly extension: string;
  readonly at: number; // of the notice, milliseconds of the bridge's clock
  readonly started: number;
  readonly answered: number | undefined; // since when they talk
  readonly actions: readonly string[];
  readonly shared: boolean;
  readonly request: string | undefined;
  readonly pop: "ringing" | "answered" | "never";
  readonly number: string | undefined;
  readonly name: string | undefined;
  readonly withheld: boolean;
  readonly dialed: string | undefined;
  readonly far_end: string | undefined;
  readonly queue: string | undefined;
  readonly waited: number | undefined; // seconds
  readonly service: string | undefined;
  readonly language: string | undefined;
  readonly page: string | undefined; // the page of the service
  readonly variables: readonly (readonly [string, string])[];
  readonly matches: readonly Match[];
  readonly more: number;
  readonly create: { readonly module: string; readonly url: string } | undefined;
}

export function key_of(pbx: string, leg: string): string {
  return `${pbx} ${leg}`;
}

function one_of<T extends string>(words: readonly T[], word: string | undefined): T | undefined {
  return words.find((one) => one === word);
}

export function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Milliseconds since 1970 of an ISO time in UTC. */
export function time_of(text: string | undefined): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text ?? "")) return undefined;
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function match_of(found: Element, schemes: readonly string[]): Match {
  return {
    module: attr(found, "module") ?? "",
    id: attr(found, "id") ?? "",
    label: attr(found, "label") ?? "",
    organization: attr(found, "organization") ?? "",
    url: safe_url(attr(found, "url"), schemes),
    quality: attr(found, "quality") ?? "",
    owner: attr(found, "known") === "true" ? (attr(found, "owner") ?? "") : undefined,
  };
}

/** Nothing where what identifies a call is missing or its state is unknown: a client shows only what it understands. */
export function call_of(xml: Element, schemes: readonly string[] = []): Call | undefined {
  const [pbx, leg, id] = [attr(xml, "pbx"), attr(xml, "leg"), attr(xml, "id")];
  const state = one_of(STATES, attr(xml, "state"));
  if (xml.name !== "call" || xml.ns !== NS || !pbx || !leg || !id || !state) return undefined;
  const [party, queue, service, create] = ["party", "queue", "service", "create"].map((name) => child(xml, name));
  const url = safe_url(attr(create, "url"), schemes);
  const pop = attr(xml, "pop");
  const at = time_of(attr(xml, "at")) ?? 0;
  return {
    key: key_of(pbx, leg),
    pbx, leg, id, state, at,
    replaces: attr(xml, "replaces"),
    epoch: attr(xml, "epoch") ?? "",
    seq: whole(attr(xml, "seq")) ?? 0,
    cause: one_of(CAUSES, attr(xml, "cause")),
    direction: one_of(DIRECTIONS, attr(xml, "direction")) ?? "inbound",
    extension: attr(xml, "extension") ?? "",
    started: time_of(attr(xml, "started")) ?? at,
    answered: time_of(attr(xml, "answered")),
    actions: (attr(xml, "actions") ?? "").split(/\s+/).filter((word) => word !== ""),
    shared: attr(xml, "shared") === "true",
    request: attr(xml, "request"),
    pop: pop === "answered" || pop === "never" ? pop : "ringing",
    number: attr(party, "number"),
    name: attr(party, "name"),
    withheld: attr(party, "withheld") === "true",
    dialed: attr(child(xml, "dialed"), "number"),
    far_end: attr(child(xml, "far-end"), "state"),
    queue: attr(queue, "name"),
    waited: whole(attr(queue, "waited")),
    service: attr(service, "name"),
    language: attr(service, "language"),
    page: safe_url(attr(service, "url"), schemes),
    variables: children(xml, "variable").map((one) => [attr(one, "name") ?? "", one.text] as const),
    matches: children(xml, "match").map((one) => match_of(one, schemes)),
    more: whole(attr(xml, "more")) ?? 0,
    create: url === undefined ? undefined : { module: attr(create, "module") ?? "", url },
  };
}

/** The record to open without asking: the service's page, else the only one that is no guess. A wrong one is worse than none. */
export function page_of(call: Call): string | undefined {
  if (call.page !== undefined) return call.page;
  const sure = call.matches.filter((match) => match.quality !== "suffix");
  return call.matches.length === 1 && sure.length === 1 && call.more === 0 ? sure[0]?.url : undefined;
}

/** Nobody picked up, and the operator should know: as the daemon counts it. */
export function is_missed(call: Call): boolean {
  if (call.state !== "ended" || call.direction === "outbound") return false;
  return call.cause === "cancelled" || (call.cause === "no-answer" && call.queue === undefined);
}
