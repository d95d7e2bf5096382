// What a frame in a page of the CRM shows: the picture that the worker keeps. Nothing of it is decided here.
import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Element as Xml } from "../core/element";
import type { Request } from "../core/request";
import type { FromHub, State, ToHub } from "../worker/words";
import { has_feature, Notices, takes_notes, type Answer, type Desk, type Notice, type Seen } from "./desk";
import { Drafts } from "./drafts";
import type { Login } from "./storage";

export interface Wire {
  postMessage(message: ToHub): void;
  onmessage: ((event: MessageEvent<FromHub>) => void) | null;
}

export interface Home {
  /** What this page may sign in with, when the worker is new. */
  login(): Promise<Login | undefined>;
  resource(): string | undefined;
  keep(login: Login, stay: boolean, resource: string): void;
  forget(): void;
  signed_out(): void; // by the operator, here
  open(url: string): void;
  read_drafts(): string | undefined;
  write_drafts(text: string): void;
}

const EMPTY: State = {
  status: { kind: "out", why: "" }, jid: "", bridge: "unknown", me: undefined, abilities: new Set(), absent: new Set(), directory: [], calls: [], ended: [],
  agent: undefined, links: [], stale: true, live: false, resuming: true, skew: 0,
};

type Signals = { readonly [Key in keyof State]: Signal<State[Key]> };

export class Mirror implements Desk {
  private readonly state = Object.fromEntries(Object.entries(EMPTY).map(([key, value]) => [key, signal(value)])) as unknown as Signals;
  readonly status: Seen["status"] = this.state.status;
  readonly jid: Seen["jid"] = this.state.jid;
  readonly bridge: Seen["bridge"] = this.state.bridge;
  readonly me: Seen["me"] = this.state.me;
  readonly abilities: Seen["abilities"] = this.state.abilities;
  readonly absent: Seen["absent"] = this.state.absent;
  readonly directory: Seen["directory"] = this.state.directory;
  readonly calls: Seen["calls"] = this.state.calls;
  readonly ended: Seen["ended"] = this.state.ended;
  readonly agent: Seen["agent"] = this.state.agent;
  readonly links: Seen["links"] = this.state.links;
  readonly stale: Seen["stale"] = this.state.stale;
  readonly live: Seen["live"] = this.state.live;
  readonly resuming: Seen["resuming"] = this.state.resuming;
  readonly blocked: ReadonlySignal<boolean> = signal(false);
  readonly problem = signal(""); // of config.json
  readonly drafts: Drafts;
  private readonly board = new Notices();
  readonly notices = this.board.shown;
  domain = "";
  private greeted = false;
  private asked = 0;
  private readonly open_asks = new Map<number, (answer: Answer) => void>();

  constructor(private readonly wire: Wire, private readonly home: Home) {
    this.drafts = new Drafts({ read: () => home.read_drafts(), write: (text) => home.write_drafts(text) });
    wire.onmessage = (event) => this.hear(event.data);
  }

  private hear(said: FromHub): void {
    switch (said.say) {
      case "state":
        batch(() => {
          for (const [key, value] of Object.entries(said.state)) (this.state[key as keyof State] as Signal<unknown>).value = value;
          for (const { call } of said.state.calls ?? []) if (call.replaces !== undefined) this.drafts.rename(call.replaces, call.id);
        });
        return void this.greet();
      case "domain":
        this.domain = said.domain;
        return;
      case "keep":
        return this.home.keep(said.login, said.stay, said.resource);
      case "forget":
        this.drafts.clear();
        return this.home.forget();
      case "problem":
        this.problem.value = said.text;
        return;
      case "answer":
        this.open_asks.get(said.id)?.(said.answer);
        this.open_asks.delete(said.id);
    }
  }

  // The worker has said how things are: if it is new, it is told who was signed in.
  private async greet(): Promise<void> {
    if (this.greeted) return;
    this.greeted = true;
    const login = this.status.peek().kind === "out" ? await this.home.login() : undefined;
    this.wire.postMessage({ say: "hello", login, resource: this.home.resource() });
  }

  bye(): void {
    this.wire.postMessage({ say: "bye" });
  }

  sign_in(jid: string, password: string, stay: boolean): void {
    this.wire.postMessage({ say: "sign_in", jid, password, stay });
  }

  sign_out(): void {
    this.wire.postMessage({ say: "sign_out" });
    this.home.signed_out();
  }

  /** Another page of this browser signed out. */
  leave(): void {
    this.wire.postMessage({ say: "sign_out" });
  }

  retry(): void {
    this.wire.postMessage({ say: "retry" });
  }

  act(request: Request): Promise<Xml | undefined> {
    this.asked += 1;
    const id = this.asked;
    return new Promise<Answer>((resolve) => {
      this.open_asks.set(id, resolve);
      this.wire.postMessage({ say: "ask", id, request });
    }).then((answer) => this.board.take(answer));
  }

  tell(notice: Omit<Notice, "id">): void {
    this.board.tell(notice);
  }

  dismiss(id: number): void {
    this.board.dismiss(id);
  }

  open(url: string): void {
    this.home.open(url);
  }

  load_directory(): Promise<void> {
    this.wire.postMessage({ say: "directory" });
    return Promise.resolve();
  }

  has(feature: string): boolean {
    return has_feature(this, feature);
  }

  may_note(service: string | undefined): boolean {
    return takes_notes(this, service);
  }

  now(): number {
    return Date.now() - this.state.skew.value;
  }
}
