// Notes being written. They belong to the call, not to the form: they stay when the call ends, is merged or is drawn anew.
import { effect, signal, type Signal } from "@preact/signals";

export interface Draft {
  readonly text: string;
  readonly code: string;
}

const EMPTY: Draft = { text: "", code: "" };
const MOST = 50;

/** Keeps them over a change of page. */
export interface Shelf {
  read(): string | undefined;
  write(text: string): void;
}

function drafts_of(text: string | undefined): ReadonlyMap<string, Draft> {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    const good = (one: unknown): one is [string, Draft] => {
      const [id, draft] = Array.isArray(one) ? (one as [unknown, Partial<Draft> | null]) : [];
      return typeof id === "string" && typeof draft?.text === "string" && typeof draft.code === "string";
    };
    return new Map(Array.isArray(found) ? found.filter(good) : []);
  } catch {
    return new Map();
  }
}

export class Drafts {
  private readonly all: Signal<ReadonlyMap<string, Draft>>;

  constructor(shelf?: Shelf) {
    this.all = signal(drafts_of(shelf?.read()));
    if (shelf) effect(() => shelf.write(JSON.stringify([...this.all.value])));
  }

  of(id: string): Draft {
    return this.all.value.get(id) ?? EMPTY;
  }

  write(id: string, change: Partial<Draft>): void {
    const all = new Map(this.all.peek());
    all.set(id, { ...(all.get(id) ?? EMPTY), ...change });
    for (const oldest of all.keys()) if (all.size > MOST) all.delete(oldest);
    this.all.value = all;
  }

  /** A merge: what was written for the younger call belongs to the older one. */
  rename(young: string, old: string): void {
    const all = new Map(this.all.peek());
    const [mine, theirs] = [all.get(young), all.get(old)];
    if (!mine) return;
    all.delete(young);
    const text = [theirs?.text ?? "", mine.text].filter((one) => one !== "").join("\n");
    all.set(old, { text, code: mine.code === "" ? (theirs?.code ?? "") : mine.code });
    this.all.value = all;
  }

  clear(): void {
    this.all.value = new Map();
  }
}
