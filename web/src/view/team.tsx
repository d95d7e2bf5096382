// The people one is responsible for, and what they do. Not shown to who is responsible for nobody.
import { useSignal } from "@preact/signals";
import type { Agent } from "../core/agent";
import { ask } from "../core/request";
import { shown } from "../core/text";
import type { Console } from "../desk/console";
import { t, t_of } from "../i18n";
import { Foreign, Timer } from "./parts";

const STATES = ["ready", "not-ready", "logged-out"] as const;
const LABELS = { ready: "make_ready", "not-ready": "make_not_ready", "logged-out": "make_out" } as const;

function Person({ desk, jid, agent }: { desk: Console; jid: string; agent: Agent }) {
  const busy = useSignal(false);
  const name = desk.directory.value.find((one) => one.jid === jid)?.name ?? jid;
  const ask_state = async (state: (typeof STATES)[number]) => {
    busy.value = true;
    await desk.act(ask.state_of(jid, state));
    busy.value = false;
  };
  const reason = agent.reason === undefined ? "" : ` (${desk.me.value?.reasons.find((one) => one.code === agent.reason)?.label ?? shown(agent.reason, 40)})`;
  return (
    <li data-jid={jid} data-agent={agent.state}>
      <p>
        <strong><Foreign text={name} most={60} /></strong> <span class="aside">{t_of("agent", agent.state)}{reason}</span> <Timer desk={desk} since={agent.since} />
      </p>
      <div class="row">
        {STATES.filter((one) => one !== agent.state).map((one) => (
          <button key={one} data-team-action={one} disabled={busy.value || !desk.live.value} onClick={() => void ask_state(one)}>{t(LABELS[one])}</button>
        ))}
      </div>
    </li>
  );
}

export function Team({ desk }: { desk: Console }) {
  const team = [...desk.team.value];
  if (team.length === 0) return null;
  return (
    <section class="team panel" aria-label={t("team")}>
      <h3>{t("team")}</h3>
      <ul>{team.map(([jid, agent]) => <Person key={jid} desk={desk} jid={jid} agent={agent} />)}</ul>
    </section>
  );
}
