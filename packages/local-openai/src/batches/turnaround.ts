import { z } from 'zod'
import { drawNormal } from '../latency.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { BatchPlan } from './batch-record.ts'

const seconds = z
  .number()
  .min(0)
  .max(30 * 86_400)

/** How long a job takes from its creation to its end, on the virtual clock. */
export const turnaroundSchema = z.discriminatedUnion('kind', [
  /** As long as the computing takes. */
  z.strictObject({ kind: z.literal('none') }),
  /** Most in minutes to a few hours, one in a hundred near the end of the window, none beyond it. */
  z.strictObject({ kind: z.literal('plausible') }),
  z.strictObject({ kind: z.literal('fixed'), seconds }),
  /** Log-normal: half of the jobs within the median, 99 of 100 within p99. Those beyond the window expire. */
  z.strictObject({
    kind: z.literal('lognormal'),
    medianSeconds: seconds.positive(),
    p99Seconds: seconds.positive()
  })
])

export type Turnaround = Readonly<z.output<typeof turnaroundSchema>>

const p99Deviations = 2.326348
const plausible = { medianSeconds: 40 * 60, p99Seconds: 20 * 3600, maxSeconds: 23.5 * 3600 }
const secondMs = 1000

/** How long the parts of one job's life take, in whole milliseconds: their sum is then the whole to the millisecond. */
export function planBatch(turnaround: Turnaround, random: SeededRandom): BatchPlan {
  if (turnaround.kind === 'none') return { validateMs: 0, runMs: 0, finalizeMs: 0, cancelMs: 0 }
  const totalMs = Math.round(drawSeconds(turnaround, random) * secondMs)
  const validateMs = Math.min(Math.floor(totalMs / 10), between(2, 60, random))
  const finalizeMs = Math.min(Math.floor(totalMs / 10), between(2, 120, random))
  // A cancel takes up to 10 minutes.
  const cancelMs = between(0, 600, random)
  return { validateMs, runMs: totalMs - validateMs - finalizeMs, finalizeMs, cancelMs }
}

function drawSeconds(turnaround: Exclude<Turnaround, { kind: 'none' }>, random: SeededRandom): number {
  switch (turnaround.kind) {
    case 'fixed':
      return turnaround.seconds
    case 'plausible':
      return Math.min(drawLognormal(plausible, random), plausible.maxSeconds)
    case 'lognormal':
      return drawLognormal(turnaround, random)
  }
}

function drawLognormal(
  { medianSeconds, p99Seconds }: { readonly medianSeconds: number; readonly p99Seconds: number },
  random: SeededRandom
): number {
  const sigma = Math.log(p99Seconds / medianSeconds) / p99Deviations
  return medianSeconds * Math.exp(sigma * drawNormal(random))
}

function between(minSeconds: number, maxSeconds: number, random: SeededRandom): number {
  return Math.floor((minSeconds + (maxSeconds - minSeconds) * random.next()) * secondMs)
}
