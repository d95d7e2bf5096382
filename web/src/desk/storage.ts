// What outlives a page: per tab (sessionStorage), per browser (localStorage), and things that are done once whatever happens (IndexedDB).
import { are_keys, type Keys } from "../xmpp/keys";

function read(store: () => Storage, key: string): unknown {
  try {
    return JSON.parse(store().getItem(key) ?? "null") as unknown;
  } catch {
    return null; // storage is off, or holds another program's text
  }
}

function write(store: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) store().removeItem(key);
    else store().setItem(key, JSON.stringify(value));
  } catch {
    // Without storage everything works until the reload.
  }
}

const tab = () => sessionStorage;
const browser = () => localStorage;

export interface Login {
  readonly jid: string;
  readonly keys: Keys;
}

function login_of(value: unknown): Login | undefined {
  const one = value as { jid?: unknown; keys?: unknown } | null;
  return typeof one?.jid === "string" && are_keys(one.keys) ? { jid: one.jid, keys: one.keys } : undefined;
}

/** Who is signed in: in this tab, or in the whole browser if the operator wished to stay signed in. Never a password. */
export const login = {
  load: (): Login | undefined => login_of(read(tab, "login")) ?? login_of(read(browser, "login")),
  save(value: Login, stay: boolean): void {
    write(tab, "login", value);
    write(browser, "login", stay ? value : undefined);
  },
  is_kept: (): boolean => login_of(read(browser, "login")) !== undefined,
  clear(): void {
    write(tab, "login", undefined);
    write(browser, "login", undefined);
  },
  parse: login_of,
};

/** The resource of this tab: the same after a reload, so that the server replaces the old session at once. */
export const resource = {
  get(): string {
    const known = read(tab, "resource");
    if (typeof known === "string") return known;
    this.renew();
    const made = read(tab, "resource");
    return typeof made === "string" ? made : `console-${crypto.randomUUID().slice(0, 8)}`;
  },
  renew: (): void => write(tab, "resource", `console-${crypto.randomUUID().slice(0, 8)}`),
};

/** Of a frame in the CRM's pages, kept over their changes: the session's name, what is being written, which calls were put aside. */
export const frame = {
  resource: {
    get: (): string | undefined => text_of(read(tab, "crm-resource")),
    set: (name: string): void => write(tab, "crm-resource", name),
  },
  drafts: {
    get: (): string | undefined => text_of(read(tab, "crm-drafts")),
    set: (text: string): void => write(tab, "crm-drafts", text),
  },
  aside: {
    get: (): readonly string[] => {
      const keys = read(tab, "crm-aside");
      return Array.isArray(keys) ? keys.filter((one) => typeof one === "string") : [];
    },
    set: (keys: readonly string[]): void => write(tab, "crm-aside", keys),
  },
};

function text_of(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export interface Settings {
  readonly language: string; // "" as the browser
  readonly theme: "auto" | "light" | "dark";
  readonly sound: boolean;
  readonly notify: boolean;
  readonly keys: boolean; // shortcuts of one key
}

export const DEFAULTS: Settings = { language: "", theme: "auto", sound: true, notify: true, keys: true };

export const settings = {
  load(): Settings {
    const stored = (read(browser, "settings") ?? {}) as Record<string, unknown>;
    const known: Record<string, unknown> = { ...DEFAULTS };
    for (const [key, value] of Object.entries(DEFAULTS)) if (typeof stored[key] === typeof value) known[key] = stored[key];
    if (!["auto", "light", "dark"].includes(known["theme"] as string)) known["theme"] = "auto";
    return known as unknown as Settings;
  },
  save: (value: Settings): void => write(browser, "settings", value),
};

const KEEP = 3 * 86_400_000;

/** Does something once for a name, whatever tabs, reloads and crashes there are: IndexedDB gives the name to one only. */
export class Once {
  private database: Promise<IDBDatabase> | undefined;
  private readonly here = new Set<string>(); // where the browser has no IndexedDB

  async first(name: string, now: number): Promise<boolean> {
    if (this.here.has(name)) return false;
    this.here.add(name);
    try {
      const database = await (this.database ??= this.open(now));
      return await new Promise<boolean>((resolve, reject) => {
        const change = database.transaction("done", "readwrite");
        const asked = change.objectStore("done").add(now, name);
        asked.onerror = (event) => {
          if (asked.error?.name !== "ConstraintError") return;
          event.preventDefault();
          event.stopPropagation();
          resolve(false);
        };
        change.oncomplete = () => resolve(true);
        change.onerror = () => reject(change.error ?? new Error("IndexedDB"));
        change.onabort = () => reject(change.error ?? new Error("IndexedDB"));
      });
    } catch {
      return true;
    }
  }

  private open(now: number): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const asked = indexedDB.open("ctibridge-once", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("done");
      asked.onerror = () => reject(asked.error ?? new Error("IndexedDB"));
      asked.onsuccess = () => {
        const database = asked.result;
        database.onversionchange = () => database.close();
        this.forget(database, now - KEEP);
        resolve(database);
      };
    });
  }

  private forget(database: IDBDatabase, before: number): void {
    const walk = database.transaction("done", "readwrite").objectStore("done").openCursor();
    walk.onsuccess = () => {
      const at = walk.result;
      if (!at) return;
      if (typeof at.value === "number" && at.value < before) at.delete();
      at.continue();
    };
  }
}
