import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../core/call";
import { filtered, type Colleague } from "../core/history";
import { understand } from "../core/number";
import { ask } from "../core/request";
import type { Desk } from "../desk/desk";
import { t, t_of } from "../i18n";
import { Foreign } from "./parts";

export function Line({ colleague }: { colleague: Colleague }) {
  return <span class="line" data-line={colleague.state}>{colleague.state === "" ? "" : t_of("line", colleague.state)}</span>;
}

export function TransferForm({ desk, call, done }: { desk: Desk; call: Call; done: () => void }) {
  const text = useSignal("");
  const busy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    void desk.load_directory();
  }, [desk]);
  const understood = understand(text.value);
  const to = understood.kind === "number" ? understood.number : undefined;
  const go = async (mode: "blind" | "attended") => {
    if (to === undefined) return;
    busy.value = true;
    const ok = await desk.act(ask.transfer(call, mode, to));
    busy.value = false;
    if (ok !== undefined) done();
  };
  const blind = call.actions.includes("transfer");
  const off = busy.value || to === undefined || !desk.live.value;
  const found = filtered(desk.directory.value, text.value).slice(0, 8);
  return (
    <form
      class="transfer"
      onSubmit={(event) => {
        event.preventDefault();
        void go(blind ? "blind" : "attended");
      }}
    >
      <label for={`transfer-${call.key}`}>{t("transfer_to")}</label>
      <input id={`transfer-${call.key}`} ref={field} value={text.value} placeholder={t("transfer_hint")} autocomplete="off" onInput={(event) => (text.value = event.currentTarget.value)} />
      {blind && <button class="main" disabled={off}>{t("transfer_blind")}</button>}
      {call.actions.includes("consult") && <button type={blind ? "button" : "submit"} disabled={off} onClick={blind ? () => void go("attended") : undefined}>{t("transfer_attended")}</button>}
      {found.length > 0 && (
        <ul class="people">
          {found.map((one) => (
            <li key={one.number}>
              <button type="button" onClick={() => (text.value = one.number)}>
                <Foreign text={one.name} /> <span class="number">{one.number}</span> <Line colleague={one} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
