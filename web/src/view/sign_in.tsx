import { useSignal } from "@preact/signals";
import { jid_of } from "../core/text";
import type { Desk } from "../desk/desk";
import { t } from "../i18n";

export function SignIn({ desk }: { desk: Desk }) {
  const wrong = useSignal(false);
  const status = desk.status.value;
  const busy = status.kind === "connecting";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    const jid = jid_of(text("username"), desk.domain);
    wrong.value = jid === undefined;
    if (jid !== undefined) desk.sign_in(jid, text("password"), form.has("stay"));
  };
  const why = wrong.value ? t("bad_account") : status.kind === "out" && status.why !== "" ? t(`out_${status.why}`) : "";
  return (
    <main class="sign-in">
      <form method="post" onSubmit={submit} aria-busy={busy}>
        <h1>{t("title")}</h1>
        <label for="username">{t("account")}</label>
        <input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus={window.parent === window} aria-describedby="account-hint" />
        <small id="account-hint">{t("account_hint", { domain: desk.domain })}</small>
        <label for="password">{t("password")}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <label class="check">
          <input name="stay" type="checkbox" /> {t("stay")}
        </label>
        <button class="main" disabled={busy}>{busy ? t("signing_in") : t("sign_in")}</button>
        <p class="error" role="alert">{busy ? "" : why}</p>
      </form>
    </main>
  );
}

export function Problem({ title, text }: { title: string; text: string }) {
  return (
    <main class="sign-in">
      <div class="problem" role="alert">
        <h1>{title}</h1>
        <p>{text}</p>
      </div>
    </main>
  );
}
