// What somebody typed or pasted, as the number that will be dialled. The bridge decides what it means; here it is made plain and shown.

export type Understood =
  | { readonly kind: "empty" }
  | { readonly kind: "number"; readonly number: string; readonly others: readonly string[] } // others: more numbers in the text
  | { readonly kind: "unknown" };

// Digits of any script, at the place of their value.
function plain_digits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    if (code < 128) return digit;
    // Digits of a script stand together, zero first.
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// RFC 3966: tel:+44-20-7946-0201;ext=5 and tel:7946-0201;phone-context=+4420
function without_uri(text: string): string {
  const found = /^\s*(?:web\+)?(tel|callto|sip|sips):(?:\/\/)?(.*)$/is.exec(text);
  if (!found) return text;
  const [number = "", ...parameters] = unescaped(found[2] ?? "").split(";");
  const context = parameters.map((one) => /^phone-context=(\+[\d.()-]+)$/i.exec(one)?.[1]).find((one) => one !== undefined);
  const local = number.split("@")[0] ?? "";
  return context !== undefined && !local.trim().startsWith("+") ? context + local : local;
}

// Signs between digits that people write for the eye.
const BETWEEN = "[\\s\\u00a0\\u2007\\u202f().\\-\\u2010-\\u2015\\u2212/\\u00b7]";
const NUMBER = new RegExp(`[+*#(]?(?:${BETWEEN}*[\\d*#])+`, "g");

function one_number(found: string): string {
  // +44 (0)20: the zero is for callers from inside the country.
  const plus = found.trimStart().startsWith("+");
  const kept = plus ? found.replace(/\(\s*0\s*\)/, "") : found;
  return (plus ? "+" : "") + kept.replace(/[^\d*#]/g, "");
}

export function understand(text: string): Understood {
  // Marks that turn the direction of writing come along with numbers from mails and chats.
  const clean = plain_digits(without_uri(text.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/g, "").normalize("NFKC")));
  if (clean.trim() === "") return { kind: "empty" };
  const found = (clean.match(NUMBER) ?? []).map(one_number).filter((one) => /\d/.test(one) || /^[*#]/.test(one));
  const numbers = [...new Set(found)].filter((one) => one.length <= 32);
  // "Suite 5, +44 20 7946 0201": what has the most digits is the number, an extension only where there is nothing longer.
  const longest = numbers.reduce((most, one) => Math.max(most, one.length), 0);
  const likely = numbers.filter((one) => longest < 6 || one.length >= 6);
  const [number, ...others] = likely;
  return number === undefined ? { kind: "unknown" } : { kind: "number", number, others: others.slice(0, 4) };
}

// Country codes of one and two digits (ITU-T E.164); all others have three.
const COUNTRY = /^(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** In groups, for the eye: the country code, threes, and at the end up to four. */
export function grouped(number: string): string {
  const plus = number.startsWith("+");
  const digits = plus ? number.slice(1) : number;
  if (digits.length < 7 || /\D/.test(digits)) return number;
  const country = plus ? (COUNTRY.exec(digits)?.[0] ?? digits.slice(0, 3)) : "";
  const rest = digits.slice(country.length).match(/.{3}(?=.{2})|.+/g) ?? [];
  return (plus ? [`+${country}`, ...rest] : rest).join("\u202f");
}
