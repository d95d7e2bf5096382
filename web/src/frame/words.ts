// What a page of the CRM and the frame in it may say to each other: all of it. The page learns no name and no number; it says what was clicked, never who clicked.

/** The first message, with a port; everything else goes through that. */
export const HELLO = "ctibridge";

export const LAMPS = ["off", "insecure", "sign-in", "away", "ready", "not-ready", "wrap-up", "ringing", "talking", "held", "logged-out", "online"] as const;
export type Lamp = (typeof LAMPS)[number];

export interface ToPage {
  readonly lamp: Lamp;
  readonly text: string; // of the lamp
  readonly calls: boolean; // clicks on numbers are ours
  readonly shown: boolean; // the box
  readonly height: number; // of the box, pixels
}

export type FromPage =
  | { readonly say: "dial"; readonly text: string; readonly record: { readonly module: string; readonly id: string } | undefined }
  | { readonly say: "toggle" };

/** What came from a page, if it is something a page may say. */
export function from_page(data: unknown): FromPage | undefined {
  const said = data as { say?: unknown; text?: unknown; record?: unknown } | null;
  if (said?.say === "toggle") return { say: "toggle" };
  if (said?.say !== "dial" || typeof said.text !== "string" || said.text.length > 500) return undefined;
  const record = said.record as { module?: unknown; id?: unknown } | null | undefined;
  const [module, id] = [record?.module, record?.id];
  const known = typeof module === "string" && /^\w{1,50}$/.test(module) && typeof id === "string" && /^\d{1,19}$/.test(id);
  return { say: "dial", text: said.text, record: known ? { module, id } : undefined };
}

/** The pages the daemon allows, as they are served: origins, nothing else. */
export function origins_of(json: unknown): readonly string[] {
  return Array.isArray(json) ? json.filter((one): one is string => typeof one === "string" && URL.canParse(one) && new URL(one).origin === one) : [];
}
