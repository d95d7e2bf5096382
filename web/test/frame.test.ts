import { describe, expect, it } from "vitest";
import { from_page, origins_of } from "../src/frame/words";

describe("what a page may say", () => {
  it("is a number with its record", () => {
    const record = { module: "Contacts", id: "120" };
    expect(from_page({ say: "dial", text: "+420 736", record })).toEqual({ say: "dial", text: "+420 736", record });
  });
  it("is never who clicked", () => {
    expect(from_page({ say: "dial", text: "1", jid: "boris@example.org", record: { module: "Contacts", id: "1", owner: "6" } })).toEqual({ say: "dial", text: "1", record: { module: "Contacts", id: "1" } });
  });
  it.each([[{ module: "Contacts' OR 1=1", id: "1" }], [{ module: "Contacts", id: "1x" }], [{ module: "Contacts" }], ["Contacts"], [null]])("has no record that is none: %j", (record) => {
    expect(from_page({ say: "dial", text: "1", record })).toEqual({ say: "dial", text: "1", record: undefined });
  });
  it.each([[undefined], [null], ["dial"], [{ say: "sign_in", jid: "a@b" }], [{ say: "dial" }], [{ say: "dial", text: 1 }], [{ say: "dial", text: "1".repeat(501) }], [{ say: "ask", request: {} }]])("is not %j", (data) => {
    expect(from_page(data)).toBeUndefined();
  });
  it("opens and closes the box", () => {
    expect(from_page({ say: "toggle" })).toEqual({ say: "toggle" });
  });
});

describe("the pages that are allowed", () => {
  it("are origins and nothing else", () => {
    expect(origins_of(["https://crm.example.org", "https://crm.example.org/", "https://crm.example.org/x", "*", "null", 1, null, "http://127.0.0.1:8080"])).toEqual([
      "https://crm.example.org", "http://127.0.0.1:8080",
    ]);
  });
  it.each([[null], [{}], ["https://crm.example.org"]])("are none in %j", (json) => {
    expect(origins_of(json)).toEqual([]);
  });
});
