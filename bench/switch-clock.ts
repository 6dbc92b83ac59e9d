import { rounded } from './support/spread.ts'

/** How far another clock is ahead of ours; no estimate is off by more than half its round trip. */
export interface ClockDifference {
  /** Of the quickest round trip. */
  readonly aheadMs: number
  readonly roundTripMs: number
}

const rounds = 50

/** The quickest of many round trips is the one that says most. */
export async function measureClocks(ask: () => Promise<ClockDifference>): Promise<ClockDifference> {
  let best = { aheadMs: Number.NaN, roundTripMs: Number.POSITIVE_INFINITY }
  for (let round = 0; round < rounds; round += 1) {
    const { aheadMs, roundTripMs } = await ask()
    if (roundTripMs < best.roundTripMs)
      best = { aheadMs: rounded(aheadMs, 2), roundTripMs: rounded(roundTripMs, 2) }
  }
  return best
}
