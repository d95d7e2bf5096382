// The operator's own state in the queues. Not shown where the bridge has no agents.
import { useSignal } from "@preact/signals";
import type { Agent } from "../core/agent";
import { ask, type Request } from "../core/request";
import { shown } from "../core/text";
import type { Desk } from "../desk/desk";
import { t, t_of } from "../i18n";
import { Foreign, Timer } from "./parts";

function label_of(desk: Desk, reason: string): string {
  return desk.me.value?.reasons.find((one) => one.code === reason)?.label ?? reason;
}

/** "1:28 left", with the time where the language has it. */
function Left({ desk, until }: { desk: Desk; until: number }) {
  const [before = "", after = ""] = t("agent_left", { time: "\n" }).split("\n");
  return <span class="time">{before}<Timer desk={desk} until={until} />{after}</span>;
}

function State({ desk, agent }: { desk: Desk; agent: Agent }) {
  const by = agent.by === undefined || agent.by === desk.jid.value ? "" : t("agent_by", { who: shown(agent.by) });
  return (
    <>
      <p class="agent-state" data-agent={agent.state}>
        <strong>{t_of("agent", agent.state)}</strong>
        {agent.until === undefined ? <Timer desk={desk} since={agent.since} /> : <Left desk={desk} until={agent.until} />}
      </p>
      <p class="aside">
        {agent.seat !== undefined && <span data-part="sits">{t("seat_at", { seat: shown(agent.seat, 40) })} </span>}
        {agent.reason === undefined ? "" : <Foreign text={label_of(desk, agent.reason)} />} {by}{" "}
        {agent.pending !== undefined && <em>{t("agent_pending", { state: t_of("agent", agent.pending) })}</em>}{"\u00a0"}
      </p>
    </>
  );
}

export function AgentBar({ desk }: { desk: Desk }) {
  const busy = useSignal(false);
  const reason = useSignal("");
  const seat = useSignal("");
  const agent = desk.agent.value;
  if (!desk.abilities.value.has("agent") || !agent) return null;
  const reasons = desk.me.value?.reasons ?? [];
  const act = async (request: Request) => {
    busy.value = true;
    await desk.act(request);
    busy.value = false;
  };
  const may = (action: string) => agent.actions.includes(action);
  const off = busy.value || !desk.live.value;
  const seats = desk.me.value?.seats ?? [];
  // A seat belongs to who is signed in there: it is chosen before.
  const choosing = seats.length > 0 && agent.state === "logged-out";
  return (
    <section class="agent panel" aria-label={t("agent")}>
      <State desk={desk} agent={agent} />
      <div class="row">
        <button data-agent-action="ready" class="main" disabled={off || !(may("ready") || may("login"))} onClick={() => void act(ask.state("ready", undefined, choosing && seat.value !== "" ? seat.value : undefined))}>{t("make_ready")}</button>
        <button data-agent-action="not-ready" disabled={off || !may("not-ready")} onClick={() => void act(ask.state("not-ready", reason.value === "" ? undefined : reason.value))}>{t("make_not_ready")}</button>
        <button data-agent-action="logged-out" disabled={off || !(may("logged-out") || may("logout"))} onClick={() => void act(ask.state("logged-out"))}>{t("make_out")}</button>
      </div>
      {reasons.length === 0 ? (
        <label class="row">
          {t("reason")} <input maxLength={40} value={reason.value} onInput={(event) => (reason.value = event.currentTarget.value)} />
        </label>
      ) : (
        <label>
          {t("reason")}{" "}
          <select value={reason.value} onChange={(event) => (reason.value = event.currentTarget.value)}>
            <option value="">{t("no_reason")}</option>
            {reasons.map((one) => <option key={one.code} value={one.code}>{one.label}</option>)}
          </select>
        </label>
      )}
      {choosing && (
        <label class="row">
          {t("seat")}{" "}
          <select data-part="seat" value={seat.value} onChange={(event) => (seat.value = event.currentTarget.value)}>
            <option value="">{t("seat_own")}</option>
            {seats.map((one) => <option key={one.id} value={one.id}>{[one.id, one.extension, one.place].filter((part) => part !== undefined).map((part) => shown(part, 40)).join(" · ")}</option>)}
          </select>
        </label>
      )}
      {agent.state === "wrap-up" && may("extend") && <button disabled={off} onClick={() => void act(ask.extend(60))}>{t("make_longer")}</button>}
      {agent.services.length > 0 && (
        <ul class="services" aria-label={t("services")}>
          {agent.services.map((one) => (
            <li key={one.name} data-service={one.state}>
              <Foreign text={one.name} /> <span>{t_of("service", one.state)}</span>
              {one.text !== undefined && <small><Foreign text={one.text} /></small>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
