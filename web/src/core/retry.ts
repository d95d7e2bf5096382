// When to try the server again: soon, then less and less often, never all operators of a company in the same second.

export const FIRST = 1000;
export const MOST = 30_000;

/** Milliseconds before attempt `attempt` (1 is the first after a loss). `random`: from 0 to below 1. */
export function wait_before(attempt: number, random: number): number {
  const full = Math.min(MOST, FIRST * 2 ** Math.min(attempt - 1, 10));
  return Math.round(full / 2 + (full / 2) * random);
}
