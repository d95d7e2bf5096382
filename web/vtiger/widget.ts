// The widget of ctibridge in a page of vTiger 7 or 8 (layout v7), which stays as it is. It makes two things: a box with a frame of the console's
// origin, in which everything happens, and a lamp in the header bar. It knows no call, no name and no password; it tells the frame which number was
// clicked, and lets vTiger have the click while the bridge cannot be reached.
import { HELLO, LAMPS, type FromPage, type ToPage } from "../src/frame/words";

const WIDTH = 340;
const ABOVE = 150; // stays free for vTiger's bar and messages
// Phone links of records; the plain cells of lists, related lists and the call log, and the fields of forms, which get a button while the mouse is on them.
const LINK = "a.phoneField";
const CELL = [
  "tr.listViewEntries td[data-field-type='phone'][data-rawvalue]",
  "tr.listViewEntries td.relatedListEntryValues[data-field-type='phone']",
  "tr.listViewEntries td[data-name='customernumber'][data-rawvalue]",
  "span.value[data-field-type='phone']",
  ...["phone", "mobile", "homephone", "otherphone", "assistantphone", "data-fieldtype='phone'"].map((name) => `#EditView input[${name.includes("=") ? name : `name='${name}'`}]`),
].join(", ");
const COLOURS: Readonly<Record<ToPage["lamp"], string>> = {
  off: "#8a929a", insecure: "#a11520", "sign-in": "#8a929a", away: "#a11520", online: "#14632f", ready: "#14632f", "not-ready": "#8a4b00", "wrap-up": "#8a4b00",
  ringing: "#c06800", talking: "#0b5a8f", held: "#5a3d8a", "logged-out": "#4b545e",
};

let state: ToPage = { lamp: "off", text: "", calls: false, shown: false, height: 0 };
let port: MessagePort | undefined;

const say = (what: FromPage) => port?.postMessage(what);

// Styles by the object model: a page's Content-Security-Policy may forbid any in the text, and vTiger's own do not reach into a shadow.
function styled<T extends HTMLElement>(of: T, style: Readonly<Record<string, string>>): T {
  for (const [name, value] of Object.entries(style)) of.style.setProperty(name, value, "important");
  return of;
}

function make<K extends keyof HTMLElementTagNameMap>(name: K, style: Readonly<Record<string, string>>): HTMLElementTagNameMap[K] {
  return styled(document.createElement(name), { all: "initial", ...style });
}

// ---- the lamp ----

function lamp(): { draw(): void; place(): void } {
  const host = make("li", { display: "inline-block", float: "left", position: "relative", cursor: "pointer" });
  host.id = "ctibridge-lamp";
  const button = make("button", { display: "inline-flex", "align-items": "center", gap: "6px", padding: "10px 8px", font: "13px system-ui, sans-serif", color: "inherit", cursor: "pointer", "max-width": "180px" });
  button.type = "button";
  const dot = make("span", { display: "inline-block", width: "12px", height: "12px", "border-radius": "50%", border: "1px solid #fff", flex: "none" });
  const text = make("span", { font: "inherit", color: "inherit", overflow: "hidden", "text-overflow": "ellipsis", "white-space": "nowrap", cursor: "pointer" });
  button.append(dot, text);
  button.addEventListener("click", () => say({ say: "toggle" }));
  button.addEventListener("focus", () => styled(button, { outline: "2px solid #7cc4f2" }));
  button.addEventListener("blur", () => button.style.removeProperty("outline"));
  const shade = make("span", { display: "block" }); // a list's item can have no shadow itself
  shade.attachShadow({ mode: "closed" }).append(button);
  host.append(shade);
  return {
    draw() {
      host.dataset["lamp"] = state.lamp;
      host.dataset["text"] = state.text;
      dot.style.setProperty("background", COLOURS[state.lamp], "important");
      text.textContent = state.text;
      button.title = state.text === "" ? "ctibridge" : `ctibridge: ${state.text}`;
      button.setAttribute("aria-expanded", String(state.shown));
      button.setAttribute("aria-label", button.title);
    },
    /** First of the icons at the right of the bar; where there is no such bar, in the corner. */
    place() {
      const first = document.querySelector("#menubar_quickCreate")?.closest("li");
      if (first?.parentElement) {
        styled(button, { color: getComputedStyle(first.parentElement).color });
        first.before(host);
      } else {
        styled(host, { position: "fixed", float: "none", right: "16px", bottom: "4px", "z-index": "99999", background: "#fff", color: "#16191d", border: "1px solid #c3cad1", "border-radius": "16px" });
        document.body.append(host);
      }
    },
  };
}

// ---- the box ----

function box(address: URL, told: () => void): { draw(): void; place(): void } {
  const host = make("div", { position: "fixed", right: "16px", bottom: "40px", width: `${WIDTH}px`, "z-index": "99999" });
  host.id = "ctibridge-box";
  const frame = make("iframe", { display: "block", width: `${WIDTH}px`, height: "120px", border: "0", visibility: "hidden", "box-shadow": "0 6px 24px rgba(0, 0, 0, 0.3)", "border-radius": "10px" });
  frame.title = "ctibridge";
  frame.src = address.href;
  frame.addEventListener("load", () => {
    const channel = new MessageChannel();
    port?.close();
    port = channel.port1;
    port.onmessage = (event: MessageEvent<ToPage>) => {
      const said = event.data;
      state = { lamp: LAMPS.find((one) => one === said.lamp) ?? "off", text: said.text.slice(0, 200), calls: said.calls, shown: said.shown, height: said.height };
      told();
    };
    // Nobody but the console's own origin gets the other end.
    frame.contentWindow?.postMessage({ hello: HELLO, language: document.body.dataset["language"] ?? "" }, address.origin, [channel.port2]);
  });
  host.attachShadow({ mode: "closed" }).append(frame);
  return {
    draw() {
      const height = Math.min(Math.max(state.height, 60), Math.max(200, innerHeight - ABOVE));
      styled(frame, { visibility: state.shown ? "visible" : "hidden", height: `${height}px` });
      styled(host, { "pointer-events": state.shown ? "auto" : "none" });
      host.dataset["shown"] = String(state.shown);
    },
    place: () => document.body.append(host),
  };
}

// ---- the numbers ----

function record_at(of: Element): { module: string; id: string } | undefined {
  const page = window as unknown as { _META?: { module?: unknown }; app?: { getModuleName?: () => unknown } };
  const row = of.closest<HTMLElement>("tr.listViewEntries[data-id]");
  const id = of.getAttribute("record") ?? row?.dataset["id"] ?? document.querySelector<HTMLInputElement>("#recordId")?.value ?? "";
  // A related list holds records of another module than the page's; the call log's rows are calls.
  const related = of.closest(".relatedContents")?.querySelector<HTMLInputElement>("input.relatedModuleName")?.value;
  const module = row ? (related ?? page._META?.module) : page._META?.module;
  return typeof module === "string" && /^\w{1,50}$/.test(module) && module !== "PBXManager" && /^\d{1,19}$/.test(id) ? { module, id } : undefined;
}

function number_of(of: HTMLElement): string {
  // The text is what was stored; data-value has lost the brackets of "(0)".
  const text = of instanceof HTMLInputElement ? of.value : of.textContent.trim();
  return (/\d/.test(text) ? text : (of.dataset["value"] ?? of.dataset["rawvalue"] ?? of.title)).slice(0, 500);
}

function dial(of: HTMLElement): void {
  say({ say: "dial", text: number_of(of), record: record_at(of) });
}

/** Whether this event is the operator's own, on a number, while we can do something with it. */
function is_ours(event: MouseEvent): boolean {
  return state.calls && event.isTrusted && event.button === 0;
}

function listen(): void {
  // Before everything else of the page: the link has an onclick of its own. Delegated: records change their fields without a new page.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>(LINK) : null;
    if (!link || !is_ours(event) || !/\d/.test(number_of(link))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    dial(link);
  }, true);
}

/** One button for all plain numbers: it stands beside the one under the mouse. What is in the page's tables is left alone. */
function button(): { draw(): void; place(): void } {
  const host = make("div", { position: "fixed", "z-index": "99998", display: "none" });
  host.id = "ctibridge-dial";
  const press = make("button", { display: "block", width: "28px", height: "24px", font: "16px/22px system-ui, sans-serif", "text-align": "center", background: "#fff", color: "#14632f", border: "1px solid #14632f", "border-radius": "6px", cursor: "pointer" });
  press.type = "button";
  press.textContent = "\u260e";
  host.attachShadow({ mode: "closed" }).append(press);
  let at: HTMLElement | undefined;
  const show = (cell: HTMLElement | undefined) => {
    at = cell;
    delete host.dataset["number"];
    if (cell) {
      const place = cell.getBoundingClientRect();
      const edge = Math.min(place.right, innerWidth) - 30;
      styled(host, { left: `${Math.max(place.left, edge)}px`, top: `${place.top + Math.max(0, (place.height - 24) / 2)}px` });
      host.dataset["number"] = press.title = number_of(cell);
    }
    styled(host, { display: cell ? "block" : "none" });
  };
  document.addEventListener("pointerover", (event) => {
    if (!(event.target instanceof Element) || event.target === host) return;
    const cell = state.calls ? event.target.closest<HTMLElement>(CELL) : null;
    const wanted = cell && /\d{3}/.test(number_of(cell).replace(/\D/g, "")) && !cell.querySelector(LINK) ? cell : undefined;
    if (wanted !== at) show(wanted);
  }, true);
  addEventListener("scroll", () => show(undefined), { capture: true, passive: true });
  // The page behind must not take it for a click on the row, which opens the record.
  host.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (at?.isConnected && is_ours(event)) dial(at);
    show(undefined);
  });
  return {
    draw() {
      if (!state.calls && at) show(undefined);
    },
    place: () => document.body.append(host),
  };
}

function begin(script: string): void {
  if (document.getElementById("ctibridge-box")) return; // the script was put in twice
  const address = new URL("frame.html", script);
  const drawn: { draw(): void; place(): void }[] = [];
  const told = () => drawn.forEach((one) => one.draw());
  drawn.push(lamp(), box(address, told), button());
  listen();
  for (const one of drawn) one.place();
  told();
}

const own = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";
// vTiger's pages never are in a frame; what is in one is somebody else's.
if (own !== "" && window.top === window) {
  if (document.body as HTMLElement | null) begin(own);
  else document.addEventListener("DOMContentLoaded", () => begin(own));
}
