// Words of the page. A language is one file beside this one and one line below; the compiler and a test see to it that none is missing.
import { signal } from "@preact/signals";
import de from "./de.json";
import en from "./en.json";

export type Key = keyof typeof en;
export type Dictionary = Record<Key, string>;

export const LANGUAGES: Readonly<Record<string, { readonly name: string; readonly words: Dictionary }>> = {
  en: { name: "English", words: en },
  de: { name: "Deutsch", words: de },
};

/** The first of the wished languages that there is. */
export function chosen(wished: readonly string[]): string {
  return wished.map((one) => one.toLowerCase().split("-")[0] ?? "").find((one) => one in LANGUAGES) ?? "en";
}

export const language = signal("en");

export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

export function t(key: Key, values: Readonly<Record<string, string>> = {}): string {
  return fill((LANGUAGES[language.value]?.words ?? en)[key], values);
}

/** Words for a value from outside; the value itself where there are none. */
export function t_of(prefix: string, value: string): string {
  const key = `${prefix}_${value}`;
  return key in en ? t(key as Key) : value;
}
