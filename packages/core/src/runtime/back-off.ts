export interface BackOff {
  readonly firstMs: number
  readonly longestMs: number
}

/**
 * Rest before something is tried again: doubles with each failure, and spreads those who failed together.
 * @param failures - in a row before the last one, from 0. @param random - in [0, 1).
 */
export function backOffMs(failures: number, { firstMs, longestMs }: BackOff, random: number): number {
  return Math.min(firstMs * 2 ** failures, longestMs) * (0.75 + random / 2)
}
