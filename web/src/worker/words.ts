// What the frames of the CRM's pages and the worker that keeps their session say to each other. Both are of the console's origin.
import type { Agent, Me } from "../core/agent";
import type { Request } from "../core/request";
import type { Colleague } from "../core/history";
import type { Link, Shown } from "../core/picture";
import type { Ability, Answer } from "../desk/desk";
import type { Login } from "../desk/storage";
import type { Status } from "../xmpp/session";

/** The values of desk.ts' Seen. */
export interface State {
  readonly status: Status;
  readonly jid: string;
  readonly bridge: "unknown" | "up" | "away" | "stranger";
  readonly me: Me | undefined;
  readonly abilities: ReadonlySet<Ability>;
  readonly absent: ReadonlySet<string>;
  readonly directory: readonly Colleague[];
  readonly calls: readonly Shown[];
  readonly ended: readonly Shown[];
  readonly agent: Agent | undefined;
  readonly links: readonly Link[];
  readonly stale: boolean;
  readonly live: boolean;
  readonly resuming: boolean;
  readonly skew: number;
}

export type ToHub =
  | { readonly say: "hello"; readonly login: Login | undefined; readonly resource: string | undefined }
  | { readonly say: "sign_in"; readonly jid: string; readonly password: string; readonly stay: boolean }
  | { readonly say: "sign_out" | "retry" | "directory" | "bye" }
  | { readonly say: "ask"; readonly id: number; readonly request: Request };

export type FromHub =
  | { readonly say: "state"; readonly state: Partial<State> }
  | { readonly say: "domain"; readonly domain: string }
  | { readonly say: "keep"; readonly login: Login; readonly stay: boolean; readonly resource: string }
  | { readonly say: "forget" }
  | { readonly say: "problem"; readonly text: string } // config.json
  | { readonly say: "answer"; readonly id: number; readonly answer: Answer };
