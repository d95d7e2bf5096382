import { useSignal } from "@preact/signals";
import { filtered } from "../core/history";
import { grouped, understand } from "../core/number";
import { ask } from "../core/request";
import type { Console } from "../desk/console";
import { t } from "../i18n";
import { Foreign } from "./parts";
import { Line } from "./transfer";

export function Dial({ desk }: { desk: Console }) {
  const busy = useSignal(false);
  const service = useSignal("");
  const text = desk.dial_text.value;
  const understood = understand(text);
  const me = desk.me.value;
  const may = desk.has("dial") && desk.live.value;
  const services = (me?.services ?? []).filter((one) => one.direction === "outbound");
  // A name in the field means a colleague.
  const people = /\p{L}/u.test(text) && understood.kind !== "number" ? filtered(desk.directory.value, text).slice(0, 4) : [];
  const dial = async (event: SubmitEvent) => {
    event.preventDefault();
    if (understood.kind !== "number" || !may) return;
    busy.value = true;
    const ok = await desk.act(ask.dial(understood.number, undefined, service.value === "" ? undefined : service.value));
    busy.value = false;
    if (ok !== undefined) desk.dial_text.value = "";
  };
  const hint =
    me && !desk.has("dial") ? t("dial_off")
    : understood.kind === "number" ? t("dial_will", { number: grouped(understood.number) })
    : understood.kind === "unknown" && people.length === 0 ? t("dial_unknown")
    : "\u00a0";
  return (
    <form class="dial panel" aria-label={t("dial")} onSubmit={(event) => void dial(event)}>
      <label for="dial">{t("dial_label")}</label>
      <div class="row">
        <input id="dial" inputMode="tel" autocomplete="off" spellcheck={false} placeholder={t("dial_hint")} maxLength={500} value={text} aria-describedby="dial-will" onFocus={() => void desk.load_directory()} onInput={(event) => (desk.dial_text.value = event.currentTarget.value)} />
        <button class="main" disabled={busy.value || !may || understood.kind !== "number"}>{t("dial")}</button>
      </div>
      <p id="dial-will" aria-live="polite">{hint}</p>
      {understood.kind === "number" && understood.others.length > 0 && (
        <p class="others">
          {t("dial_also")}{" "}
          {understood.others.map((one) => <button key={one} type="button" onClick={() => (desk.dial_text.value = one)}>{grouped(one)}</button>)}
        </p>
      )}
      {people.length > 0 && (
        <ul class="people">
          {people.map((one) => (
            <li key={one.number}>
              <button type="button" onClick={() => (desk.dial_text.value = one.number)}>
                <Foreign text={one.name} /> <span class="number">{one.number}</span> <Line colleague={one} />
              </button>
              {one.state === "ringing" && one.call && desk.has("pickup") && (
                <button type="button" disabled={!may} onClick={() => one.call && void desk.act(ask.simple("pickup", one.call))}>{t("pickup")}</button>
              )}
            </li>
          ))}
        </ul>
      )}
      {services.length > 0 && (
        <label>
          {t("dial_service")}{" "}
          <select value={service.value} onChange={(event) => (service.value = event.currentTarget.value)}>
            <option value="">{t("dial_service_none")}</option>
            {services.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select>
        </label>
      )}
    </form>
  );
}
