// Calls of the past: the server's lists where it has them, else what this page has seen.
import type { Call } from "../core/call";
import { is_missed } from "../core/call";
import type { Past } from "../core/history";
import { grouped } from "../core/number";
import { ask } from "../core/request";
import { clock, shown } from "../core/text";
import type { Console } from "../desk/console";
import type { HistoryKind } from "../desk/desk";
import { t } from "../i18n";
import { state_words, who_of } from "./call_card";
import { Foreign, Link, moment } from "./parts";

function Entry({ desk, call, past, talk }: { desk: Console; call: Call; past?: Past; talk: number }) {
  const { name } = who_of(call);
  const url = call.matches.find((match) => match.url !== undefined)?.url;
  const callable = call.number !== undefined && !call.withheld && desk.has("dial") && desk.live.value;
  const call_back = () => void desk.act(ask.dial(call.number ?? "", call.matches.length === 1 && call.matches[0]?.owner === undefined ? { module: call.matches[0]?.module ?? "", id: call.matches[0]?.id ?? "" } : undefined));
  return (
    <li class="past" data-missed={is_missed(call)} data-key={call.key}>
      <span class="when">{moment(call.started)}</span>
      <span class="who">{url === undefined ? <Foreign text={name} most={80} /> : <Link desk={desk} url={url}><Foreign text={name} most={80} /></Link>}</span>
      <span class="number">{call.withheld || call.number === undefined ? "" : <Foreign text={grouped(call.number)} />}</span>
      <span class="how" data-direction={call.direction}>{state_words(call)}{talk >= 1000 ? ` ${clock(talk)}` : ""}</span>
      {past?.claimed_by !== undefined && <span class="aside">{t("claimed", { who: shown(past.claimed_by) })}</span>}
      <span class="do">
        {past && past.claimed_by === undefined && (is_missed(call) || past.disposition === "abandoned") && <button onClick={() => void desk.claim(call.id)}>{t("claim")}</button>}
        {callable && <button data-action="call-back" onClick={call_back}>{t("call_back")}</button>}
      </span>
    </li>
  );
}

export function Lists({ desk }: { desk: Console }) {
  const server = desk.abilities.value.has("history");
  const kind = desk.history_kind.value;
  const kinds: readonly HistoryKind[] = server ? ["all", "missed", "abandoned"] : ["all", "missed"];
  const here = desk.ended.value.filter((one) => kind !== "missed" || is_missed(one.call));
  const entries = server
    ? desk.history.value.map((past) => <Entry key={past.call.key} desk={desk} call={past.call} past={past} talk={(past.talk ?? 0) * 1000} />)
    : here.map((one) => <Entry key={one.call.key} desk={desk} call={one.call} talk={one.call.at - one.since} />);
  const oldest = desk.history.value.at(-1)?.call.id;
  return (
    <section class="lists panel" aria-label={t("lists")}>
      <div class="row tabs" role="group" aria-label={t("lists")}>
        {kinds.map((one) => (
          <button key={one} aria-pressed={one === kind} onClick={() => (server ? void desk.load_history(one) : (desk.history_kind.value = one))}>{t(`list_${one}`)}</button>
        ))}
      </div>
      <p class="aside">{server ? "\u00a0" : t("list_here")}</p>
      <ul>{entries}</ul>
      {entries.length === 0 && <p class="empty">{t("list_empty")}</p>}
      {server && entries.length >= 30 && oldest !== undefined && <button onClick={() => void desk.load_history(kind, oldest)}>{t("more")}</button>}
    </section>
  );
}
