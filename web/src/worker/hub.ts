// The one session behind all pages of the CRM: it outlives each of them. What is shown goes to every frame at once, in whole with the first word.
import { effect } from "@preact/signals";
import type { Config } from "../core/config";
import { Model } from "../desk/model";
import type { Login } from "../desk/storage";
import type { FromHub, State, ToHub } from "./words";

export interface Port {
  postMessage(message: FromHub): void;
  onmessage: ((event: MessageEvent<ToHub>) => void) | null;
  close(): void;
}

export class Hub {
  private readonly ports = new Set<Port>();
  private readonly model: Model;
  private shown: State;
  private resource = "";
  private stay = false;
  private kept: Login | undefined;

  constructor(private readonly config: Config) {
    this.model = new Model(config, {
      resource: { get: () => this.resource, renew: () => this.name() },
      keys: (jid, keys) => {
        this.kept = { jid, keys };
        this.tell(this.keep(this.kept));
      },
      clear: () => {
        this.kept = undefined;
        this.tell({ say: "forget" });
      },
    });
    this.name();
    this.shown = this.state();
    effect(() => this.changed(this.state()));
  }

  join(port: Port): void {
    this.ports.add(port);
    port.onmessage = (event) => this.hear(port, event.data);
    port.postMessage({ say: "domain", domain: this.config.domain });
    if (this.kept) port.postMessage(this.keep(this.kept));
    port.postMessage({ say: "state", state: this.shown });
  }

  private name(given = `crm-${crypto.randomUUID().slice(0, 8)}`): void {
    this.resource = given;
  }

  private keep(login: Login): FromHub {
    return { say: "keep", login, stay: this.stay, resource: this.resource };
  }

  private tell(what: FromHub): void {
    for (const port of this.ports) port.postMessage(what);
  }

  private state(): State {
    const { status, jid, bridge, me, abilities, absent, directory, calls, ended, agent, links, stale, live, resuming } = this.model;
    return {
      status: status.value, jid: jid.value, bridge: bridge.value, me: me.value, abilities: abilities.value, absent: absent.value, directory: directory.value,
      calls: calls.value, ended: ended.value, agent: agent.value, links: links.value, stale: stale.value, live: live.value, resuming: resuming.value,
      skew: this.model.picture.skew,
    };
  }

  private changed(now: State): void {
    const keys = (Object.keys(now) as (keyof State)[]).filter((key) => now[key] !== this.shown[key]);
    this.shown = now;
    if (keys.length > 0) this.tell({ say: "state", state: Object.fromEntries(keys.map((key) => [key, now[key]])) });
  }

  private hear(port: Port, said: ToHub): void {
    switch (said.say) {
      case "hello":
        return this.hello(said.login, said.resource);
      case "sign_in":
        this.stay = said.stay;
        return this.model.sign_in(said.jid, said.password);
      case "sign_out":
        return this.model.sign_out();
      case "retry":
        return this.model.retry();
      case "directory":
        return void this.model.load_directory();
      case "ask":
        return void this.model.ask(said.request).then((answer) => port.postMessage({ say: "answer", id: said.id, answer }));
      case "bye":
        this.ports.delete(port);
        port.close();
    }
  }

  /** A page is there: as it was signed in before, unless the session goes on. */
  private hello(login: Login | undefined, resource: string | undefined): void {
    if (this.kept || this.model.status.peek().kind !== "out") return this.model.retry();
    if (!login) {
      this.model.resuming.value = false;
      return;
    }
    // The same name: the server replaces what may be left of the old session.
    if (resource !== undefined) this.name(resource);
    this.model.sign_in(login.jid, login.keys);
  }
}
