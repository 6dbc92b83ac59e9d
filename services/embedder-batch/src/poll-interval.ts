export interface PollBounds {
  readonly minPollMs: number
  readonly maxPollMs: number
}

/** A job is looked at about twenty times over the time it has taken so far: soon when it is young, seldom later. */
const looks = 20

/** @param random - in [0, 1): spreads the polls of jobs that were submitted together. */
export function pollIntervalMs(ageMs: number, { minPollMs, maxPollMs }: PollBounds, random: number): number {
  const intervalMs = Math.min(maxPollMs, Math.max(minPollMs, ageMs / looks))
  return intervalMs * (0.75 + random / 2)
}
