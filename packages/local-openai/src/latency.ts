import { z } from 'zod'
import type { SeededRandom } from './seeded-random.ts'

const ms = z.number().min(0).max(3_600_000)

/** How long an answer takes at least, counted from the request's arrival. */
export const latencySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), ms }),
  z.strictObject({ kind: z.literal('uniform'), minMs: ms, maxMs: ms }),
  /** Log-normal: half of the answers within `medianMs`, 99 of 100 within `p99Ms`. */
  z.strictObject({ kind: z.literal('lognormal'), medianMs: ms.positive(), p99Ms: ms.positive() })
])

export type Latency = Readonly<z.output<typeof latencySchema>>

export function drawLatencyMs(latency: Latency, random: SeededRandom): number {
  switch (latency.kind) {
    case 'fixed':
      return latency.ms
    case 'uniform':
      return latency.minMs + (latency.maxMs - latency.minMs) * random.next()
    case 'lognormal': {
      const p99Deviations = 2.326348
      const sigma = Math.log(latency.p99Ms / latency.medianMs) / p99Deviations
      return latency.medianMs * Math.exp(sigma * drawNormal(random))
    }
  }
}

export function drawNormal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}
