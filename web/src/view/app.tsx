import { effect, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { shown } from "../core/text";
import type { Console } from "../desk/console";
import { chosen, language, t } from "../i18n";
import { AgentBar } from "./agent";
import { Connection, LinkBar, Notices } from "./bars";
import { CallCard, LastCall, who_of } from "./call_card";
import { Dial } from "./dial";
import { on_key } from "./keys";
import { Lists } from "./lists";
import { Foreign } from "./parts";
import { Settings } from "./settings";
import { SignIn } from "./sign_in";
import { Team } from "./team";

function Bell({ on }: { on: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true">
      <path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15z M10 21h4" />
      {on ? <path d="M2.5 9a8 8 0 0 1 3-5 M21.5 9a8 8 0 0 0-3-5" /> : <path d="M4 3l16 18" />}
    </svg>
  );
}

function Header({ desk, settings }: { desk: Console; settings: () => void }) {
  const me = desk.me.value;
  return (
    <header class="top">
      <h1>
        <Foreign text={me?.name ?? desk.jid.value.replace(/@.*/, "")} most={60} />{" "}
        <small>{me?.extension === undefined ? desk.jid.value : t("extension", { extension: me.extension })}</small>
      </h1>
      <Connection desk={desk} />
      <span class="space" />
      {desk.settings.value.notify && desk.permission.value === "default" && <button onClick={() => void desk.ask_permission()}>{t("allow_notify")}</button>}
      <button data-action="silence" disabled={!desk.ringing.value} aria-label={t("silence")} title={t("silence")} onClick={() => { desk.silent.value = true; desk.change_settings({}); }}>
        <Bell on={desk.ringing.value} />
      </button>
      <button data-action="settings" onClick={settings}>{t("settings")}</button>
      <button data-action="sign-out" onClick={() => desk.sign_out()}>{t("sign_out")}</button>
    </header>
  );
}

/** Said to screen readers when it changes; the focus stays where it is. */
function Announcer({ desk }: { desk: Console }) {
  const call = desk.calls.value.find((one) => one.call.state === "ringing")?.call;
  return <p class="unseen" role="status" aria-live="assertive">{call ? t("announce", { who: shown(who_of(call).name) }) : ""}</p>;
}

function Calls({ desk }: { desk: Console }) {
  const calls = desk.calls.value;
  const picked = useSignal("");
  const current = calls.find((one) => one.call.key === picked.value) ?? calls[0];
  useEffect(() => {
    const next = () => {
      const at = calls.findIndex((one) => one === current);
      picked.value = calls[(at + 1) % Math.max(1, calls.length)]?.call.key ?? "";
    };
    const listen = (event: KeyboardEvent) => {
      if (desk.settings.peek().keys || event.key === "Escape") on_key(event, next);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
  return (
    <main class="calls" aria-label={t("calls")} data-stale={desk.stale.value} data-live={desk.live.value}>
      {calls.map((one) => (
        <CallCard key={one.call.key} desk={desk} one={one} chosen={one === current} choose={() => (picked.value = one.call.key)} />
      ))}
      {calls.length === 0 && (
        <div class="idle">
          <h2>{t("no_calls")}</h2>
          <p>{t("no_calls_hint")}</p>
        </div>
      )}
      <LastCall desk={desk} />
    </main>
  );
}

function Desk({ desk }: { desk: Console }) {
  const settings = useSignal(false);
  return (
    <div class="desk">
      <Header desk={desk} settings={() => (settings.value = true)} />
      <LinkBar desk={desk} />
      <div class="left">
        <AgentBar desk={desk} />
        <Dial desk={desk} />
        <Team desk={desk} />
      </div>
      <Calls desk={desk} />
      <Lists desk={desk} />
      <Notices desk={desk} />
      <Announcer desk={desk} />
      <Settings desk={desk} open={settings.value} close={() => (settings.value = false)} />
    </div>
  );
}

export function App({ desk }: { desk: Console }) {
  const status = desk.status.value;
  const inside = status.kind === "online" || status.kind === "waiting" || (status.kind === "connecting" && (status.again || desk.resuming.value));
  if (inside) return <Desk desk={desk} />;
  // The form would flash by while other tabs are asked for the sign-in.
  return desk.resuming.value ? <div class="desk" /> : <SignIn desk={desk} />;
}

/** Language and colours follow the settings, those follow the browser. */
export function dress(desk: Console): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { language: wished, theme } = desk.settings.value;
    language.value = chosen(wished === "" ? navigator.languages : [wished]);
    document.documentElement.lang = language.value;
    document.documentElement.dataset["theme"] = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  };
  effect(apply);
  dark.addEventListener("change", apply);
  effect(() => {
    const ringing = desk.calls.value.find((one) => one.call.state === "ringing");
    document.title = ringing ? `☎ ${shown(who_of(ringing.call).name, 60)}` : t("title");
  });
}
