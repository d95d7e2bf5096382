import { beforeEach, describe, expect, it } from "vitest";
import { time_of } from "../src/core/call";
import { element } from "../src/core/element";
import { Picture } from "../src/core/picture";
import { call, calls, message, part, sync } from "./stanza";

const START = "2026-11-20T15:08:49.000Z";
const at = (seconds: number) => new Date((time_of(START) ?? 0) + seconds * 1000).toISOString();
const NOW = (time_of(START) ?? 0) + 100_000; // this computer's clock is before the bridge's

let picture: Picture;
const shown = () => picture.calls.map((one) => `${one.call.leg} ${one.call.state}`);

beforeEach(() => {
  picture = new Picture();
  picture.take_calls(calls("e1", 0), NOW);
});

describe("one call", () => {
  it("rings, is answered and ends", () => {
    const first = picture.take(message(call()), NOW);
    expect(shown()).toEqual(["100.1 ringing"]);
    expect(first).toMatchObject({ ask: false, changes: [{ before: undefined, fresh: true }] });
    const second = picture.take(message(call({ seq: "2", state: "answered", at: at(5) })), NOW);
    expect(second.changes[0]?.before?.state).toBe("ringing");
    expect(shown()).toEqual(["100.1 answered"]);
    picture.take(message(call({ seq: "3", state: "ended", cause: "hangup", at: at(65), actions: "" })), NOW);
    expect(shown()).toEqual([]);
    expect(picture.ended[0]).toMatchObject({ call: { cause: "hangup" } });
    expect((picture.ended[0]?.call.at ?? 0) - (picture.ended[0]?.since ?? 0)).toBe(60_000); // talked a minute
  });

  it("counts ringing from its start, talking from the answer, also over a hold", () => {
    picture.take(message(call({ at: at(2) })), NOW);
    expect(picture.calls[0]?.since).toBe(time_of(START));
    picture.take(message(call({ seq: "2", state: "answered", at: at(5) })), NOW);
    picture.take(message(call({ seq: "3", state: "held", at: at(9) })), NOW);
    picture.take(message(call({ seq: "4", state: "answered", at: at(12) })), NOW);
    expect(picture.calls[0]?.since).toBe(time_of(at(5)));
  });

  it("counts talking from when the bridge says, also in a page that was loaded anew", () => {
    const held = call({ seq: "2", state: "held", at: at(65), answered: at(5) });
    picture.take_calls(calls("e1", 2, held), NOW);
    expect(picture.calls[0]?.since).toBe(time_of(at(5)));
    picture.take(message(call({ seq: "3", state: "answered", at: at(70), answered: at(5) })), NOW);
    expect(picture.calls[0]?.since).toBe(time_of(at(5)));
  });

  it("that ended is not shown again by a late notice", () => {
    picture.take(message(call()), NOW);
    picture.take(message(call({ seq: "2", state: "ended", cause: "cancelled" })), NOW);
    picture.take(message(call()), NOW);
    expect(shown()).toEqual([]);
  });

  it("whose end is told twice ended once", () => {
    picture.take(message(call()), NOW);
    picture.take(message(call({ seq: "2", state: "ended", cause: "hangup" })), NOW);
    const again = picture.take(message(call({ seq: "3", state: "ended", cause: "lost" })), NOW);
    expect(again.changes).toEqual([]);
    expect(picture.ended.map((one) => one.call.cause)).toEqual(["hangup"]);
  });

  it("is the same leg of another exchange no more than a namesake", () => {
    picture.take(message(call()), NOW);
    picture.take(message(call({ pbx: "branch", id: "branch:100.0", seq: "2" })), NOW);
    picture.take(message(call({ seq: "3", state: "ended" })), NOW);
    expect(picture.calls.map((one) => one.call.pbx)).toEqual(["branch"]);
  });
});

describe("several calls", () => {
  it("are shown ringing first, then as they began", () => {
    picture.take(message(call({ leg: "1.1", id: "hq:1", state: "answered", started: at(0) })), NOW);
    picture.take(message(call({ leg: "3.1", id: "hq:3", seq: "2", started: at(3) })), NOW);
    picture.take(message(call({ leg: "2.1", id: "hq:2", seq: "3", started: at(2) })), NOW);
    expect(shown()).toEqual(["2.1 ringing", "3.1 ringing", "1.1 answered"]);
  });

  it("merge: every ring of the younger call takes the older id", () => {
    picture.take(message(call({ leg: "2.1", id: "hq:200.0", state: "ended", cause: "transferred" })), NOW);
    picture.take(message(call({ leg: "2.2", id: "hq:200.0", seq: "2", state: "answered" })), NOW);
    picture.take(message(call({ leg: "1.1", id: "hq:100.0", replaces: "hq:200.0", seq: "3", state: "answered" })), NOW);
    expect(picture.calls.map((one) => one.call.id)).toEqual(["hq:100.0", "hq:100.0"]);
    expect(picture.ended.map((one) => one.call.id)).toEqual(["hq:100.0"]);
  });
});

describe("numbers", () => {
  it("with a gap ask for everything, and what came is shown meanwhile", () => {
    expect(picture.take(message(call({ seq: "3" })), NOW)).toMatchObject({ ask: true, hello: false });
    expect(shown()).toEqual(["100.1 ringing"]);
    expect(picture.stale).toBe(true);
    picture.take_calls(calls("e1", 3), NOW);
    expect(picture.stale).toBe(false);
    expect(shown()).toEqual([]);
  });

  it("of a new epoch ask, and say hello to a bridge that may not know us", () => {
    picture.take(message(call()), NOW);
    expect(picture.take(sync("e2", 0), NOW)).toMatchObject({ ask: true, hello: true });
    expect(picture.take(message(call({ epoch: "e2", seq: "1", leg: "9.1", id: "hq:9.0" })), NOW)).toMatchObject({ ask: false });
  });

  it.each([[1, false], [2, true], [0, true]])("a sync at %i after notice 1 asks: %s", (seq, wanted) => {
    picture.take(message(call()), NOW);
    expect(picture.take(sync("e1", seq), NOW).ask).toBe(wanted);
  });

  it("count links, agents and words of the future, too", () => {
    expect(picture.take(message(part("link", { to: "pbx", name: "hq", state: "down", since: START, epoch: "e1", seq: "1" })), NOW).ask).toBe(false);
    expect(picture.take(message(part("agent", { state: "ready", epoch: "e1", seq: "2" })), NOW).ask).toBe(false);
    expect(picture.take(message(call({ seq: "3", state: "teleported" })), NOW).ask).toBe(false);
    expect(picture.take(message(call({ seq: "4" })), NOW).ask).toBe(false);
    expect(picture.links).toEqual([{ to: "pbx", name: "hq", up: false, since: START }]);
    expect(picture.agent?.state).toBe("ready");
    expect(picture.stale).toBe(false);
  });

  it("that are older than what is shown change nothing", () => {
    picture.take(message(call({ seq: "1", state: "answered" })), NOW);
    expect(picture.take(message(call({ seq: "1" })), NOW).changes).toEqual([]);
    expect(shown()).toEqual(["100.1 answered"]);
  });

  it("come from the first stream on: before any answer the first notice asks", () => {
    expect(new Picture().take(message(call({ seq: "7" })), NOW)).toMatchObject({ ask: true, hello: false });
  });
});

describe("the answer to <calls/>", () => {
  it("replaces everything: what is not in it is over, what is in it is shown", () => {
    picture.take(message(call()), NOW);
    const outcome = picture.take_calls(calls("e1", 9, call({ leg: "5.1", id: "hq:5", state: "answered", at: at(50) })), NOW);
    expect(shown()).toEqual(["5.1 answered"]);
    expect(picture.ended.map((one) => `${one.call.leg} ${one.call.cause}`)).toEqual(["100.1 undefined"]);
    expect(outcome.changes.map((one) => `${one.call.leg} ${one.call.state} ${one.fresh}`)).toEqual(["100.1 ended false", "5.1 answered false"]);
    expect(picture.take(message(call({ leg: "5.1", id: "hq:5", seq: "10", state: "ended", cause: "hangup" })), NOW).ask).toBe(false);
  });

  it("keeps since when a call that goes on lasts", () => {
    picture.take(message(call({ state: "answered", at: at(5) })), NOW);
    picture.take_calls(calls("e1", 1, call({ state: "answered", at: at(30) })), NOW);
    expect(picture.calls[0]?.since).toBe(time_of(at(5)));
  });

  it("shows no ended call as current", () => {
    picture.take_calls(calls("e1", 1, call({ state: "ended" })), NOW);
    expect(shown()).toEqual([]);
  });
});

describe("other messages", () => {
  it("that are old are not shown", () => {
    const old = message(call(), element("delay", "urn:xmpp:delay", { stamp: START }));
    expect(picture.take(old, NOW).changes).toEqual([]);
    expect(shown()).toEqual([]);
  });

  it("of other namespaces are not read", () => {
    expect(picture.take(message(element("call", "urn:evil", {})), NOW)).toEqual({ ask: false, hello: false, changes: [] });
  });
});

describe("what supervisors are told of others", () => {
  it("is counted and is not their own state", () => {
    picture.own = "anna@example.org";
    picture.take(message(part("agent", { jid: "anna@example.org", state: "ready", epoch: "e1", seq: "1" })), NOW);
    expect(picture.take(message(part("agent", { jid: "boris@example.org", state: "not-ready", epoch: "e1", seq: "2" })), NOW).ask).toBe(false);
    expect(picture.agent?.state).toBe("ready");
    expect(picture.seq).toBe(2);
  });
});

describe("a claim of a colleague", () => {
  it("asks for the lists, with and without a number", () => {
    expect(picture.take(message(part("claimed", { id: "hq:1", by: "boris@example.org", epoch: "e1", seq: "1" })), NOW)).toMatchObject({ claimed: true, ask: false });
    expect(picture.take(message(part("claimed", { id: "hq:1", by: "boris@example.org" })), NOW)).toMatchObject({ claimed: true, ask: false });
    expect(picture.take(message(call({ seq: "2" })), NOW).ask).toBe(false);
  });
});

describe("links", () => {
  it("of a daemon's earlier life are forgotten", () => {
    picture.take(message(part("link", { to: "crm", name: "crm", state: "down", epoch: "e1", seq: "1" })), NOW);
    picture.take(sync("e2", 0), NOW);
    expect(picture.links).toEqual([]);
  });

  it("are one per name", () => {
    for (const [seq, state] of [["1", "down"], ["2", "up"]] as const) picture.take(message(part("link", { to: "pbx", name: "hq", state, epoch: "e1", seq })), NOW);
    expect(picture.links).toMatchObject([{ name: "hq", up: true }]);
  });
});

describe("the bridge's clock", () => {
  it("is known from the quickest notice of a stream", () => {
    picture.take(message(call({ at: at(0) })), NOW + 40); // 40 ms on the way
    expect(picture.skew).toBe(100_040);
    picture.take(message(call({ seq: "2", at: at(1) })), NOW + 9000); // queued somewhere
    expect(picture.skew).toBe(100_040);
    picture.lost();
    picture.take(message(call({ seq: "3", at: at(2) })), NOW + 2500); // the clock was set meanwhile
    expect(picture.skew).toBe(100_500);
  });
});

describe("memory", () => {
  it("keeps the last fifty ended calls of a thousand", () => {
    for (let n = 0; n < 1000; n += 1) {
      const one = { leg: `${n}.1`, id: `hq:${n}` };
      picture.take(message(call({ ...one, seq: String(2 * n + 1) })), NOW);
      picture.take(message(call({ ...one, seq: String(2 * n + 2), state: "ended", cause: "hangup" })), NOW);
    }
    expect(picture.ended).toHaveLength(50);
    expect(picture.ended[0]?.call.leg).toBe("999.1");
    expect(picture.calls).toEqual([]);
  });
});

// Whatever is lost on the way: as soon as a sync was heard and its answer is here, the picture is the server's.
describe("any loss", () => {
  it("is mended by the next sync", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      let state = seed;
      const random = (below: number) => {
        state = (state * 48_271) % 2_147_483_647;
        return state % below;
      };
      const server = new Map<string, ReturnType<typeof call>>();
      let seq = 0;
      const answer = () => calls("e1", seq, ...server.values());
      picture = new Picture();
      picture.take_calls(answer(), NOW);
      for (let step = 0; step < 40; step += 1) {
        const leg = `${random(4)}.1`;
        const over = server.has(leg) && random(2) === 0;
        seq += 1;
        const notice = call({ leg, id: `hq:${leg}`, seq: String(seq), state: over ? "ended" : server.has(leg) ? "answered" : "ringing" });
        if (over) server.delete(leg);
        else server.set(leg, notice);
        if (random(3) > 0 && picture.take(message(notice), NOW).ask) picture.take_calls(answer(), NOW);
      }
      if (picture.take(sync("e1", seq), NOW).ask) picture.take_calls(answer(), NOW);
      const wanted = [...server.values()].map((one) => `${one.attrs["leg"] ?? ""} ${one.attrs["state"] ?? ""}`).sort();
      expect(shown().sort(), `seed ${seed}`).toEqual(wanted);
      expect(picture.stale).toBe(false);
    }
  });
});

describe("what else the answer to <calls/> tells", () => {
  const link = (to: string, name: string, state: string) => element("link", "urn:ctibridge:1", { to, name, state });
  it("is how the links are, whatever was told before", () => {
    picture.take(message(element("link", "urn:ctibridge:1", { to: "crm", name: "", state: "down", epoch: "e1", seq: "1" })), NOW);
    picture.take_calls(calls("e1", 1, link("pbx", "hq", "down"), link("crm", "", "up")), NOW);
    expect(picture.links.map((one) => [one.to, one.name, one.up])).toEqual([["pbx", "hq", false], ["crm", "", true]]);
  });
  it("is nothing where an older bridge says nothing of links", () => {
    picture.take(message(element("link", "urn:ctibridge:1", { to: "crm", name: "", state: "down", epoch: "e1", seq: "1" })), NOW);
    picture.take_calls(calls("e1", 1), NOW);
    expect(picture.links.map((one) => one.up)).toEqual([false]);
  });
});

describe("the states of others", () => {
  const agent = (jid: string, state: string) => element("agent", "urn:ctibridge:1", { jid, state });
  it("are kept beside one's own, the newest of each", () => {
    picture.own = "clara@example.org";
    for (const one of [agent("anna@example.org", "ready"), agent("clara@example.org", "talking"), agent("anna@example.org", "not-ready"), agent("boris@example.org", "no such state")]) picture.take_agent(one);
    expect(picture.agent?.state).toBe("talking");
    expect([...picture.team].map(([jid, one]) => [jid, one.state])).toEqual([["anna@example.org", "not-ready"]]);
  });
});
