import { describe, expect, it } from "vitest";
import { config_of, ConfigError, trigger_for } from "../src/core/config";

const PAGE = "https://cti.example.org/console/";
const LEAST = { websocket: "wss://xmpp.example.org/xmpp-websocket", component: "cti.example.org" };

describe("config.json", () => {
  it("needs a server and a component; the rest has defaults", () => {
    expect(config_of(LEAST, PAGE)).toEqual({
      websocket: "wss://xmpp.example.org/xmpp-websocket", bosh: undefined, component: "cti.example.org", domain: "example.org", schemes: [], window: "one",
      services: { "*": { open: "click", notify: true, sound: true } },
    });
  });

  it("takes addresses of the page's own server", () => {
    expect(config_of({ ...LEAST, websocket: "/xmpp-websocket", bosh: "/http-bind" }, PAGE)).toMatchObject({
      websocket: "wss://cti.example.org/xmpp-websocket", bosh: "https://cti.example.org/http-bind",
    });
  });

  it("allows plain text on this computer only", () => {
    expect(config_of({ ...LEAST, websocket: "ws://127.0.0.1:5280/xmpp-websocket" }, "http://localhost:8080/").websocket).toBe("ws://127.0.0.1:5280/xmpp-websocket");
    expect(() => config_of({ ...LEAST, websocket: "ws://xmpp.example.org/xmpp-websocket" }, "http://localhost:8080/")).toThrow("is not encrypted");
    expect(() => config_of({ ...LEAST, bosh: "http://localhost.evil.example/http-bind" }, PAGE)).toThrow("is not encrypted");
  });

  it.each([
    [[], "must be an object"], [{}, "component is missing"], [{ component: "c" }, "websocket or bosh is needed"], [{ ...LEAST, pasword: 1 }, "pasword is not known"],
    [{ ...LEAST, component: 5 }, "component must be a text"], [{ ...LEAST, websocket: "https://[" }, "websocket is no address"], [{ ...LEAST, bosh: "ftp://x/" }, "bosh must begin with https:"],
    [{ ...LEAST, schemes: "x" }, "schemes must be a list"], [{ ...LEAST, window: "two" }, "window must be one or new"], [{ ...LEAST, services: 3 }, "services must be an object"],
    [{ ...LEAST, services: { s: { open: "later" } } }, "services.s.open must be one of"], [{ ...LEAST, services: { s: { sound: "yes" } } }, "services.s.sound must be true or false"],
    [{ ...LEAST, services: { s: { ring: true } } }, "services.s.ring is not known"],
  ])("%j: %s", (json, text) => {
    expect(() => config_of(json, PAGE)).toThrow(ConfigError);
    expect(() => config_of(json, PAGE)).toThrow(text);
  });

  it("gives each service what it says, the rest from *", () => {
    const config = config_of({ ...LEAST, services: { "*": { sound: false }, sales: { open: "ringing" } } }, PAGE);
    expect(trigger_for(config, "sales")).toEqual({ open: "ringing", notify: true, sound: false });
    expect(trigger_for(config, "constructor")).toEqual({ open: "click", notify: true, sound: false });
    expect(trigger_for(config, undefined).open).toBe("click");
  });
});
