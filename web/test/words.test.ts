import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AGENT_STATES } from "../src/core/agent";
import { CAUSES, DIRECTIONS, STATES } from "../src/core/call";
import { chosen, fill, LANGUAGES } from "../src/i18n";

const english = LANGUAGES["en"]?.words ?? ({} as never);
const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((one) => one[0]).sort();

describe.each(Object.entries(LANGUAGES))("the words of %s", (_, { words }) => {
  it("are all there, with the same places to fill", () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) expect([key, places(words[key as keyof typeof words])]).toEqual([key, places(text)]);
  });
  it("are none of them empty that is not empty in English", () => {
    for (const [key, text] of Object.entries(words)) expect([key, text === ""]).toEqual([key, english[key as keyof typeof english] === ""]);
  });
});

describe("every word of the contract", () => {
  it.each([...STATES.map((one) => `state_${one}`), ...CAUSES.map((one) => `cause_${one}`), ...DIRECTIONS.map((one) => `direction_${one}`), ...AGENT_STATES.map((one) => `agent_${one}`)])("has %s", (key) => {
    expect(english).toHaveProperty([key]);
  });
});

describe("the language", () => {
  it.each([[["de-AT", "en"], "de"], [["cs", "de"], "de"], [["cs"], "en"], [[], "en"], [["toString"], "en"]])("for %j is %s", (wished, wanted) => {
    expect(chosen(wished)).toBe(wanted);
  });
  it("leaves places without a value as they are", () => {
    expect(fill("{a} {b}", { a: "x" })).toBe("x {b}");
  });
});

// WCAG 2.2 AA: 4.5 for text, 3 for the borders of fields and for signs.
const css = readFileSync(new URL("../src/style.css", import.meta.url), "utf8");
function tokens(theme: string): Record<string, string> {
  const block = new RegExp(`\\[data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((one) => [one[1] ?? "", one[2] ?? ""]));
}
function light(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [light(one), light(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}
const PAIRS: [string, string, number][] = [
  ...["text", "faint", "accent"].flatMap((one) => ["page", "panel"].map((page): [string, string, number] => [one, page, 4.5])),
  ...["ring", "talk", "held"].flatMap((one) => ["panel", `${one}-page`].map((page): [string, string, number] => [one, page, 4.5])),
  ...["ring-page", "talk-page", "held-page"].flatMap((page) => ["text", "faint"].map((one): [string, string, number] => [one, page, 4.5])),
  ["bad", "panel", 4.5], ["bad", "page", 4.5], ["bad", "bad-page", 4.5], ["on-accent", "accent", 4.5], ["panel", "talk", 4.5], ["panel", "bad", 4.5], ["field", "panel", 3], ["field", "page", 3],
];

describe.each(["light", "dark"])("the colours for %s", (theme) => {
  it.each(PAIRS)("%s on %s reach %f", (one, other, least) => {
    const all = tokens(theme);
    expect(contrast(all[one] ?? "#000000", all[other] ?? "#000000")).toBeGreaterThanOrEqual(least);
  });
});
