// Text of others on its way to the screen, and text of ours on its way to XML.

/** Without the characters that XML 1.0 cannot carry: one of them would end the stream. */
export function xml_text(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
}

/** A caller's words in one line: no marks that turn the direction of what stands around them, no controls, no pile of accents. */
export function shown(text: string, most = 200): string {
  const clean = text
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, "")
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(/(\p{M}{4})\p{M}+/gu, "$1")
    .trim();
  const signs = Array.from(clean);
  return signs.length > most ? `${signs.slice(0, most - 1).join("")}…` : clean;
}

/** Time as people read a clock: 0:07, 12:30, 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A JID as typed: the domain of the configuration is added where none is given. Nothing if it can be none. */
export function jid_of(typed: string, domain: string): string | undefined {
  const text = typed.trim().normalize("NFKC");
  const jid = (text.includes("@") ? text : `${text}@${domain}`).toLowerCase();
  return /^[^\s"&'/:<>@]{1,256}@[^\s"&'/:<>@]{1,256}$/.test(jid) ? jid : undefined;
}
