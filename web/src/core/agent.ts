// The agent's state (<agent/>) and who the operator is here (<me/>), as data.
import { NS, time_of, whole } from "./call";
import { attr, children, type Element } from "./element";

export const AGENT_STATES = ["logged-out", "ready", "not-ready", "ringing", "talking", "held", "wrap-up"] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export interface AgentService {
  readonly name: string;
  readonly state: "in" | "out" | "failed";
  readonly penalty: number | undefined;
  readonly text: string | undefined;
}

export interface Agent {
  readonly state: AgentState;
  readonly since: number | undefined; // the bridge's clock, milliseconds
  readonly until: number | undefined;
  readonly reason: string | undefined;
  readonly pending: string | undefined;
  readonly by: string | undefined;
  readonly pbx: string | undefined;
  readonly extension: string | undefined;
  readonly seat: string | undefined;
  readonly actions: readonly string[];
  readonly services: readonly AgentService[];
}

export function agent_of(xml: Element): Agent | undefined {
  const state = AGENT_STATES.find((one) => one === attr(xml, "state"));
  if (xml.name !== "agent" || xml.ns !== NS || !state) return undefined;
  return {
    state,
    since: time_of(attr(xml, "since")),
    until: time_of(attr(xml, "until")),
    reason: attr(xml, "reason"),
    pending: attr(xml, "pending"),
    by: attr(xml, "by"),
    pbx: attr(xml, "pbx"),
    extension: attr(xml, "extension"),
    seat: attr(xml, "seat"),
    actions: (attr(xml, "actions") ?? "").split(/\s+/).filter((word) => word !== ""),
    services: children(xml, "service").map((one) => {
      const shown = attr(one, "state");
      return { name: attr(one, "name") ?? "", state: shown === "in" || shown === "failed" ? shown : "out", penalty: whole(attr(one, "penalty")), text: attr(one, "text") };
    }),
  };
}

export interface Word {
  readonly code: string;
  readonly label: string;
}

export interface OwnService {
  readonly name: string;
  readonly direction: string;
  readonly codes: readonly Word[];
}

/** A place with a phone that one may sit down at. */
export interface Seat {
  readonly id: string;
  readonly extension: string | undefined;
  readonly place: string | undefined;
}

export interface Me {
  readonly jid: string | undefined;
  readonly name: string | undefined;
  readonly pbx: string | undefined;
  readonly extension: string | undefined;
  readonly roles: readonly string[];
  readonly features: ReadonlySet<string>;
  readonly services: readonly OwnService[];
  readonly reasons: readonly Word[];
  readonly seats: readonly Seat[];
  readonly codes: readonly Word[]; // wrap-up codes of every service
}

function words(of: Element, name: string): readonly Word[] {
  return children(of, name)
    .map((one) => ({ code: attr(one, "code") ?? attr(one, "name") ?? "", label: attr(one, "label") ?? attr(one, "code") ?? attr(one, "name") ?? "" }))
    .filter((one) => one.code !== "");
}

export function me_of(xml: Element): Me {
  return {
    jid: attr(xml, "jid"),
    name: attr(xml, "name"),
    pbx: attr(xml, "pbx"),
    extension: attr(xml, "extension"),
    roles: (attr(xml, "roles") ?? "").split(/\s+/).filter((word) => word !== ""),
    features: new Set(children(xml, "feature").map((one) => attr(one, "name") ?? "")),
    services: children(xml, "service").map((one) => ({ name: attr(one, "name") ?? "", direction: attr(one, "direction") ?? "inbound", codes: words(one, "code") })),
    reasons: words(xml, "reason"),
    seats: children(xml, "seat").flatMap((one) => {
      const id = attr(one, "id");
      return id === undefined ? [] : [{ id, extension: attr(one, "extension"), place: attr(one, "place") }];
    }),
    codes: words(xml, "code"),
  };
}

/** The wrap-up codes that fit a call of this service. */
export function codes_for(me: Me | undefined, service: string | undefined): readonly Word[] {
  const own = me?.services.find((one) => one.name === service)?.codes ?? [];
  return own.length > 0 ? own : (me?.codes ?? []);
}
