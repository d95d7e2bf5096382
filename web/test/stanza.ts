// Stanzas for tests, written as the bridge writes them.
import { NS } from "../src/core/call";
import { element, type Element } from "../src/core/element";

type Attrs = Record<string, string | undefined>;

export const part = (name: string, attrs: Attrs = {}, text = ""): Element => element(name, NS, attrs, [], text);

export function call(attrs: Attrs = {}, parts: readonly Element[] = []): Element {
  const all: Attrs = {
    pbx: "hq", leg: "100.1", id: "hq:100.0", epoch: "e1", seq: "1", state: "ringing", direction: "inbound", extension: "201",
    at: "2026-11-20T15:08:49.305Z", started: "2026-11-20T15:08:49.000Z", actions: "hangup", ...attrs,
  };
  return element("call", NS, all, parts);
}

export const message = (...children: Element[]): Element => element("message", "jabber:client", { type: "headline", from: "cti.example.org" }, children);
export const sync = (epoch: string, seq: number): Element => message(part("sync", { epoch, seq: String(seq) }));
export const calls = (epoch: string, seq: number, ...children: Element[]): Element => element("calls", NS, { epoch, seq: String(seq) }, children);
