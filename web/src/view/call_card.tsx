// One call: who it is, how it stands, what can be done.
import { useSignal } from "@preact/signals";
import type { Call, Match } from "../core/call";
import { grouped } from "../core/number";
import type { Shown } from "../core/picture";
import { ask, type Request } from "../core/request";
import { shown } from "../core/text";
import type { Desk } from "../desk/desk";
import { t, t_of } from "../i18n";
import { NoteForm } from "./note";
import { Fact, Foreign, Link, Timer } from "./parts";
import { TransferForm } from "./transfer";

/** How the party is called: the record when it is sure, else the name that came along. */
export function who_of(call: Call): { name: string; organization: string; sure: boolean } {
  const match = call.matches[0];
  if (match && match.quality !== "suffix" && match.label !== "") return { name: match.label, organization: match.organization, sure: true };
  const name = call.withheld ? t("withheld") : (call.name ?? "");
  return { name: name !== "" ? name : t("unknown_caller"), organization: "", sure: call.withheld };
}

export function state_words(call: Call): string {
  if (call.state === "ended") return call.cause === undefined ? t("state_ended") : t_of("cause", call.cause);
  return call.state === "dialing" && call.far_end === "ringing" ? t("state_far") : t_of("state", call.state);
}

/** Blind, or after asking the colleague. */
function may_transfer(call: Call): boolean {
  return call.actions.includes("transfer") || call.actions.includes("consult");
}

const SIMPLE = ["answer", "hangup", "hold", "unhold", "park"] as const;

function Actions({ desk, call, panel }: { desk: Desk; call: Call; panel: { value: string } }) {
  const busy = useSignal("");
  const off = busy.value !== "" || !desk.live.value;
  const act = async (name: string, request: Request) => {
    busy.value = name;
    const answer = await desk.act(request);
    busy.value = "";
    const slot = answer?.children[0]?.attrs["slot"];
    if (slot !== undefined) desk.tell({ text: { key: "parked", values: { slot } }, good: true });
  };
  const toggle = (name: string) => (panel.value = panel.value === name ? "" : name);
  return (
    <div class="actions" role="group" aria-label={t("calls")}>
      {SIMPLE.filter((one) => call.actions.includes(one)).map((one) => (
        <button key={one} class={one} data-action={one} disabled={off} onClick={() => void act(one, ask.simple(one, call))}>
          {t(one)}
        </button>
      ))}
      {(["complete", "cancel"] as const).filter((one) => call.actions.includes(one)).map((one) => (
        <button key={one} data-action={one} disabled={off} onClick={() => void act(one, ask.transfer(call, one))}>
          {t(`transfer_${one}`)}
        </button>
      ))}
      {may_transfer(call) && (
        <button data-action="transfer" disabled={off} aria-expanded={panel.value === "transfer"} onClick={() => toggle("transfer")}>{t("transfer")}</button>
      )}
    </div>
  );
}

function MatchLine({ desk, match }: { desk: Desk; match: Match }) {
  if (match.owner !== undefined) {
    return <li class="hidden-record">{match.owner === "" ? t("hidden_record_nobody") : t("hidden_record", { owner: shown(match.owner) })}</li>;
  }
  const label = match.label === "" ? `${match.module} ${match.id}` : match.label;
  const quality = match.quality === "exact" ? "" : t_of("quality", match.quality);
  return (
    <li>
      {match.url === undefined ? <Foreign text={label} /> : <Link desk={desk} url={match.url}><Foreign text={label} /></Link>}
      <span class="aside">
        {match.organization !== "" && <Foreign text={match.organization} />}
        <span class="module"><Foreign text={match.module} /></span>
        {quality !== "" && <em>{quality}</em>}
      </span>
    </li>
  );
}

/** Where a right record is known, a second one of the same person is not suggested. */
function may_create(call: Call): boolean {
  return call.matches.every((match) => match.quality === "suffix" && match.owner === undefined);
}

function Records({ desk, call }: { desk: Desk; call: Call }) {
  if (call.direction === "internal") return null;
  return (
    <section class="records" aria-label={t("matches")}>
      {call.matches.length > 0 && (
        <ol>
          {call.matches.map((match, index) => <MatchLine key={`${match.module} ${match.id} ${index}`} desk={desk} match={match} />)}
        </ol>
      )}
      {call.more > 0 && <p class="aside">{t("more_matches", { count: String(call.more) })}</p>}
      {call.matches.length === 0 && !call.withheld && <p class="aside">{t("nobody")}</p>}
      {call.create && may_create(call) && (
        <Link desk={desk} url={call.create.url} main={call.matches.length === 0}>
          {call.create.module === "" ? t("create") : t("create_in", { module: shown(call.create.module) })}
        </Link>
      )}
    </section>
  );
}

function Facts({ call }: { call: Call }) {
  const { name, sure } = who_of(call);
  return (
    <dl class="facts">
      {call.queue !== undefined && <Fact name={t("queue")}><Foreign text={call.queue} /></Fact>}
      {call.waited !== undefined && <Fact name={t("waited")}>{`${Math.floor(call.waited / 60)}:${String(call.waited % 60).padStart(2, "0")}`}</Fact>}
      {call.service !== undefined && <Fact name={t("service")}><Foreign text={call.service} /></Fact>}
      {call.language !== undefined && <Fact name={t("language")}><Foreign text={call.language} /></Fact>}
      {call.dialed !== undefined && call.direction !== "outbound" && <Fact name={t("dialed")}><Foreign text={call.dialed} /></Fact>}
      {sure && call.name !== undefined && call.name !== name && <Fact name={t("said_name")}><Foreign text={call.name} most={80} /></Fact>}
      {call.variables.map(([key, value], index) => <Fact key={`${key} ${index}`} name={shown(key)}><Foreign text={value} /></Fact>)}
    </dl>
  );
}

export function CallCard({ desk, one, chosen, choose }: { desk: Desk; one: Shown; chosen: boolean; choose: () => void }) {
  const { call } = one;
  const panel = useSignal("");
  const { name, organization } = who_of(call);
  const may_note = desk.may_note(call.service);
  const page = call.page;
  return (
    <article class="call" data-state={call.state} data-key={call.key} data-id={call.id} aria-current={chosen} onFocusCapture={choose} aria-label={`${state_words(call)}: ${shown(name)}`}>
      <header>
        <p class="state">
          <span class="direction">{t_of("direction", call.direction)}</span>
          <span class="chip">{state_words(call)}</span>
          <Timer desk={desk} since={one.since} />
        </p>
        <h2><Foreign text={name} most={120} /></h2>
        <p class="organization">{organization === "" ? "\u00a0" : <Foreign text={organization} />}</p>
        <p class="number">{call.withheld || call.number === undefined ? "\u00a0" : <Foreign text={grouped(call.number)} />}</p>
        {call.shared && <p class="aside">{t("shared")}</p>}
      </header>
      <Actions desk={desk} call={call} panel={panel} />
      {panel.value === "transfer" && may_transfer(call) && <TransferForm desk={desk} call={call} done={() => (panel.value = "")} />}
      {page !== undefined && <p class="page"><Link desk={desk} url={page} main>{t("open")}</Link></p>}
      <Records desk={desk} call={call} />
      <Facts call={call} />
      {may_note && <NoteForm desk={desk} call={call} />}
    </article>
  );
}

/** Under it what is to be noted of it can still be written. */
export function LastCall({ desk }: { desk: Desk }) {
  const call = desk.ended.value[0]?.call;
  if (!call || desk.calls.value.length > 0) return null;
  const notes = desk.may_note(call.service);
  return (
    <section class="last" aria-label={t("last_call")} data-key={call.key} data-id={call.id}>
      <h3>{t("last_call")}</h3>
      <p>
        <Foreign text={who_of(call).name} /> <span class="chip">{state_words(call)}</span>
      </p>
      {notes && <NoteForm desk={desk} call={call} />}
    </section>
  );
}
