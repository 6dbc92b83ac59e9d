const longestMs = 600_000

/** Rest before the provider is asked again for what it refused `tries` times. @param random - in [0, 1). */
export function backOffMs(tries: number, firstMs: number, random: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, tries - 1)) * (0.75 + random / 2)
}
