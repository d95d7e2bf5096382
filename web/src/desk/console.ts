// The operator's console without its looks: joins the session with the picture and keeps what is shown as signals.
import { batch, computed, signal } from "@preact/signals";
import { codes_for, me_of, type Me } from "../core/agent";
import type { Call } from "../core/call";
import type { Config } from "../core/config";
import type { Element as Xml } from "../core/element";
import { directory_of, history_of, type Colleague, type Past } from "../core/history";
import { Picture, type Change, type Outcome } from "../core/picture";
import { ask, is_bridge_away, type Refusal, type Request } from "../core/request";
import { Refused, Session, type Keys, type Status } from "../xmpp/session";
import { Drafts } from "./drafts";
import { login, resource, settings, type Login } from "./storage";
import { Tabs } from "./tabs";
import { Triggers } from "./triggers";

/** What the bridge can do here: found out by asking, since a button that is refused is worse than none. */
export type Ability = "agent" | "history" | "directory";

export interface Notice {
  readonly id: number;
  readonly text: Refusal | { readonly key: string; readonly values?: Readonly<Record<string, string>> };
  readonly link?: string;
  readonly good?: boolean; // told, not complained of
}

export type HistoryKind = "all" | "missed" | "abandoned";

const SYNC_EVERY = 20_000; // the bridge's promise
const BRIDGE_RETRY = 10_000;
const HISTORY_SIZE = 30;

export class Console {
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
  readonly notices = signal<readonly Notice[]>([]);
  readonly settings = signal(settings.load());
  private readonly absent = signal<ReadonlySet<string>>(new Set()); // the bridge answered that it has no such function
  readonly dial_text = signal("");
  readonly silent = signal(false); // the sound is off for the calls that ring now
  readonly blocked = signal(false); // the browser plays no sound yet
  readonly ringing = signal(false);
  readonly permission = signal("Notification" in window ? Notification.permission : "denied");
  readonly picture: Picture;
  readonly drafts = new Drafts();

  readonly calls = computed(() => (this.version.value, this.picture.calls));
  readonly ended = computed(() => (this.version.value, this.picture.ended));
  readonly agent = computed(() => (this.version.value, this.picture.agent));
  readonly links = computed(() => (this.version.value, this.picture.links));
  /** What is shown may be old. */
  readonly stale = computed(() => (this.version.value, this.picture.stale));

  /** What is shown is what is going on, and what is asked is done. */
  readonly live = computed(() => this.status.value.kind === "online" && this.bridge.value === "up");

  private readonly session: Session;
  private readonly tabs: Tabs;
  private readonly triggers: Triggers;
  private asking = false;
  private ask_again = false;
  private heard = 0; // when the bridge last said anything
  private watch: number | undefined;
  private stay = login.is_kept();
  private keys: Keys | undefined;
  private notice_id = 0;

  constructor(readonly config: Config) {
    this.picture = new Picture(config.schemes);
    this.triggers = new Triggers(config, this);
    this.tabs = new Tabs(
      () => (this.status.value.kind === "online" ? this.login() : undefined),
      () => this.leave(),
    );
    this.session = new Session(config, resource, {
      status: (status) => this.entered(status),
      message: (stanza) => this.message(stanza),
      presence: (stanza) => this.presence(stanza),
      keys: (keys) => {
        this.keys = keys;
        login.save({ jid: this.jid.value, keys }, this.stay);
      },
    });
  }

  // ---- sign in and out ----

  /** As this tab or another one was signed in before. */
  async resume(): Promise<boolean> {
    const known = login.load() ?? (await this.tabs.ask_login());
    if (!known) {
      this.resuming.value = false;
      return false;
    }
    this.jid.value = this.picture.own = known.jid;
    this.session.sign_in(known.jid, known.keys);
    return true;
  }

  sign_in(jid: string, password: string, stay: boolean): void {
    this.stay = stay;
    this.jid.value = this.picture.own = jid;
    this.session.sign_in(jid, password);
  }

  sign_out(): void {
    this.tabs.sign_out();
    this.leave();
  }

  private leave(): void {
    login.clear();
    this.keys = undefined;
    this.session.sign_out();
  }

  private login(): Login | undefined {
    return this.keys === undefined ? undefined : { jid: this.jid.value, keys: this.keys };
  }

  retry(): void {
    this.session.nudge();
  }

  // ---- the session ----

  private entered(status: Status): void {
    const before = this.status.value.kind;
    batch(() => {
      this.status.value = status;
      if (status.kind === "online") {
        this.bridge.value = "unknown";
        this.tabs.lead((leads) => this.triggers.lead(leads));
        this.greet();
        this.watch = window.setInterval(() => this.look(), 5000);
        return;
      }
      window.clearInterval(this.watch);
      if (before === "online") {
        this.tabs.yield_lead();
        this.picture.lost();
        this.shown([]);
      }
      if (status.kind === "out") this.resuming.value = false;
      if (status.kind === "out") this.forget(status.why === "password");
    });
  }

  private forget(wrong: boolean): void {
    if (wrong) login.clear();
    batch(() => {
      Object.assign(this.picture, new Picture(this.config.schemes, this.jid.value));
      [this.me.value, this.abilities.value, this.history.value, this.directory.value] = [undefined, new Set(), [], []];
      [this.notices.value, this.bridge.value] = [[], "unknown"];
      this.asking = this.ask_again = false;
      this.drafts.clear();
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
    await Promise.all([this.learn("directory"), this.learn("history")]);
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

  has(feature: string): boolean {
    return !this.absent.value.has(feature) && (this.me.value?.features.has(feature) ?? false);
  }

  /** Whether calls of this service take notes: a bridge that keeps the past keeps what is noted of it. */
  may_note(service: string | undefined): boolean {
    return !this.absent.value.has("note") && (this.has("note") || this.abilities.value.has("history") || codes_for(this.me.value, service).length > 0);
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

  private shown(changes: readonly Change[]): void {
    if (!this.calls.peek().some((one) => one.call.state === "ringing")) this.silent.value = false;
    this.version.value += 1;
    for (const { call } of changes) if (call.replaces !== undefined) this.drafts.rename(call.replaces, call.id);
    this.triggers.changed(changes);
    // The list of the past is the server's; a call that ended is in it a moment later.
    if (changes.some((one) => one.call.state === "ended") && this.abilities.value.has("history")) window.setTimeout(() => void this.load_history(this.history_kind.value), 1000);
  }

  // ---- what the operator does ----

  /** The answer when it was done; a refusal is shown. */
  async act(request: Request): Promise<Xml | undefined> {
    try {
      return await this.session.request(this.config.component, request);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.refusal.absent) this.absent.value = new Set([...this.absent.value, request.payload.name]);
      this.tell({ text: error.refusal });
      return undefined;
    }
  }

  async claim(id: string): Promise<void> {
    if ((await this.act(ask.claim(id))) !== undefined) await this.load_history(this.history_kind.value);
  }

  open(url: string): void {
    this.triggers.open(url);
  }

  /** The record shown with a call, by hand. */
  open_record(call: Call): void {
    const url = call.page ?? call.matches.find((match) => match.url !== undefined)?.url ?? call.create?.url;
    if (url !== undefined) this.open(url);
  }

  change_settings(change: Partial<Console["settings"]["value"]>): void {
    this.settings.value = { ...this.settings.value, ...change };
    settings.save(this.settings.value);
    this.shown([]);
  }

  /** Browsers want to be asked by a click. */
  async ask_permission(): Promise<void> {
    if ("Notification" in window) this.permission.value = await Notification.requestPermission();
  }

  tell(notice: Omit<Notice, "id">): void {
    this.notice_id += 1;
    this.notices.value = [...this.notices.value.slice(-3), { ...notice, id: this.notice_id }];
  }

  dismiss(id: number): void {
    this.notices.value = this.notices.value.filter((one) => one.id !== id);
  }

  /** The bridge's clock now. */
  now(): number {
    return Date.now() - this.picture.skew;
  }
}
