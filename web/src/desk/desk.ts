// What the views draw and do, wherever the session is: in this page (console.ts) or in the worker of the CRM's pages (mirror.ts).
import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { codes_for, type Agent, type Me } from "../core/agent";
import type { Call } from "../core/call";
import type { Element as Xml } from "../core/element";
import type { Colleague } from "../core/history";
import type { Link, Shown } from "../core/picture";
import type { Refusal, Request } from "../core/request";
import type { Status } from "../xmpp/session";
import type { Drafts } from "./drafts";

/** What the bridge can do here: found out by asking, since a button that is refused is worse than none. */
export type Ability = "agent" | "history" | "directory";

export type HistoryKind = "all" | "missed" | "abandoned";

export type Answer = { readonly xml: Xml } | { readonly refusal: Refusal };

export interface Notice {
  readonly id: number;
  readonly text: Refusal | { readonly key: string; readonly values?: Readonly<Record<string, string>> };
  readonly link?: string;
  readonly good?: boolean; // told, not complained of
}

/** Of session and picture, all that is shown. */
export interface Seen {
  readonly status: ReadonlySignal<Status>;
  readonly jid: ReadonlySignal<string>;
  readonly bridge: ReadonlySignal<"unknown" | "up" | "away" | "stranger">;
  readonly me: ReadonlySignal<Me | undefined>;
  readonly abilities: ReadonlySignal<ReadonlySet<Ability>>;
  readonly absent: ReadonlySignal<ReadonlySet<string>>;
  readonly directory: ReadonlySignal<readonly Colleague[]>;
  readonly calls: ReadonlySignal<readonly Shown[]>;
  readonly ended: ReadonlySignal<readonly Shown[]>;
  readonly agent: ReadonlySignal<Agent | undefined>;
  readonly links: ReadonlySignal<readonly Link[]>;
  readonly stale: ReadonlySignal<boolean>;
  readonly live: ReadonlySignal<boolean>;
  readonly resuming: ReadonlySignal<boolean>;
}

export interface Desk extends Seen {
  readonly domain: string; // of JIDs typed without one
  readonly blocked: ReadonlySignal<boolean>; // the browser plays no sound yet
  readonly notices: Signal<readonly Notice[]>;
  readonly drafts: Drafts;
  sign_in(jid: string, password: string, stay: boolean): void;
  sign_out(): void;
  retry(): void;
  /** The answer when it was done; a refusal is shown. */
  act(request: Request): Promise<Xml | undefined>;
  tell(notice: Omit<Notice, "id">): void;
  dismiss(id: number): void;
  open(url: string): void;
  load_directory(): Promise<void>;
  has(feature: string): boolean;
  may_note(service: string | undefined): boolean;
  /** The bridge's clock now. */
  now(): number;
}

/** The lines over the page. */
export class Notices {
  readonly shown = signal<readonly Notice[]>([]);
  private last = 0;

  tell(notice: Omit<Notice, "id">): void {
    this.last += 1;
    this.shown.value = [...this.shown.value.slice(-3), { ...notice, id: this.last }];
  }

  dismiss(id: number): void {
    this.shown.value = this.shown.value.filter((one) => one.id !== id);
  }

  /** The answer when there is one; a refusal is shown. */
  take(answer: Answer): Xml | undefined {
    if ("xml" in answer) return answer.xml;
    this.tell({ text: answer.refusal });
    return undefined;
  }
}

export function has_feature(seen: Pick<Seen, "absent" | "me">, feature: string): boolean {
  return !seen.absent.value.has(feature) && (seen.me.value?.features.has(feature) ?? false);
}

/** Whether calls of this service take notes: a bridge that keeps the past keeps what is noted of it. */
export function takes_notes(seen: Pick<Seen, "absent" | "me" | "abilities">, service: string | undefined): boolean {
  return !seen.absent.value.has("note") && (has_feature(seen, "note") || seen.abilities.value.has("history") || codes_for(seen.me.value, service).length > 0);
}

/** The record shown with a call, by hand. */
export function record_of(call: Call): string | undefined {
  return call.page ?? call.matches.find((match) => match.url !== undefined)?.url ?? call.create?.url;
}
