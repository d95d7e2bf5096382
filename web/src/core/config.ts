// config.json beside the page: where the server is, and what each service triggers. Wrong values are named, never guessed.
import { usable_schemes } from "./link";

export const MOMENTS = ["ringing", "answered", "click", "never"] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Trigger {
  readonly open: Moment; // when the record is opened
  readonly notify: boolean; // desktop notification
  readonly sound: boolean;
}

export interface Config {
  readonly websocket: string | undefined;
  readonly bosh: string | undefined;
  readonly component: string;
  readonly domain: string; // of JIDs typed without one
  readonly schemes: readonly string[];
  readonly window: "one" | "new"; // records open in one window, or each in its own
  readonly services: Readonly<Record<string, Trigger>>; // "*": all others
}

export const DEFAULT_TRIGGER: Trigger = { open: "click", notify: true, sound: true };

export class ConfigError extends Error {}

const is_object = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function text(from: Record<string, unknown>, key: string): string | undefined {
  const value = from[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw new ConfigError(`config.json: ${key} must be a text`);
  return value;
}

function known(from: Record<string, unknown>, where: string, keys: readonly string[]): void {
  for (const key of Object.keys(from)) if (!keys.includes(key)) throw new ConfigError(`config.json: ${where}${key} is not known; there are ${keys.join(", ")}`);
}

function trigger(name: string, value: unknown, base: Trigger): Trigger {
  if (!is_object(value)) throw new ConfigError(`config.json: services.${name} must be an object`);
  known(value, `services.${name}.`, ["open", "notify", "sound"]);
  const flag = (key: "notify" | "sound") => {
    const given = value[key] ?? base[key];
    if (typeof given !== "boolean") throw new ConfigError(`config.json: services.${name}.${key} must be true or false`);
    return given;
  };
  const open = MOMENTS.find((one) => one === (value["open"] ?? base.open));
  if (!open) throw new ConfigError(`config.json: services.${name}.open must be one of ${MOMENTS.join(", ")}`);
  return { open, notify: flag("notify"), sound: flag("sound") };
}

/** A relative address is one of the page's own server. */
function endpoint(given: string | undefined, key: string, page: URL, protocols: readonly string[]): string | undefined {
  if (given === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(given, page);
  } catch {
    throw new ConfigError(`config.json: ${key} is no address: ${given}`);
  }
  if (protocols[0] === "wss:" && (url.protocol === "https:" || url.protocol === "http:")) url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (!protocols.includes(url.protocol)) throw new ConfigError(`config.json: ${key} must begin with ${protocols.join(" or ")}`);
  if (!is_private(url)) throw new ConfigError(`config.json: ${key} is not encrypted (${url.protocol}//${url.host}); only localhost may do without`);
  return url.href;
}

/** Encrypted, or never leaves this computer. */
export function is_private(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "wss:" || is_local(url.hostname);
}

export function is_local(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export function config_of(json: unknown, page_address: string): Config {
  if (!is_object(json)) throw new ConfigError("config.json must be an object");
  known(json, "", ["websocket", "bosh", "component", "domain", "schemes", "window", "services"]);
  const page = new URL(page_address);
  const component = text(json, "component");
  if (component === undefined) throw new ConfigError("config.json: component is missing, e.g. cti.example.org");
  const websocket = endpoint(text(json, "websocket"), "websocket", page, ["wss:", "ws:"]);
  const bosh = endpoint(text(json, "bosh"), "bosh", page, ["https:", "http:"]);
  if (websocket === undefined && bosh === undefined) throw new ConfigError("config.json: websocket or bosh is needed, e.g. wss://xmpp.example.org/xmpp-websocket");
  const schemes = json["schemes"] ?? [];
  if (!Array.isArray(schemes) || !schemes.every((one) => typeof one === "string")) throw new ConfigError("config.json: schemes must be a list of texts");
  const window = text(json, "window") ?? "one";
  if (window !== "one" && window !== "new") throw new ConfigError("config.json: window must be one or new");
  const given = json["services"] ?? {};
  if (!is_object(given)) throw new ConfigError("config.json: services must be an object");
  const base = trigger("*", given["*"] ?? {}, DEFAULT_TRIGGER);
  const services = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, trigger(name, value, base)]));
  return {
    websocket, bosh, component, window,
    domain: text(json, "domain") ?? component.replace(/^[^.]+\./, ""),
    schemes: usable_schemes(schemes),
    services: { ...services, "*": base },
  };
}

export function trigger_for(config: Config, service: string | undefined): Trigger {
  const own = service === undefined || !Object.hasOwn(config.services, service) ? undefined : config.services[service];
  return own ?? config.services["*"] ?? DEFAULT_TRIGGER;
}
