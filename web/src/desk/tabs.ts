// The tabs of one browser: one of them rings; a new one is signed in by those that are; a number clicked elsewhere reaches them.
import { login, type Login } from "./storage";

export class Tabs {
  private readonly channel = new BroadcastChannel("ctibridge");
  private release: (() => void) | undefined;
  private waiting: AbortController | undefined;

  /** `mine`: what a new tab may sign in with; `left`: another tab signed out. */
  constructor(mine: () => Login | undefined, left: () => void) {
    this.channel.onmessage = (event: MessageEvent<unknown>) => {
      const said = event.data as { ask?: unknown; bye?: unknown } | null;
      const known = mine();
      if (said?.ask === "login" && known) this.channel.postMessage({ login: known });
      if (said?.bye === true) left();
    };
  }

  /** The other tabs' sign-in, if there is one. Pages of the same origin only can hear it. */
  ask_login(within = 300): Promise<Login | undefined> {
    return new Promise((resolve) => {
      const ear = new BroadcastChannel("ctibridge");
      const done = (found?: Login) => {
        ear.close();
        resolve(found);
      };
      const timer = setTimeout(done, within);
      ear.onmessage = (event: MessageEvent<unknown>) => {
        const found = login.parse((event.data as { login?: unknown } | null)?.login);
        if (!found) return;
        clearTimeout(timer);
        done(found);
      };
      ear.postMessage({ ask: "login" });
    });
  }

  /** All tabs of this browser sign out together. */
  sign_out(): void {
    this.channel.postMessage({ bye: true });
  }

  /** From now on one of the tabs that are online leads: it rings and notifies. `changed`: it is this one, or no more. */
  lead(changed: (leads: boolean) => void): void {
    if (this.waiting) return;
    const waiting = (this.waiting = new AbortController());
    navigator.locks
      .request("ctibridge-leader", { signal: waiting.signal }, () => {
        changed(true);
        return new Promise<void>((resolve) => {
          this.release = resolve;
        });
      })
      .catch(() => undefined) // aborted: it went offline before its turn came
      .finally(() => changed(false));
  }

  /** This tab is offline: another one may ring. */
  yield_lead(): void {
    this.waiting?.abort();
    this.release?.();
    this.waiting = this.release = undefined;
  }
}
