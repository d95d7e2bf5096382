// What the console asks of the bridge, and what a refusal means.
import { NS, type Call } from "./call";
import { attr, child, element, type Element } from "./element";

export interface Request {
  readonly type: "get" | "set";
  readonly payload: Element;
}

const set = (name: string, attrs: Record<string, string | undefined> = {}, children: readonly Element[] = [], text = ""): Request =>
  ({ type: "set", payload: element(name, NS, attrs, children, text) });
const get = (name: string, attrs: Record<string, string | undefined> = {}): Request => ({ type: "get", payload: element(name, NS, attrs) });
const of = (call: Pick<Call, "id" | "leg">) => ({ id: call.id, leg: call.leg });

export const ask = {
  me: () => get("me"),
  calls: () => get("calls"),
  agent: () => get("agent"),
  directory: () => get("directory"),
  history: (kind: "all" | "missed" | "abandoned", max: number, before?: string) => get("history", { kind, max: String(max), before }),
  dial: (number: string, record?: { module: string; id: string }, service?: string) =>
    set("dial", { number, service }, record ? [element("record", NS, record)] : []),
  simple: (action: "answer" | "hangup" | "hold" | "unhold" | "park" | "pickup", call: Pick<Call, "id" | "leg">) => set(action, of(call)),
  transfer: (call: Call, mode: "blind" | "attended" | "complete" | "cancel", to?: string) => set("transfer", { ...of(call), mode, to }),
  claim: (id: string) => set("claim", { id }),
  note: (id: string, text: string, code?: string) => set("note", { id, code: code === "" ? undefined : code }, [], text),
  state: (state: "ready" | "not-ready" | "logged-out", reason?: string, seat?: string) => set("agent", { state, reason, seat }),
  /** For somebody one is responsible for: a supervisor's, an administrator's. */
  agent_of: (jid: string) => get("agent", { "on-behalf-of": jid }),
  state_of: (jid: string, state: "ready" | "not-ready" | "logged-out") => set("agent", { "on-behalf-of": jid, state }),
  extend: (seconds: number) => set("agent", { extend: `${seconds}s` }),
};

const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

export interface Refusal {
  readonly condition: string; // of XMPP; `timeout` when nothing came, `offline` when nothing could be sent
  readonly text: string; // of the bridge; empty where it said none
  readonly rule: string | undefined;
  /** The bridge has no such function: hide it, do not complain. */
  readonly absent: boolean;
}

export function refusal_of(answer: Element | undefined): Refusal {
  const error = answer?.children.find((one) => one.name === "error");
  const condition = error?.children.find((one) => one.ns === STANZAS && one.name !== "text")?.name ?? (answer ? "undefined-condition" : "timeout");
  const text = (error ? child(error, "text", STANZAS)?.text : undefined) ?? "";
  return {
    condition, text,
    rule: attr(error ? child(error, "denied", NS) : undefined, "rule"),
    // `service-unavailable` also says that the exchange's link is down; then the bridge says so in words.
    absent: condition === "feature-not-implemented" || (condition === "service-unavailable" && text.includes("not part of version")),
  };
}

/** The bridge itself is away: the server answers in its place. */
export function is_bridge_away(refusal: Refusal): boolean {
  if (refusal.text !== "" && refusal.condition === "service-unavailable") return false;
  return ["remote-server-timeout", "remote-server-not-found", "service-unavailable", "recipient-unavailable", "timeout"].includes(refusal.condition);
}
