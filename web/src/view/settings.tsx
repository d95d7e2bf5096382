import { useEffect, useRef } from "preact/hooks";
import type { Console } from "../desk/console";
import { LANGUAGES, t } from "../i18n";
import { SHORTCUTS } from "./keys";

const THEMES = ["auto", "light", "dark"] as const;

function Check({ name, on, set }: { name: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onChange={(event) => set(event.currentTarget.checked)} /> {name}
    </label>
  );
}

export function Settings({ desk, open, close }: { desk: Console; open: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const chosen = desk.settings.value;
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  const notify = (on: boolean) => {
    desk.change_settings({ notify: on });
    if (on && desk.permission.value === "default") void desk.ask_permission();
  };
  const denied = chosen.notify && desk.permission.value === "denied";
  return (
    <dialog ref={dialog} class="settings" aria-labelledby="settings-title" onClose={close}>
      <h2 id="settings-title">{t("settings")}</h2>
      <label>
        {t("language_choice")}{" "}
        <select value={chosen.language} onChange={(event) => desk.change_settings({ language: event.currentTarget.value })}>
          <option value="">{t("language_auto")}</option>
          {Object.entries(LANGUAGES).map(([code, one]) => <option key={code} value={code}>{one.name}</option>)}
        </select>
      </label>
      <label>
        {t("theme")}{" "}
        <select value={chosen.theme} onChange={(event) => desk.change_settings({ theme: THEMES.find((one) => one === event.currentTarget.value) ?? "auto" })}>
          {THEMES.map((one) => <option key={one} value={one}>{t(`theme_${one}`)}</option>)}
        </select>
      </label>
      <Check name={t("set_sound")} on={chosen.sound} set={(sound) => desk.change_settings({ sound })} />
      <Check name={t("set_notify")} on={chosen.notify} set={notify} />
      {denied && <p class="error">{t("notify_denied")}</p>}
      <Check name={t("set_keys")} on={chosen.keys} set={(keys) => desk.change_settings({ keys })} />
      {"registerProtocolHandler" in navigator && (
        <button onClick={() => navigator.registerProtocolHandler("tel", `${location.origin}${location.pathname}?dial=%s`)}>{t("tel_handler")}</button>
      )}
      <h3>{t("shortcuts")}</h3>
      <dl class="shortcuts">
        {SHORTCUTS.map(([key, name]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{t(name)}</dd>
          </div>
        ))}
      </dl>
      <button class="main" onClick={close} autofocus>{t("close")}</button>
    </dialog>
  );
}
