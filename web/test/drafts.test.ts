import { describe, expect, it } from "vitest";
import { Drafts } from "../src/desk/drafts";

describe("a note being written", () => {
  it("belongs to its call", () => {
    const drafts = new Drafts();
    drafts.write("a", { text: "x" });
    drafts.write("a", { code: "c" });
    expect([drafts.of("a"), drafts.of("b").text]).toEqual([{ text: "x", code: "c" }, ""]);
  });
  it("goes over to the older call in a merge, behind what was written there", () => {
    const drafts = new Drafts();
    drafts.write("old", { text: "first", code: "o" });
    drafts.write("young", { text: "second" });
    drafts.rename("young", "old");
    drafts.rename("nobody", "old");
    expect([drafts.of("old"), drafts.of("young").text]).toEqual([{ text: "first\nsecond", code: "o" }, ""]);
  });
  it("of long ago is forgotten", () => {
    const drafts = new Drafts();
    for (let n = 0; n < 60; n += 1) drafts.write(String(n), { text: "x" });
    expect([drafts.of("9").text, drafts.of("10").text]).toEqual(["", "x"]);
  });
});
