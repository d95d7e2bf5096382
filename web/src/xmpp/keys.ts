/** What SCRAM needs to sign in again, instead of the password. Good for this one account of this one server. */
export interface Keys {
  readonly name: string;
  readonly ck: string;
  readonly sk: string;
  readonly iter: number;
  readonly salt: string;
}

export function are_keys(value: unknown): value is Keys {
  if (typeof value !== "object" || value === null) return false;
  const one = value as Record<string, unknown>;
  return ["name", "ck", "sk", "salt"].every((key) => typeof one[key] === "string") && typeof one["iter"] === "number";
}
