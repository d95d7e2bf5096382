// Calls of the past (<history/>) and colleagues (<directory/>), as data.
import { call_of, NS, time_of, whole, type Call } from "./call";
import { attr, type Element } from "./element";

export interface Past {
  readonly call: Call;
  readonly disposition: string | undefined;
  readonly answered_by: string | undefined;
  readonly claimed_by: string | undefined;
  readonly talk: number | undefined; // seconds
  readonly note: string | undefined;
  readonly code: string | undefined;
}

export function history_of(xml: Element, schemes: readonly string[]): readonly Past[] {
  return xml.children.flatMap((one) => {
    const call = call_of(one, schemes);
    if (!call) return [];
    const talk = whole(attr(one, "talk_ms"));
    return [{
      call,
      disposition: attr(one, "disposition"),
      answered_by: attr(one, "answered-by") ?? attr(one, "answered_by"),
      claimed_by: attr(one, "claimed-by") ?? attr(one, "claimed_by"),
      talk: whole(attr(one, "talk")) ?? (talk === undefined ? undefined : Math.round(talk / 1000)),
      note: attr(one, "note"),
      code: attr(one, "code"),
    }];
  });
}

export interface Colleague {
  readonly jid: string | undefined;
  readonly name: string;
  readonly number: string;
  readonly state: string; // of the line: idle, ringing, busy, held, unavailable
  readonly agent: string | undefined;
  readonly since: number | undefined;
  readonly call: { readonly id: string; readonly leg: string } | undefined; // that rings there and can be picked up
}

function call_at(one: Element): Colleague["call"] {
  const [id, leg] = [attr(one, "call"), attr(one, "leg")];
  return id === undefined || leg === undefined ? undefined : { id, leg };
}

export function directory_of(xml: Element): readonly Colleague[] {
  return xml.children
    .filter((one) => one.ns === NS)
    .map((one) => ({
      jid: attr(one, "jid"),
      name: attr(one, "name") ?? attr(one, "jid") ?? "",
      number: attr(one, "extension") ?? attr(one, "number") ?? "",
      state: attr(one, "state") ?? attr(one, "line") ?? "",
      agent: attr(one, "agent"),
      since: time_of(attr(one, "since")),
      call: call_at(one),
    }))
    .filter((one) => one.number !== "");
}

/** Colleagues whose name or number has what was typed, those who are free first. */
export function filtered(all: readonly Colleague[], typed: string): readonly Colleague[] {
  const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const wanted = plain(typed.trim());
  const rank = (one: Colleague) => (one.state === "idle" ? 0 : 1);
  return all.filter((one) => plain(one.name).includes(wanted) || one.number.startsWith(wanted)).sort((a, b) => rank(a) - rank(b) || (plain(a.name) < plain(b.name) ? -1 : 1));
}
