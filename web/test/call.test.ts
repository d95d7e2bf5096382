import { describe, expect, it } from "vitest";
import { call_of, is_missed, page_of, time_of, type Call } from "../src/core/call";
import { element } from "../src/core/element";
import { call, part } from "./stanza";

const URL = "https://crm.example.org/index.php?module=Contacts&view=Detail&record=12";
const match = (attrs: Record<string, string> = {}) => part("match", { module: "Contacts", id: "12", label: "Ann Lee", organization: "ACME", url: URL, quality: "exact", ...attrs });
const read = (...given: Parameters<typeof call>): Call => {
  const made = call_of(call(...given));
  if (!made) throw new Error("no call");
  return made;
};

describe("a notice", () => {
  it("is read as the contract writes it", () => {
    const one = read({ actions: "answer hangup", request: "r1", shared: "true" }, [
      part("party", { number: "+447700900123", name: "A LEE" }),
      part("dialed", { number: "02079460201" }),
      part("queue", { name: "support", waited: "3" }),
      part("service", { name: "support-line", language: "en", url: "https://wiki.example.org/?n=1" }),
      part("variable", { name: "calldata" }, "4711"),
      match(),
      part("create", { module: "Leads", url: "https://crm.example.org/new" }),
    ]);
    expect(one).toMatchObject({
      key: "hq 100.1", id: "hq:100.0", seq: 1, state: "ringing", actions: ["answer", "hangup"], request: "r1", shared: true, number: "+447700900123", name: "A LEE",
      dialed: "02079460201", queue: "support", waited: 3, service: "support-line", language: "en", page: "https://wiki.example.org/?n=1", variables: [["calldata", "4711"]],
      create: { module: "Leads", url: "https://crm.example.org/new" }, pop: "ringing", more: 0,
    });
    expect(one.matches).toEqual([{ module: "Contacts", id: "12", label: "Ann Lee", organization: "ACME", url: URL, quality: "exact", owner: undefined }]);
    expect(one.at - one.started).toBe(305);
  });

  it.each([["pbx"], ["leg"], ["id"], ["state"]])("without %s is none", (name) => {
    expect(call_of(call({ [name]: undefined }))).toBeUndefined();
  });

  it("with a state of the future is none, with unknown elements it is one", () => {
    expect(call_of(call({ state: "teleported" }))).toBeUndefined();
    expect(call_of(call({ mood: "good" }, [part("hologram"), element("match", "urn:evil", { label: "Eve" })]))?.matches).toEqual([]);
  });

  it("of another namespace is none", () => {
    expect(call_of({ ...call(), ns: "urn:evil" })).toBeUndefined();
  });

  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "https://crm.example.org@evil.example/", "//evil.example/", "java\tscript:alert(1)", "tel:+1"])(
    "shows no link to %s", (url) => {
      expect(read({}, [match({ url })]).matches[0]?.url).toBeUndefined();
      expect(read({}, [part("service", { name: "s", url })]).page).toBeUndefined();
      expect(read({}, [part("create", { url })]).create).toBeUndefined();
    });

  it("links to a scheme of the configuration", () => {
    expect(call_of(call({}, [part("service", { name: "s", url: "crmapp:open?12" })]), ["crmapp"])?.page).toBe("crmapp:open?12");
  });

  it("of a record that may not be seen names its owner only", () => {
    expect(read({}, [part("match", { known: "true", owner: "Boris" })]).matches[0]).toMatchObject({ owner: "Boris", label: "", url: undefined });
  });
});

describe("the page to open", () => {
  it.each([
    ["the only sure record", [match()], {}, URL],
    ["nothing for two records", [match(), match({ id: "13" })], {}, undefined],
    ["nothing for a guess", [match({ quality: "suffix" })], {}, undefined],
    ["nothing where more records are not shown", [match()], { more: "2" }, undefined],
    ["nothing for nobody", [], {}, undefined],
    ["the service's page before any record", [match(), part("service", { name: "s", url: "https://wiki.example.org/" })], {}, "https://wiki.example.org/"],
  ])("is %s", (_, parts, attrs, wanted) => {
    expect(page_of(read(attrs, parts))).toBe(wanted);
  });
});

describe("a missed call", () => {
  it.each([
    [{ cause: "cancelled" }, [], true],
    [{ cause: "no-answer" }, [], true],
    [{ cause: "no-answer" }, [part("queue", { name: "q" })], false], // a round of the queue
    [{ cause: "answered-elsewhere" }, [], false],
    [{ cause: "hangup" }, [], false],
    [{ cause: "cancelled", direction: "outbound" }, [], false],
  ])("%j", (attrs, parts, wanted) => {
    expect(is_missed(read({ state: "ended", ...attrs }, parts))).toBe(wanted);
  });
});

describe("time", () => {
  it.each([
    ["2026-11-20T15:08:49.305Z", Date.UTC(2026, 10, 20, 15, 8, 49, 305)],
    ["2026-11-20T15:08:49Z", Date.UTC(2026, 10, 20, 15, 8, 49)],
    ["2026-11-20", undefined], ["2026-13-40T99:99:99Z", undefined], ["", undefined], [undefined, undefined],
  ])("%s", (text, wanted) => {
    expect(time_of(text)).toBe(wanted);
  });
});
