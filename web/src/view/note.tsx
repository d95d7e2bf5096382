import { useSignal } from "@preact/signals";
import { codes_for } from "../core/agent";
import type { Call } from "../core/call";
import { ask } from "../core/request";
import type { Desk } from "../desk/desk";
import { t } from "../i18n";

export function NoteForm({ desk, call }: { desk: Desk; call: Call }) {
  const busy = useSignal(false);
  const saved = useSignal(false);
  const draft = desk.drafts.of(call.id);
  const codes = codes_for(desk.me.value, call.service);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    busy.value = true;
    saved.value = (await desk.act(ask.note(call.id, draft.text, draft.code))) !== undefined;
    busy.value = false;
  };
  const change = (what: Partial<typeof draft>) => {
    saved.value = false;
    desk.drafts.write(call.id, what);
  };
  return (
    <form class="note" onSubmit={(event) => void submit(event)}>
      <label for={`note-${call.key}`}>{t("note_for")}</label>
      <textarea id={`note-${call.key}`} data-part="note" rows={2} maxLength={4000} value={draft.text} onInput={(event) => change({ text: event.currentTarget.value })} />
      {codes.length > 0 && (
        <label>
          {t("code")}{" "}
          <select value={draft.code} onChange={(event) => change({ code: event.currentTarget.value })}>
            <option value="">{t("no_code")}</option>
            {codes.map((one) => <option key={one.code} value={one.code}>{one.label}</option>)}
          </select>
        </label>
      )}
      <button disabled={busy.value || !desk.live.value || (draft.text === "" && draft.code === "")}>{t("save")}</button>
      <span role="status">{saved.value ? t("saved") : ""}</span>
    </form>
  );
}
