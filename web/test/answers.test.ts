import { describe, expect, it } from "vitest";
import { agent_of, codes_for, me_of } from "../src/core/agent";
import { NS } from "../src/core/call";
import { element } from "../src/core/element";
import { directory_of, filtered, history_of } from "../src/core/history";
import { ask, is_bridge_away, refusal_of } from "../src/core/request";
import { wait_before } from "../src/core/retry";
import { call, part } from "./stanza";

const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const refused = (condition: string, text = "", rule?: string) =>
  refusal_of(element("iq", "jabber:client", { type: "error" }, [
    element("error", "jabber:client", {}, [
      element(condition, STANZAS),
      ...(text === "" ? [] : [element("text", STANZAS, {}, [], text)]),
      ...(rule === undefined ? [] : [element("denied", NS, { rule })]),
    ]),
  ]));

describe("a refusal", () => {
  it("says condition, text and rule", () => {
    expect(refused("not-acceptable", "not this one", "deny:+449*")).toEqual({ condition: "not-acceptable", text: "not this one", rule: "deny:+449*", absent: false });
  });
  it("may mean that there is no such function", () => {
    expect(refused("feature-not-implemented").absent).toBe(true);
    expect(refused("service-unavailable", "`agent` is not part of version 0.1").absent).toBe(true);
    expect(refused("service-unavailable", "the telephone exchange cannot be reached at present").absent).toBe(false);
  });
  it.each([["remote-server-timeout", "", true], ["remote-server-not-found", "", true], ["service-unavailable", "", true], ["service-unavailable", "link down", false], ["forbidden", "", false]])(
    "%s %j means that the bridge is away: %s", (condition, text, wanted) => {
      expect(is_bridge_away(refused(condition, text))).toBe(wanted);
    });
  it("of nothing is a timeout", () => {
    expect(refusal_of(undefined).condition).toBe("timeout");
  });
});

describe("requests", () => {
  it("are written as the contract says", () => {
    expect(ask.dial("+447700900456", { module: "Contacts", id: "12" }, "sales")).toEqual({
      type: "set", payload: element("dial", NS, { number: "+447700900456", service: "sales" }, [element("record", NS, { module: "Contacts", id: "12" })]),
    });
    expect(ask.state("not-ready", "lunch").payload.attrs).toEqual({ state: "not-ready", reason: "lunch" });
    expect(ask.extend(60).payload.attrs).toEqual({ extend: "60s" });
    expect(ask.history("missed", 20, "hq:1").payload.attrs).toEqual({ kind: "missed", max: "20", before: "hq:1" });
    expect(ask.note("hq:1", "text", "").payload).toMatchObject({ attrs: { id: "hq:1" }, text: "text" });
  });
});

describe("the agent's state", () => {
  it("is read with its services", () => {
    const xml = element("agent", NS, { state: "wrap-up", since: "2026-11-20T15:00:00Z", until: "2026-11-20T15:00:30Z", pending: "not-ready", actions: "ready extend" }, [
      part("service", { name: "support", state: "in", penalty: "2" }), part("service", { name: "sales", state: "failed", text: "no such queue" }),
    ]);
    expect(agent_of(xml)).toMatchObject({
      state: "wrap-up", pending: "not-ready", actions: ["ready", "extend"],
      services: [{ name: "support", state: "in", penalty: 2, text: undefined }, { name: "sales", state: "failed", text: "no such queue" }],
    });
  });
  it("of another world is none", () => {
    expect(agent_of(element("agent", NS, { state: "asleep" }))).toBeUndefined();
  });
});

describe("who I am", () => {
  it("says features, reasons and codes", () => {
    const me = me_of(element("me", NS, { jid: "anna@example.org", name: "Anna", roles: "operator supervisor" }, [
      part("feature", { name: "dial" }), part("reason", { code: "lunch", label: "Lunch" }), part("code", { code: "other" }),
      element("service", NS, { name: "sales", direction: "outbound" }, [part("code", { code: "sale", label: "Sold" })]),
    ]));
    expect([...me.features]).toEqual(["dial"]);
    expect(me.roles).toEqual(["operator", "supervisor"]);
    expect(me.reasons).toEqual([{ code: "lunch", label: "Lunch" }]);
    expect(codes_for(me, "sales")).toEqual([{ code: "sale", label: "Sold" }]);
    expect(codes_for(me, "elsewhere")).toEqual([{ code: "other", label: "other" }]);
    expect(codes_for(undefined, "sales")).toEqual([]);
  });
});

describe("lists", () => {
  it("of the past are calls with what became of them", () => {
    const [one] = history_of(element("history", NS, {}, [call({ state: "ended", "talk_ms": "61500", disposition: "abandoned", "claimed-by": "boris@example.org" }), part("junk")]), []);
    expect(one).toMatchObject({ call: { id: "hq:100.0" }, disposition: "abandoned", claimed_by: "boris@example.org", talk: 62 });
  });
  it("of colleagues are found by name without accents and by number, free ones first", () => {
    const all = directory_of(element("directory", NS, {}, [
      part("colleague", { name: "Boris Doležal", extension: "202", state: "busy" }), part("colleague", { name: "Dora Dole", extension: "205", state: "idle" }), part("colleague", { name: "no phone" }),
    ]));
    expect(filtered(all, "dole").map((one) => one.number)).toEqual(["205", "202"]);
    expect(filtered(all, "20").map((one) => one.number)).toEqual(["205", "202"]);
    expect(filtered(all, "boris").map((one) => one.number)).toEqual(["202"]);
  });
});

describe("trying again", () => {
  it("takes longer and longer, to half a minute, and never all at once", () => {
    expect([1, 2, 3, 4, 5, 6, 60].map((attempt) => wait_before(attempt, 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(wait_before(3, 0)).toBe(2000);
  });
});
