// The state of the connection, of the links and of what was refused. The bars have their place whether or not there is something to say.
import type { Refusal } from "../core/request";
import { shown } from "../core/text";
import { time_of } from "../core/call";
import type { Desk, Notice } from "../desk/desk";
import { t, t_of, type Key } from "../i18n";
import { every_second, moment } from "./parts";

export function Connection({ desk }: { desk: Desk }) {
  const status = desk.status.value;
  if (status.kind === "waiting") every_second();
  const text =
    status.kind === "online" ? t("online")
    : status.kind === "waiting" ? t("waiting", { seconds: String(Math.max(0, Math.ceil((status.until - Date.now()) / 1000))) })
    : t("connecting");
  return (
    <p class="connection" data-status={status.kind}>
      <span class="dot" aria-hidden="true" /> <span>{text}</span>
      {status.kind === "waiting" && <button onClick={() => desk.retry()}>{t("try_now")}</button>}
    </p>
  );
}

export function LinkBar({ desk }: { desk: Desk }) {
  const words: string[] = [];
  const online = desk.status.value.kind === "online";
  if (online && desk.bridge.value === "away") words.push(t("bridge_away"));
  if (online && desk.bridge.value === "stranger") words.push(t("bridge_stranger"));
  if (desk.bridge.value === "up") {
    for (const link of desk.links.value.filter((one) => !one.up)) {
      const since = moment(time_of(link.since) ?? Date.now());
      const key: Key = link.to === "pbx" ? "link_pbx" : link.to === "crm" ? "link_crm" : "link_other";
      words.push(t(key, { to: shown(link.to, 20), name: shown(link.name, 40), since }));
    }
  }
  const bad = words.length > 0;
  if (!bad && desk.stale.value && !desk.live.value) words.push(t("stale"));
  return (
    <div class="links" data-bad={bad} role="status">
      {words.length > 0 ? words.map((one) => <span key={one} title={one}>{one}</span>) : <span class="well">{t("all_well")}</span>}
    </div>
  );
}

function refusal_words(refusal: Refusal): string {
  const key = `error_${refusal.condition}`;
  const known = t_of("error", refusal.condition);
  const ours = known === refusal.condition ? t("error_other", { condition: shown(refusal.condition, 60) }) : t(key as Key);
  return refusal.text === "" ? ours : `${ours} ${shown(refusal.text, 300)}`;
}

function words_of(notice: Notice): string {
  return "condition" in notice.text ? refusal_words(notice.text) : t(notice.text.key as Key, notice.text.values ?? {});
}

export function Notices({ desk }: { desk: Desk }) {
  return (
    <div class="notices" role="alert">
      {desk.notices.value.map((one) => (
        <p key={one.id} class={one.good ? "good" : undefined}>
          <span>{words_of(one)}</span>
          {one.link !== undefined && <button onClick={() => { desk.open(one.link ?? ""); desk.dismiss(one.id); }}>{t("open_now")}</button>}
          <button aria-label={t("dismiss")} onClick={() => desk.dismiss(one.id)}>×</button>
        </p>
      ))}
      {desk.blocked.value && <p><span>{t("sound_blocked")}</span></p>}
    </div>
  );
}
