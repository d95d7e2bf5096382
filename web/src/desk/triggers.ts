// Performs what core/triggers.ts decides: opens the page in exactly one tab, notifies and rings in the tab that leads.
import { is_page } from "../core/link";
import { notifying, opening, sounding } from "../core/triggers";
import type { Config } from "../core/config";
import type { Change } from "../core/picture";
import { shown } from "../core/text";
import { t } from "../i18n";
import { Bell } from "./bell";
import type { Console } from "./console";
import { Once } from "./storage";

const RECORD_WINDOW = "ctibridge-record";

export class Triggers {
  private readonly once = new Once();
  private readonly bell: Bell;
  private readonly notifications = new Map<string, Notification>();
  private leads = false;

  constructor(private readonly config: Config, private readonly desk: Console) {
    this.bell = new Bell((is) => (this.desk.blocked.value = is));
  }

  lead(leads: boolean): void {
    this.leads = leads;
    this.ring();
  }

  changed(changes: readonly Change[]): void {
    this.ring();
    for (const change of changes) {
      const page = opening(change, this.config);
      if (page) void this.open_once(page.once, page.url);
    }
    this.notify(changes);
  }

  private ring(): void {
    const calls = this.desk.picture.calls.map((one) => one.call);
    const due = this.leads && this.desk.settings.peek().sound && !this.desk.silent.peek() && sounding(calls, this.config);
    this.bell.set(due);
    this.desk.ringing.value = due;
  }

  private notify(changes: readonly Change[]): void {
    for (const { call } of changes) {
      const known = this.notifications.get(call.key);
      if (known && call.state !== "ringing") {
        known.close();
        this.notifications.delete(call.key);
      }
      const wanted = this.leads && !known && this.desk.settings.peek().notify && notifying(call, this.config);
      // Whoever looks at the page sees the call there.
      if (!wanted || document.hasFocus() || !("Notification" in window) || Notification.permission !== "granted") continue;
      const match = call.matches[0];
      const who = match && match.quality !== "suffix" && match.label !== "" ? match.label : (call.name ?? "");
      const body = [call.withheld ? t("withheld") : call.number, call.queue ?? call.service].filter((one) => one !== undefined && one !== "").join(" · ");
      this.show(call.key, shown(who === "" ? t("incoming") : who), shown(body));
    }
  }

  private show(key: string, title: string, body: string): void {
    try {
      const notification = new Notification(title, { body, tag: `ctibridge ${key}`, requireInteraction: true });
      notification.onclick = () => {
        window.focus();
        notification.close();
      };
      this.notifications.set(key, notification);
    } catch {
      // Browsers of telephones allow a page none of its own: the call is shown all the same.
    }
  }

  private async open_once(name: string, url: string): Promise<void> {
    if (await this.once.first(name, Date.now())) this.open(url);
  }

  open(url: string): void {
    if (!is_page(url)) {
      // A program of this computer: the page stays.
      window.location.assign(url);
      return;
    }
    const opened = window.open("about:blank", this.config.window === "one" ? RECORD_WINDOW : "_blank");
    if (!opened) return this.desk.tell({ text: { key: "popup_blocked" }, link: url });
    // The page of another program must not reach back into this one.
    opened.opener = null;
    opened.location.replace(url);
  }
}
