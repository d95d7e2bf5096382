// The box in the page: what the console shows of calls and agent, one above the other.
import { useEffect, useState } from "preact/hooks";
import type { Mirror } from "../desk/mirror";
import { t } from "../i18n";
import { AgentBar } from "../view/agent";
import { Connection, LinkBar, Notices } from "../view/bars";
import { CallCard, LastCall } from "../view/call_card";
import { Foreign } from "../view/parts";
import { Problem, SignIn } from "../view/sign_in";

function Top({ desk, close }: { desk: Mirror; close: () => void }) {
  const out = desk.status.value.kind === "out";
  const me = desk.me.value;
  return (
    <header class="top">
      <h1>{out ? t("title") : <Foreign text={me?.name ?? desk.jid.value.replace(/@.*/, "")} most={40} />}</h1>
      <span class="space" />
      {!out && <button data-action="sign-out" onClick={() => desk.sign_out()}>{t("sign_out")}</button>}
      <button data-action="close" aria-label={t("dismiss")} title={t("dismiss")} onClick={close}>×</button>
    </header>
  );
}

function Calls({ desk }: { desk: Mirror }) {
  const [picked, pick] = useState("");
  const calls = desk.calls.value;
  const current = calls.find((one) => one.call.key === picked) ?? calls[0];
  return (
    <main class="calls" aria-label={t("calls")} data-stale={desk.stale.value} data-live={desk.live.value}>
      {calls.map((one) => (
        <CallCard key={one.call.key} desk={desk} one={one} chosen={one === current} choose={() => pick(one.call.key)} />
      ))}
      <LastCall desk={desk} />
    </main>
  );
}

export function Box({ desk, close }: { desk: Mirror; close: () => void }) {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [close]);
  const inside = desk.status.value.kind !== "out";
  if (desk.problem.value !== "") return <Problem title={t("config_error")} text={desk.problem.value} />;
  return (
    <div class="box">
      <Top desk={desk} close={close} />
      {inside ? (
        <>
          {!desk.live.value && <Connection desk={desk} />}
          {desk.links.value.some((one) => !one.up) || desk.bridge.value === "away" || desk.bridge.value === "stranger" ? <LinkBar desk={desk} /> : null}
          <Calls desk={desk} />
          {desk.calls.value.length === 0 && <AgentBar desk={desk} />}
        </>
      ) : (
        !desk.resuming.value && <SignIn desk={desk} />
      )}
      <Notices desk={desk} />
    </div>
  );
}
