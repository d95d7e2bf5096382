// One XMPP session that comes back by itself, in a page or in a worker. Knows streams, sign-in and liveness; nothing of calls.
import { Strophe } from "strophe.js";
import { element, type Element as Xml } from "../core/element";
import { refusal_of, type Refusal, type Request } from "../core/request";
import { wait_before } from "../core/retry";
import { from_dom, iq, presence } from "./dom";
import { are_keys, type Keys } from "./keys";

type Connection = InstanceType<typeof Strophe.Connection>;
type Timer = ReturnType<typeof setTimeout>;

export type Status =
  | { readonly kind: "out"; readonly why: "" | "password" | "mechanism" | "unreachable" }
  | { readonly kind: "connecting"; readonly again: boolean }
  | { readonly kind: "online" }
  | { readonly kind: "waiting"; readonly until: number };

export interface Ears {
  status(status: Status): void;
  message(stanza: Xml): void;
  presence(stanza: Xml): void;
  keys(keys: Keys): void;
}

export interface Endpoints {
  readonly websocket: string | undefined;
  readonly bosh: string | undefined;
}

// What it would complain of, a lost network mostly, is shown to the operator in words.
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

const OPEN_WITHIN = 15_000; // from the first byte to the session
const PING_EVERY = 20_000;
const PING_WITHIN = 10_000;
const ANSWER_WITHIN = 20_000;

/** An answer that is an error, or none. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.text || refusal.condition);
  }
}

const OFFLINE: Refusal = { condition: "offline", text: "", rule: undefined, absent: false };

export class Session {
  private connection: Connection | undefined;
  private status: Status = { kind: "out", why: "" };
  private jid = "";
  private secret: string | Keys = "";
  private was_online = false; // since sign_in: from then on, a loss is mended, not told as a refusal
  private attempt = 0;
  private endpoint = 0;
  private timer: Timer | undefined;
  private pulse: Timer | undefined;
  private readonly services: readonly string[];
  private readonly open = new Map<string, { to: string; resolve: (answer: Xml) => void; reject: (why: Refused) => void; timer: Timer }>();

  constructor(endpoints: Endpoints, private readonly resource: { get(): string; renew(): void }, private readonly ears: Ears) {
    this.services = [endpoints.websocket, endpoints.bosh].filter((one) => one !== undefined);
    addEventListener("online", () => this.nudge());
    addEventListener("offline", () => this.check(2000));
  }

  sign_in(jid: string, secret: string | Keys): void {
    this.drop();
    [this.jid, this.secret, this.was_online, this.attempt, this.endpoint] = [jid, secret, false, 0, 0];
    this.connect();
  }

  sign_out(): void {
    const connection = this.drop(true);
    this.secret = "";
    connection?.disconnect();
    this.enter({ kind: "out", why: "" });
  }

  /** The network may be back: now, not at the end of the wait. */
  nudge(): void {
    if (this.status.kind === "waiting") {
      this.attempt = 0;
      this.connect();
    } else if (this.status.kind === "online") {
      this.check(5000);
    }
  }

  send_presence(to: string): void {
    if (this.status.kind === "online") this.connection?.send(presence({ to }));
  }

  request(to: string, what: Request, within = ANSWER_WITHIN): Promise<Xml> {
    const connection = this.connection;
    if (this.status.kind !== "online" || !connection) return Promise.reject(new Refused(OFFLINE));
    const id = `c${crypto.randomUUID()}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.answered(id, undefined), within);
      this.open.set(id, { to, resolve, reject, timer });
      connection.send(iq({ type: what.type, to, id }, what.payload));
    });
  }

  private answered(id: string, answer: Xml | undefined, refusal = refusal_of(answer)): void {
    const asked = this.open.get(id);
    // From whom it was asked; the server leaves its own name out.
    if (!asked || (answer?.attrs["from"] !== undefined && answer.attrs["from"] !== asked.to)) return;
    this.open.delete(id);
    clearTimeout(asked.timer);
    if (answer?.attrs["type"] === "result") asked.resolve(answer);
    else asked.reject(new Refused(refusal));
  }

  ping(to: string, within = PING_WITHIN): Promise<Xml> {
    return this.request(to, { type: "get", payload: element("ping", "urn:xmpp:ping") }, within);
  }

  // ---- streams ----

  private connect(): void {
    this.drop();
    const service = this.services[this.endpoint % this.services.length] ?? "";
    // SCRAM only: the password itself never goes to a server, not even to a false one.
    const connection = new Strophe.Connection(service, { mechanisms: [Strophe.SASLSHA512, Strophe.SASLSHA384, Strophe.SASLSHA256, Strophe.SASLSHA1] });
    // BOSH tries a failed request again by itself, for minutes: whether the server is there is asked at the first one.
    for (const status of [0, 502, 503, 504]) connection.addProtocolErrorHandler("HTTP", status, () => this.check(3000));
    this.connection = connection;
    this.enter({ kind: "connecting", again: this.was_online });
    this.timer = setTimeout(() => this.failed(connection), OPEN_WITHIN);
    connection.connect(`${this.jid}/${this.resource.get()}`, this.secret, (status, condition, stanza) => {
      // Old connections talk on for a while; nobody listens.
      if (this.connection === connection) this.changed(connection, status, condition ?? "", stanza ? from_dom(stanza) : undefined);
    });
  }

  private changed(connection: Connection, status: number, condition: string, stanza?: Xml): void {
    switch (status) {
      case Strophe.Status.CONNECTED:
        return this.online(connection);
      case Strophe.Status.AUTHFAIL:
        // The server cannot look passwords up at present: that is no wrong password.
        if (stanza?.children.some((one) => one.name === "temporary-auth-failure")) return this.failed(connection);
        return this.refused("password");
      case Strophe.Status.CONNFAIL:
        if (condition === Strophe.ErrorCondition.NO_AUTH_MECH) return this.refused("mechanism");
        return this.failed(connection, condition);
      case Strophe.Status.ERROR:
      case Strophe.Status.CONNTIMEOUT:
      case Strophe.Status.DISCONNECTED:
        return this.failed(connection, condition);
      default:
    }
  }

  private online(connection: Connection): void {
    clearTimeout(this.timer);
    this.was_online = true;
    this.attempt = 0;
    const keys: unknown = connection.scram_keys;
    if (are_keys(keys)) {
      this.secret = keys; // the password is needed no more
      this.ears.keys(keys);
    }
    const on = (name: string, type: string[] | null, take: (stanza: Xml) => void) =>
      connection.addHandler((stanza: Element) => this.hear(() => take(from_dom(stanza))), null, name, type);
    on("message", null, (stanza) => this.ears.message(stanza));
    on("presence", null, (stanza) => this.ears.presence(stanza));
    on("iq", ["get", "set"], (stanza) => this.answer(connection, stanza));
    on("iq", ["result", "error"], (stanza) => this.answered(stanza.attrs["id"] ?? "", stanza));
    connection.send(presence());
    this.pulse = setInterval(() => this.check(PING_WITHIN), PING_EVERY);
    this.enter({ kind: "online" });
  }

  // A handler that throws is taken away by strophe: one odd stanza must not make us deaf.
  private hear(take: () => void): boolean {
    try {
      take();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
    return true;
  }

  // What others may ask a client: whether it is there.
  private answer(connection: Connection, asked: Xml): void {
    const { from, id } = asked.attrs;
    const head: Record<string, string> = { id: id ?? "", ...(from === undefined ? {} : { to: from }) };
    const what = asked.children[0];
    if (asked.attrs["type"] === "get" && what?.ns === "urn:xmpp:ping") return connection.send(iq({ ...head, type: "result" }));
    if (asked.attrs["type"] === "get" && what?.ns === "http://jabber.org/protocol/disco#info") {
      const parts = [
        element("identity", what.ns, { category: "client", type: "web", name: "ctibridge console" }),
        ...[what.ns, "urn:xmpp:ping", "urn:ctibridge:1"].map((name) => element("feature", "http://jabber.org/protocol/disco#info", { var: name })),
      ];
      return connection.send(iq({ ...head, type: "result" }, element("query", what.ns, { node: what.attrs["node"] }, parts)));
    }
    const error = element("error", "jabber:client", { type: "cancel" }, [element("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas")]);
    connection.send(iq({ ...head, type: "error" }, error));
  }

  private check(within: number): void {
    const connection = this.connection;
    if (this.status.kind !== "online" || !connection) return;
    this.ping(this.jid.replace(/^.*@/, ""), within).catch((error: unknown) => {
      // An error is an answer, too.
      if (error instanceof Refused && error.refusal.condition === "timeout") this.failed(connection);
    });
  }

  private failed(connection: Connection, condition = ""): void {
    if (this.connection !== connection) return;
    // Another tab came with our name (a duplicated tab has our storage): it keeps it.
    if (condition === "conflict") this.resource.renew();
    const opened = this.status.kind === "online";
    this.drop();
    if (!opened) this.endpoint += 1; // the other door, if there are two
    // The first time, every door is tried once before the operator is told.
    if (!this.was_online && this.endpoint >= this.services.length) return this.enter({ kind: "out", why: "unreachable" });
    this.attempt += 1;
    const wait = this.was_online ? wait_before(this.attempt, Math.random()) : 0;
    this.timer = setTimeout(() => this.connect(), wait);
    this.enter(this.was_online ? { kind: "waiting", until: Date.now() + wait } : { kind: "connecting", again: false });
  }

  private refused(why: "password" | "mechanism"): void {
    this.drop();
    this.secret = "";
    this.enter({ kind: "out", why });
  }

  /** Ends what there is, without waiting for anybody. */
  private drop(gently = false): Connection | undefined {
    clearTimeout(this.timer);
    clearInterval(this.pulse);
    const connection = this.connection;
    this.connection = undefined;
    for (const id of [...this.open.keys()]) this.answered(id, undefined, OFFLINE);
    if (connection) connection.connect_callback = null;
    if (connection && !gently) {
      // disconnect() would wait for a server that may not be there.
      connection._proto._abortAllRequests();
      connection._proto._doDisconnect();
      connection.reset();
    }
    return connection;
  }

  private enter(status: Status): void {
    this.status = status;
    this.ears.status(status);
  }
}
