import { describe, expect, it } from "vitest";
import { grouped, understand } from "../src/core/number";

describe("a pasted number", () => {
  it.each([
    ["+44 20 7946 0201", "+442079460201"],
    ["+44 (0)20 7946 0201", "+442079460201"],
    ["+44 ( 0 ) 20 7946 0201", "+442079460201"],
    ["020 7946-0201", "02079460201"],
    ["(020) 7946 0201", "02079460201"],
    ["00420 736/763.072", "00420736763072"],
    ["tel:+44-20-7946-0201;ext=5", "+442079460201"],
    ["tel:7946-0201;phone-context=+4420", "+442079460201"],
    ["TEL:%2B442079460201", "+442079460201"],
    ["callto:+442079460201", "+442079460201"],
    ["sip:201@pbx.example.org", "201"],
    ["Tel.: +420 736 763 072 (mobile)", "+420736763072"],
    ["Ann Lee, +44 20 7946 0201, Suite 5", "+442079460201"],
    ["\u202a+420 736 763 072\u202c", "+420736763072"],
    ["+420\u00a0736\u2009763\u202f072", "+420736763072"],
    ["+44\u201320\u20137946\u20130201", "+442079460201"],
    ["\uff0b\uff14\uff14\uff12\uff10\uff17\uff19\uff14\uff16\uff10\uff12\uff10\uff11", "+442079460201"],
    ["\u0660\u0661\u0662\u0663\u0664\u0665\u0666", "0123456"],
    ["201", "201"],
    ["*43", "*43"],
    ["*8#", "*8#"],
    ["#31#0736763072", "#31#0736763072"],
  ])("%s is %s", (text, number) => {
    expect(understand(text)).toMatchObject({ kind: "number", number });
  });

  it.each(["", "   ", "\u200b"])("%j is nothing", (text) => {
    expect(understand(text).kind).toBe("empty");
  });

  it.each(["Ann Lee", "call me", "+", "()", "9".repeat(400)])("%s has no number", (text) => {
    expect(understand(text).kind).toBe("unknown");
  });

  it("that stands beside others is the first, and the others can be chosen", () => {
    expect(understand("office +44 20 7946 0201, mobile +44 7700 900123, room 5")).toEqual({ kind: "number", number: "+442079460201", others: ["+447700900123"] });
  });

  it("never holds anything but what can be dialled", () => {
    for (const text of ["201&202", "201,5", "'; DROP TABLE x; -- 123456", "<img src=x onerror=alert(1)>", "+44\r\nAction: Originate", "1+2+3+4+5+6+7"]) {
      const understood = understand(text);
      if (understood.kind === "number") for (const one of [understood.number, ...understood.others]) expect(one).toMatch(/^\+?[\d*#]+$/);
    }
  });

  it("of any length is read", () => {
    for (const text of ["+".repeat(500), "1 ".repeat(250), "(0)".repeat(160), ". ".repeat(250), `+${"( 0 )".repeat(99)}`]) expect(understand(text).kind).toBe("unknown");
  });
});

describe("groups for the eye", () => {
  it.each([
    ["+442079460201", "+44 207 946 0201"], ["+420736763072", "+420 736 763 072"], ["+12025550123", "+1 202 555 0123"], ["+4930901820", "+49 309 018 20"],
    ["0736763072", "073 676 3072"], ["201", "201"], ["*43", "*43"], ["#31#0736763072", "#31#0736763072"],
  ])("%s", (number, wanted) => {
    expect(grouped(number)).toBe(wanted.replaceAll(" ", "\u202f"));
  });
});
