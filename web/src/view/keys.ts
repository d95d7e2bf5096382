// Shortcuts of one key. They press the buttons that are on the page, so that nothing can be done by key that is not shown as possible.
import type { Key } from "../i18n";

export const SHORTCUTS: readonly (readonly [string, Key])[] = [
  ["d", "key_dial"], ["a", "key_answer"], ["h", "key_hangup"], ["o", "key_open"], ["c", "key_note"], ["t", "key_transfer"],
  ["r", "key_ready"], ["n", "key_not_ready"], ["s", "key_silent"], ["j", "key_next"], ["?", "key_help"],
];

const CHOSEN = ".call[aria-current='true']";
const BUTTONS: Readonly<Record<string, string>> = {
  a: `${CHOSEN} [data-action='answer']`,
  h: `${CHOSEN} [data-action='hangup']`,
  t: `${CHOSEN} [data-action='transfer']`,
  o: `${CHOSEN} .page a, ${CHOSEN} .records a`,
  r: "[data-agent-action='ready']",
  n: "[data-agent-action='not-ready']",
  s: "[data-action='silence']",
  "?": "[data-action='settings']",
};
const FIELDS: Readonly<Record<string, string>> = { d: "#dial", c: `${CHOSEN} [data-part='note'], .last [data-part='note']` };

function is_typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("dialog") !== null);
}

export function on_key(event: KeyboardEvent, next: () => void): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "Escape" && event.target instanceof HTMLElement) return event.target.blur();
  if (is_typing(event.target)) return;
  const found = document.querySelector<HTMLElement>(BUTTONS[event.key] ?? FIELDS[event.key] ?? ":not(*)");
  if (event.key === "j") next();
  else if (!found) return;
  else if (event.key in FIELDS) found.focus();
  else if (!found.matches(":disabled")) found.click();
  event.preventDefault();
}
