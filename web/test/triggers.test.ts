import { describe, expect, it } from "vitest";
import { call_of, type Call } from "../src/core/call";
import { config_of } from "../src/core/config";
import { notifying, opening, sounding } from "../src/core/triggers";
import { call, part } from "./stanza";

const URL = "https://crm.example.org/12";
const config = (open: string, rest = {}) => config_of({ websocket: "wss://x.example/", component: "cti.example.org", services: { "*": { open, ...rest } } }, "https://x.example/");
const made = (attrs: Parameters<typeof call>[0], parts = [part("match", { module: "Contacts", id: "12", label: "Ann", url: URL, quality: "exact" })]): Call => {
  const one = call_of(call(attrs, parts));
  if (!one) throw new Error("no call");
  return one;
};
const opens = (open: string, ...given: Parameters<typeof made>) => opening({ call: made(...given), before: undefined, fresh: true }, config(open))?.url;

describe("the record opens", () => {
  it.each([
    ["ringing", { state: "ringing" }, URL],
    ["ringing", { state: "answered" }, URL], // it rang while the tab was away; the name of the opening keeps it from opening twice
    ["ringing", { state: "held" }, undefined],
    ["ringing", { state: "ended" }, undefined],
    ["ringing", { state: "ringing", pop: "answered" }, undefined],
    ["ringing", { state: "answered", pop: "answered" }, URL],
    ["ringing", { state: "answered", pop: "never" }, undefined],
    ["answered", { state: "ringing" }, undefined],
    ["answered", { state: "answered" }, URL],
    ["click", { state: "answered" }, undefined],
    ["never", { state: "answered" }, undefined],
    ["ringing", { state: "dialing", direction: "outbound" }, undefined],
    ["answered", { state: "answered", direction: "outbound" }, undefined],
  ])("on %s with %j: %s", (open, attrs, wanted) => {
    expect(opens(open, attrs)).toBe(wanted);
  });

  it("by the service's page also for calls of our own", () => {
    expect(opens("answered", { state: "answered", direction: "outbound" }, [part("service", { name: "s", url: "https://wiki.example.org/" })])).toBe("https://wiki.example.org/");
  });

  it("under one name for a call, whenever it happens", () => {
    const names = ["ringing", "answered"].map((state) => opening({ call: made({ state, epoch: state }), before: undefined, fresh: true }, config("ringing"))?.once);
    expect(names[0]).toBe(names[1]);
  });
});

describe("sound and notification", () => {
  it("are for calls that ring, as the service wishes", () => {
    expect(sounding([made({ state: "answered" }), made({ state: "ringing" })], config("click"))).toBe(true);
    expect(sounding([made({ state: "answered" }), made({ state: "dialing" })], config("click"))).toBe(false);
    expect(sounding([made({ state: "ringing" })], config("click", { sound: false }))).toBe(false);
    expect(sounding([made({ state: "ringing", pop: "never" })], config("click"))).toBe(false);
    expect(notifying(made({ state: "ringing" }), config("click", { notify: false }))).toBe(false);
    expect(notifying(made({ state: "ringing" }), config("click"))).toBe(true);
    expect(notifying(made({ state: "answered" }), config("click"))).toBe(false);
  });
});
