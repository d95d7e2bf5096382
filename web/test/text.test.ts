import { describe, expect, it } from "vitest";
import { usable_schemes, safe_url } from "../src/core/link";
import { clock, jid_of, shown, xml_text } from "../src/core/text";

describe("a hostile name", () => {
  it.each([
    ["\u202eeslaf\u202c \u2066x\u2069", "eslaf x"],
    ["a\u0001b\u001b[31m\r\nc", "a b [31m c"],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"], // text stays text
    ["   ", ""],
    [`Z${"\u0301".repeat(50)}`, `Z${"\u0301".repeat(4)}`],
  ])("%j is shown as %j", (text, wanted) => {
    expect(shown(text)).toBe(wanted);
  });

  it("of 500 characters is cut at a whole character", () => {
    expect(shown("\u{1F600}".repeat(500), 10)).toBe(`${"\u{1F600}".repeat(9)}…`);
  });
});

describe("text for XML", () => {
  it("has no character that would end the stream", () => {
    expect(xml_text("a\u0000b\u0008c\ufffe\ud800d\u{1F600}\n<&>")).toBe("abcd\u{1F600}\n<&>");
  });
});

describe("a clock", () => {
  it.each([[0, "0:00"], [-5, "0:00"], [59_999, "0:59"], [60_000, "1:00"], [3_723_000, "1:02:03"]])("%i", (ms, wanted) => {
    expect(clock(ms)).toBe(wanted);
  });
});

describe("an account", () => {
  it.each([
    ["anna", "anna@example.org"], [" Anna ", "anna@example.org"], ["anna@other.example", "anna@other.example"],
    ["", undefined], ["an na", undefined], ["a@b@c", undefined], ["anna@x/y", undefined], ["<anna>", undefined], ["@example.org", undefined],
  ])("%j", (typed, wanted) => {
    expect(jid_of(typed, "example.org")).toBe(wanted);
  });
});

describe("an address", () => {
  it("follows schemes of the configuration, never those that run code", () => {
    const schemes = usable_schemes(["CRMapp", "javascript", "data", "not a scheme", "file"]);
    expect(schemes).toEqual(["crmapp"]);
    expect(safe_url("crmapp:12", schemes)).toBe("crmapp:12");
    expect(safe_url("javascript:alert(1)", ["javascript"])).toBeUndefined();
  });

  it.each(["", "example.org", "/path", "https://", "https:evil", "https://a b/", "https://x\\@evil/", `https://x/${"a".repeat(5000)}`])("%s is none", (url) => {
    expect(safe_url(url)).toBeUndefined();
  });
});
