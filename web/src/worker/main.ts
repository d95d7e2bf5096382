// The worker: begins with the first page of the CRM, ends some time after the last.
import "./dom";
import { config_of, ConfigError } from "../core/config";
import { Hub, type Port } from "./hub";

const here = self as unknown as { onconnect: ((event: MessageEvent) => void) | null; location: { href: string } };
const address = new URL("../index.html", here.location.href).href;

async function begin(): Promise<Hub | string> {
  try {
    const answer = await fetch(new URL("config.json", address), { cache: "no-cache" });
    if (!answer.ok) throw new ConfigError(`config.json: ${answer.status} ${answer.statusText}`);
    return new Hub(config_of((await answer.json()) as unknown, address));
  } catch (error) {
    return error instanceof ConfigError ? error.message : `config.json: ${String(error)}`;
  }
}

let hub: Promise<Hub | string> | undefined;

here.onconnect = (event) => {
  const port = event.ports[0] as unknown as Port;
  hub ??= begin();
  void hub.then((found) => {
    if (found instanceof Hub) return found.join(port);
    // The next page tries again.
    hub = undefined;
    port.postMessage({ say: "problem", text: found });
  });
};
