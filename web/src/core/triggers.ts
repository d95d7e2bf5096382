// What a change of a call sets off: a page, a notification, a sound. Which tab does it, and that it is done once, is decided elsewhere.
import { page_of, type Call } from "./call";
import { trigger_for, type Config } from "./config";
import type { Change } from "./picture";

/** The page to open because of this change, and the name under which it is opened once, whatever tabs and reloads there are. */
export interface Opening {
  readonly once: string;
  readonly url: string;
}

export function opening(change: Change, config: Config): Opening | undefined {
  const { call } = change;
  const wanted = trigger_for(config, call.service).open;
  if (wanted === "click" || wanted === "never" || call.pop === "never") return undefined;
  // Whoever dials has the record before them; a colleague has none.
  if (call.direction !== "inbound" && call.page === undefined) return undefined;
  const moment = call.pop === "answered" ? "answered" : wanted;
  // A state that was missed (the tab was away while it rang) is made up for while the call goes on.
  const reached = call.state === "answered" || (moment === "ringing" && call.state === "ringing");
  if (!reached) return undefined;
  const url = page_of(call);
  // The moment is part of no name: one call opens one page, whenever that was.
  return url === undefined ? undefined : { once: `page ${call.key}`, url };
}

/** The calls for which a sound is due now. */
export function sounding(calls: readonly Call[], config: Config): boolean {
  return calls.some((call) => call.state === "ringing" && call.pop === "ringing" && trigger_for(config, call.service).sound);
}

export function notifying(call: Call, config: Config): boolean {
  return call.state === "ringing" && call.pop === "ringing" && trigger_for(config, call.service).notify;
}
