import { render } from "preact";
import { config_of, ConfigError, is_local } from "./core/config";
import { Console } from "./desk/console";
import { chosen, language, t } from "./i18n";
import { App, dress } from "./view/app";
import { Problem } from "./view/sign_in";
import "./style.css";

const root = document.getElementById("app") ?? document.body;

function problem(title: string, text: string): void {
  document.documentElement.dataset["theme"] = "light";
  render(<Problem title={title} text={text} />, root);
}

async function begin(): Promise<void> {
  language.value = chosen(navigator.languages);
  document.title = t("title");
  // Without encryption the browser has no SCRAM either (WebCrypto), and a password must not be typed at all.
  if (!window.isSecureContext || (location.protocol !== "https:" && !is_local(location.hostname))) { problem(t("title"), t("insecure")); return; }
  let desk: Console;
  try {
    const answer = await fetch("config.json", { cache: "no-cache" });
    if (!answer.ok) throw new ConfigError(`config.json: ${answer.status} ${answer.statusText}`);
    desk = new Console(config_of((await answer.json()) as unknown, location.href));
  } catch (error) {
    problem(t("config_error"), error instanceof ConfigError ? error.message : `config.json: ${String(error)}`); return;
  }
  dress(desk);
  // A telephone link that was clicked elsewhere: into the field, where the operator sees it; never dialled by itself.
  const asked = new URLSearchParams(location.search).get("dial");
  if (asked !== null) {
    desk.dial_text.value = asked.slice(0, 500);
    history.replaceState(null, "", location.pathname);
  }
  render(<App desk={desk} />, root);
  await desk.resume();
  if (asked !== null) document.getElementById("dial")?.focus();
}

void begin();
