// The operator's console without page or looks: joins the session with the picture and keeps what is shown as signals. Runs in a page, and in the
// worker that keeps the session of the CRM's pages.
import { batch, computed, signal } from "@preact/signals";
import { me_of, type Me } from "../core/agent";
import type { Config } from "../core/config";
import type { Element as Xml } from "../core/element";
import { directory_of, history_of, type Colleague, type Past } from "../core/history";
import { Picture, type Change, type Outcome } from "../core/picture";
import { ask, is_bridge_away, type Request } from "../core/request";
import type { Keys } from "../xmpp/keys";
import { Refused, Session, type Status } from "../xmpp/session";
import type { Ability, Answer, HistoryKind } from "./desk";

/** What outlives the page or worker. */
export interface Keeper {
  readonly resource: { get(): string; renew(): void };
  /** Signed in: with these keys it is done again. */
  keys(jid: string, keys: Keys): void;
  /** Signed out, or the keys are refused. */
  clear(): void;
}

const SYNC_EVERY = 20_000; // the bridge's promise
const BRIDGE_RETRY = 10_000;
const HISTORY_SIZE = 30;
const TEAM_SIZE = 100;

export class Model {
  // ---- what is shown ----
  readonly status = signal<Status>({ kind: "out", why: "" });
  readonly jid = signal("");
  readonly resuming = signal(true); // signed in before: no form is shown until that has failed
  readonly bridge = signal<"unknown" | "up" | "away" | "stranger">("unknown"); // stranger: we are no operator here
  readonly version = signal(0); // of the picture
  readonly me = signal<Me | undefined>(undefined);
  readonly abilities = signal<ReadonlySet<Ability>>(new Set());
  readonly history = signal<readonly Past[]>([]);
  readonly history_kind = signal<HistoryKind>("all");
  readonly directory = signal<readonly Colleague[]>([]);
  readonly absent = signal<ReadonlySet<string>>(new Set()); // the bridge answered that it has no such function
  readonly picture: Picture;

  readonly calls = computed(() => (this.version.value, this.picture.calls));
  readonly ended = computed(() => (this.version.value, this.picture.ended));
  readonly agent = computed(() => (this.version.value, this.picture.agent));
  readonly team = computed(() => (this.version.value, this.picture.team));
  readonly links = computed(() => (this.version.value, this.picture.links));
  /** What is shown may be old. */
  readonly stale = computed(() => (this.version.value, this.picture.stale));

  /** What is shown is what is going on, and what is asked is done. */
  readonly live = computed(() => this.status.value.kind === "online" && this.bridge.value === "up");

  private readonly session: Session;
  private asking = false;
  private ask_again = false;
  private heard = 0; // when the bridge last said anything
  private watch: ReturnType<typeof setInterval> | undefined;
  protected keys: Keys | undefined;

  constructor(readonly config: Config, private readonly keeper: Keeper) {
    this.picture = new Picture(config.schemes);
    this.session = new Session(config, keeper.resource, {
      status: (status) => this.entered(status),
      message: (stanza) => this.message(stanza),
      presence: (stanza) => this.presence(stanza),
      keys: (keys) => {
        this.keys = keys;
        keeper.keys(this.jid.value, keys);
      },
    });
  }

  // ---- sign in and out ----

  sign_in(jid: string, secret: string | Keys): void {
    this.jid.value = this.picture.own = jid;
    this.session.sign_in(jid, secret);
  }

  sign_out(): void {
    this.keeper.clear();
    this.keys = undefined;
    this.session.sign_out();
  }

  retry(): void {
    this.session.nudge();
  }

  // ---- the session ----

  protected entered(status: Status): void {
    const before = this.status.value.kind;
    batch(() => {
      this.status.value = status;
      if (status.kind === "online") {
        this.bridge.value = "unknown";
        this.greet();
        this.watch = setInterval(() => this.look(), 5000);
        return;
      }
      clearInterval(this.watch);
      if (before === "online") {
        this.picture.lost();
        this.shown([]);
      }
      if (status.kind === "out") this.resuming.value = false;
      if (status.kind === "out") this.forget(status.why === "password");
    });
  }

  protected forget(wrong: boolean): void {
    if (wrong) this.keeper.clear();
    batch(() => {
      Object.assign(this.picture, new Picture(this.config.schemes, this.jid.value));
      [this.me.value, this.abilities.value, this.history.value, this.directory.value] = [undefined, new Set(), [], []];
      this.bridge.value = "unknown";
      this.asking = this.ask_again = false;
      this.absent.value = new Set();
      this.shown([]);
    });
  }

  /** Says that we are a console, and asks everything. */
  private greet(): void {
    this.heard = Date.now();
    this.session.send_presence(this.config.component);
    void this.refresh();
    void this.introduce();
  }

  private async introduce(): Promise<void> {
    const me = await this.try(ask.me());
    if (me) this.me.value = me_of(me);
    // A bridge that names one of these names all it has; an older one is asked.
    const named = this.me.value?.features;
    const told = named?.has("directory") === true || named?.has("history") === true;
    const missing = (one: Ability) => told && !named.has(one);
    for (const one of ["directory", "history"] as const) if (missing(one)) this.able(one, false);
    await Promise.all((["directory", "history"] as const).filter((one) => !missing(one)).map((one) => this.learn(one)));
    await this.load_team();
  }

  /** The states of those one is responsible for: asked once, told from then on. Who is somebody else's is refused, and not shown. */
  private async load_team(): Promise<void> {
    const roles = this.me.value?.roles ?? [];
    if (!roles.includes("supervisor") && !roles.includes("administrator")) return;
    for (const { jid } of this.directory.value.slice(0, TEAM_SIZE)) {
      if (jid === undefined || this.status.value.kind !== "online") continue;
      const agent = await this.try(ask.agent_of(jid));
      if (agent) this.picture.take_agent(agent);
    }
    this.shown([]);
  }

  private async learn(ability: Ability): Promise<void> {
    if (ability === "directory") {
      const answer = await this.try(ask.directory());
      if (answer) this.directory.value = directory_of(answer);
      this.able(ability, answer !== undefined);
    } else {
      await this.load_history(this.history_kind.value);
    }
  }

  async load_history(kind: HistoryKind, before?: string): Promise<void> {
    this.history_kind.value = kind;
    const answer = await this.try(ask.history(kind, HISTORY_SIZE, before));
    this.able("history", answer !== undefined);
    if (!answer || this.history_kind.value !== kind) return;
    const found = history_of(answer, this.config.schemes);
    this.history.value = before === undefined ? found : [...this.history.value, ...found];
  }

  async load_directory(): Promise<void> {
    if (this.abilities.value.has("directory")) await this.learn("directory");
  }

  private able(ability: Ability, is: boolean): void {
    const now = new Set(this.abilities.value);
    if (is) now.add(ability);
    else now.delete(ability);
    this.abilities.value = now;
  }

  /** The result's payload; nothing when it was refused: whatever is missing is not shown. */
  private async try(request: Request): Promise<Xml | undefined> {
    try {
      return (await this.session.request(this.config.component, request)).children[0];
    } catch {
      return undefined;
    }
  }

  /** Asks for the whole picture: once at a time, and once more if another gap was seen meanwhile. */
  private async refresh(): Promise<void> {
    if (this.asking) {
      this.ask_again = true;
      return;
    }
    this.asking = true;
    try {
      do {
        this.ask_again = false;
        await this.ask_calls();
      } while (this.must_ask_again());
    } finally {
      this.asking = false;
    }
  }

  private must_ask_again(): boolean {
    return this.ask_again && this.status.value.kind === "online";
  }

  private async ask_calls(): Promise<void> {
    try {
      const answer = (await this.session.request(this.config.component, ask.calls())).children[0];
      this.heard = Date.now();
      this.bridge.value = "up";
      if (answer) this.take(this.picture.take_calls(answer, Date.now()));
      const agent = await this.try(ask.agent());
      this.able("agent", agent !== undefined);
      if (agent) {
        this.picture.take_agent(agent);
        this.shown([]);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.refusal.condition === "forbidden") this.bridge.value = "stranger";
      else if (error.refusal.condition !== "offline" && is_bridge_away(error.refusal)) this.away();
    }
  }

  private away(): void {
    this.bridge.value = "away";
    this.picture.lost();
    this.shown([]);
  }

  /** The bridge speaks every 20 s; when it is silent for longer, it is asked whether it is there. */
  private look(): void {
    const silent = Date.now() - this.heard;
    if (this.bridge.value === "away" ? silent < BRIDGE_RETRY : silent < 2 * SYNC_EVERY + 5000) return;
    this.heard = Date.now();
    this.session.ping(this.config.component).then(
      () => this.greet(), // it is there and did not speak: it does not know us, or did not count us among the operators yet
      (error: unknown) => {
        if (error instanceof Refused && error.refusal.condition !== "offline") this.away();
      },
    );
  }

  private message(stanza: Xml): void {
    // Anybody can send us a <call/>; only the bridge is believed.
    if (stanza.attrs["from"] !== this.config.component || stanza.attrs["type"] === "error") return;
    this.heard = Date.now();
    if (this.bridge.value === "away") {
      this.bridge.value = "up";
      this.greet();
    }
    this.take(this.picture.take(stanza, Date.now()));
  }

  private presence(stanza: Xml): void {
    if (stanza.attrs["from"] !== this.config.component) return;
    const type = stanza.attrs["type"];
    if (type === "unavailable") this.away();
    else if (type === undefined && this.bridge.value === "away") this.greet();
  }

  private take(outcome: Outcome): void {
    if (outcome.hello) this.session.send_presence(this.config.component);
    if (outcome.ask) void this.refresh();
    if (outcome.claimed && this.abilities.value.has("history")) void this.load_history(this.history_kind.value);
    this.shown(outcome.changes);
  }

  protected shown(changes: readonly Change[]): void {
    this.version.value += 1;
    // The list of the past is the server's; a call that ended is in it a moment later.
    if (changes.some((one) => one.call.state === "ended") && this.abilities.value.has("history")) setTimeout(() => void this.load_history(this.history_kind.value), 1000);
  }

  /** What the bridge answered, or why it did not. */
  async ask(request: Request): Promise<Answer> {
    try {
      return { xml: await this.session.request(this.config.component, request) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.refusal.absent) this.absent.value = new Set([...this.absent.value, request.payload.name]);
      return { refusal: error.refusal };
    }
  }
}
