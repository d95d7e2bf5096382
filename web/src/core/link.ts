// Addresses from outside: only those of https, http and the schemes of the configuration are ever followed or shown as a link.

const NEVER = new Set(["javascript", "data", "vbscript", "blob", "file", "filesystem", "about", "view-source"]);

/** Schemes of the configuration that may be links. */
export function usable_schemes(given: readonly string[]): readonly string[] {
  return given.map((one) => one.toLowerCase()).filter((one) => /^[a-z][a-z0-9+.-]*$/.test(one) && !NEVER.has(one));
}

export function safe_url(text: string | undefined, schemes: readonly string[] = []): string | undefined {
  if (text === undefined || text.length > 4096) return undefined;
  // A browser drops tabs and line ends inside an address, and reads on.
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f-\u009f]/.test(text)) return undefined;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (scheme === "https" || scheme === "http") {
    const host = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1];
    // "https://crm.example.org@evil.example/" shows one host and goes to another.
    return host !== undefined && !host.includes("@") && !host.includes("\\") ? text : undefined;
  }
  return schemes.includes(scheme) && !NEVER.has(scheme) ? text : undefined;
}

/** The scheme, for deciding how to open it. */
export function is_page(url: string): boolean {
  return /^https?:/i.test(url);
}
