// The frame in a page of the CRM. Of the console's origin: the page around it can neither read nor press anything in here.
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { understand } from "../core/number";
import { is_page } from "../core/link";
import { ask } from "../core/request";
import { Mirror, type Wire } from "../desk/mirror";
import { frame, login, settings } from "../desk/storage";
import { Tabs } from "../desk/tabs";
import { chosen, language, t, t_of } from "../i18n";
import { Box } from "./box";
import { from_page, HELLO, origins_of, LAMPS, type FromPage, type Lamp, type ToPage } from "./words";
import worker_address from "../worker/main?sharedworker&url";
import "../style.css";
import "./frame.css";

const root = document.getElementById("app") ?? document.body;

/** The page around us, once it has said hello and is one of those the daemon allows. */
function hello(): Promise<{ port: MessagePort; origin: string; language: string }> {
  const allowed = fetch("origins.json", { cache: "no-cache" }).then(async (answer) => (answer.ok ? origins_of(await answer.json()) : []));
  return new Promise((resolve) => {
    addEventListener("message", (event: MessageEvent<unknown>) => {
      const said = event.data as { hello?: unknown; language?: unknown } | null;
      const port = event.ports[0];
      if (event.source !== window.parent || window.parent === window || said?.hello !== HELLO || !port) return;
      void allowed.then((origins) => {
        if (origins.includes(event.origin)) resolve({ port, origin: event.origin, language: typeof said.language === "string" ? said.language.replace("_", "-") : "" });
      });
    });
  });
}

/** The worker; where the browser gives us none, the session lives in this frame and ends with the page. */
async function wire(): Promise<Wire> {
  try {
    // It must live while one page goes and the next comes: the browser keeps it for some seconds without any.
    const options = { type: "module", name: "ctibridge", extendedLifetime: true } as const;
    return new SharedWorker(worker_address, options).port;
  } catch {
    const [{ Hub }, { config_of }] = await Promise.all([import("../worker/hub"), import("../core/config")]);
    const answer = await fetch("config.json", { cache: "no-cache" });
    const channel = new MessageChannel();
    new Hub(config_of((await answer.json()) as unknown, location.href)).join(channel.port2);
    return channel.port1;
  }
}

function theme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { theme: wished } = settings.load();
    document.documentElement.dataset["theme"] = wished === "auto" ? (dark.matches ? "dark" : "light") : wished;
  };
  apply();
  dark.addEventListener("change", apply);
}

function lamp_of(desk: Mirror): { lamp: Lamp; text: string } {
  const status = desk.status.value;
  if (status.kind === "out") return { lamp: "sign-in", text: desk.resuming.value ? t("connecting") : t("sign_in") };
  if (!desk.live.value) return { lamp: "away", text: desk.bridge.value === "stranger" ? t("bridge_stranger") : status.kind === "online" ? t("bridge_away") : t("connecting") };
  const agent = desk.abilities.value.has("agent") ? desk.agent.value : undefined;
  const lamp = LAMPS.find((one) => one === agent?.state) ?? "online";
  return { lamp, text: agent ? t_of("agent", agent.state) : t("online") };
}

function dial(desk: Mirror, said: FromPage & { say: "dial" }): void {
  const understood = understand(said.text);
  if (understood.kind === "number") void desk.act(ask.dial(understood.number, said.record));
  else desk.tell({ text: { key: "dial_unknown" } });
}

async function begin(): Promise<void> {
  const page = await hello();
  const send = (what: ToPage) => page.port.postMessage(what);
  language.value = chosen([settings.load().language, page.language, ...navigator.languages]);
  document.documentElement.lang = language.value;
  if (!window.isSecureContext) {
    // A password must not be typed here; the console in its own window still works.
    send({ lamp: "insecure", text: t("insecure"), calls: false, shown: false, height: 0 });
    return;
  }
  theme();
  const tabs: { value: Tabs | undefined } = { value: undefined };
  const desk = new Mirror(await wire(), {
    login: async () => login.load() ?? (await tabs.value?.ask_login()),
    resource: () => frame.resource.get(),
    keep(known, stay, resource) {
      login.save(known, stay || login.is_kept());
      frame.resource.set(resource);
    },
    forget: () => login.clear(),
    signed_out: () => tabs.value?.sign_out(),
    // A record of this CRM takes the place of the page, as its own links do.
    open(url) {
      if (!is_page(url)) window.location.assign(url);
      else if (new URL(url).origin === page.origin) window.open(url, "_top");
      else window.open(url, "_blank", "noopener,noreferrer");
    },
    read_drafts: () => frame.drafts.get(),
    write_drafts: (text) => frame.drafts.set(text),
  });
  tabs.value = new Tabs(() => (desk.status.peek().kind === "online" ? login.load() : undefined), () => desk.leave());
  const wished = signal(false); // opened by the lamp
  const aside = signal<readonly string[]>(frame.aside.get()); // calls whose box was closed
  const height = signal(0);
  effect(() => frame.aside.set(aside.value));
  const due = () => desk.calls.value.some((one) => !aside.value.includes(one.call.key)) || desk.notices.value.length > 0;
  const close = () => {
    wished.value = false;
    aside.value = desk.calls.peek().map((one) => one.call.key);
    desk.notices.value = [];
  };
  effect(() => {
    const shown = wished.value || due();
    document.documentElement.dataset["shown"] = String(shown);
    send({ ...lamp_of(desk), calls: desk.live.value && desk.has("dial"), shown, height: height.value });
  });
  page.port.onmessage = (event: MessageEvent<unknown>) => {
    const said = from_page(event.data);
    if (said?.say === "dial") dial(desk, said);
    else if (said) {
      if (wished.peek() || due()) close();
      else wished.value = true;
    }
  };
  addEventListener("pagehide", () => desk.bye());
  // Taken out of the browser's memory of pages: the worker has forgotten this one.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) desk.retry();
  });
  render(<Box desk={desk} close={close} />, root);
  new ResizeObserver(() => (height.value = Math.ceil(root.getBoundingClientRect().height))).observe(root);
}

void begin();
