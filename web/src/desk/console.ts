// The console in its own page: the model with what a page adds: settings, tabs, sound, notifications, windows, what is being written.
import { batch, signal } from "@preact/signals";
import type { Call } from "../core/call";
import type { Config } from "../core/config";
import type { Element as Xml } from "../core/element";
import type { Change } from "../core/picture";
import { ask, type Request } from "../core/request";
import type { Status } from "../xmpp/session";
import { has_feature, Notices, record_of, takes_notes, type Desk, type Notice } from "./desk";
import { Drafts } from "./drafts";
import { Model } from "./model";
import { login, resource, settings, type Login } from "./storage";
import { Tabs } from "./tabs";
import { Triggers } from "./triggers";

export class Console extends Model implements Desk {
  readonly domain: string;
  readonly settings = signal(settings.load());
  readonly dial_text = signal("");
  readonly silent = signal(false); // the sound is off for the calls that ring now
  readonly blocked = signal(false); // the browser plays no sound yet
  readonly ringing = signal(false);
  readonly permission = signal("Notification" in window ? Notification.permission : "denied");
  readonly drafts = new Drafts();
  private readonly board = new Notices();
  readonly notices = this.board.shown;

  private readonly tabs: Tabs;
  private readonly triggers: Triggers;
  private stay = login.is_kept();

  constructor(config: Config) {
    super(config, {
      resource,
      keys: (jid, keys) => login.save({ jid, keys }, this.stay),
      clear: () => login.clear(),
    });
    this.domain = config.domain;
    this.triggers = new Triggers(config, this);
    this.tabs = new Tabs(
      () => (this.status.value.kind === "online" ? this.login() : undefined),
      () => super.sign_out(),
    );
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retry();
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
    super.sign_in(known.jid, known.keys);
    return true;
  }

  override sign_in(jid: string, password: string, stay = false): void {
    this.stay = stay;
    super.sign_in(jid, password);
  }

  override sign_out(): void {
    this.tabs.sign_out();
    super.sign_out();
  }

  private login(): Login | undefined {
    return this.keys === undefined ? undefined : { jid: this.jid.value, keys: this.keys };
  }

  // ---- what happens ----

  protected override entered(status: Status): void {
    batch(() => {
      const before = this.status.value.kind;
      if (status.kind === "online") this.tabs.lead((leads) => this.triggers.lead(leads));
      else if (before === "online") this.tabs.yield_lead();
      super.entered(status);
    });
  }

  protected override forget(wrong: boolean): void {
    batch(() => {
      this.notices.value = [];
      this.drafts.clear();
      super.forget(wrong);
    });
  }

  protected override shown(changes: readonly Change[]): void {
    if (!this.calls.peek().some((one) => one.call.state === "ringing")) this.silent.value = false;
    super.shown(changes);
    for (const { call } of changes) if (call.replaces !== undefined) this.drafts.rename(call.replaces, call.id);
    this.triggers.changed(changes);
  }

  // ---- what the operator does ----

  async act(request: Request): Promise<Xml | undefined> {
    return this.board.take(await this.ask(request));
  }

  async claim(id: string): Promise<void> {
    if ((await this.act(ask.claim(id))) !== undefined) await this.load_history(this.history_kind.value);
  }

  open(url: string): void {
    this.triggers.open(url);
  }

  open_record(call: Call): void {
    const url = record_of(call);
    if (url !== undefined) this.open(url);
  }

  has(feature: string): boolean {
    return has_feature(this, feature);
  }

  may_note(service: string | undefined): boolean {
    return takes_notes(this, service);
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
    this.board.tell(notice);
  }

  dismiss(id: number): void {
    this.board.dismiss(id);
  }

  now(): number {
    return Date.now() - this.picture.skew;
  }
}
