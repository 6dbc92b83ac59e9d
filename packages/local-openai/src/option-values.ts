import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { turnaroundSchema } from './batches/turnaround.ts'
import type { Turnaround } from './batches/turnaround.ts'
import { faultScriptSchema } from './fault-rules.ts'
import type { FaultPlan } from './fault-rules.ts'
import { latencySchema } from './latency.ts'
import type { Latency } from './latency.ts'

// Values of the command line; what is wrong with one is added to `context`.

/** Milliseconds: one number, A..B or lognormal:MEDIAN,P99. */
export function parseLatency(given: string, context: z.RefinementCtx): Latency {
  const uniform = /^([\d.]+)\.\.([\d.]+)$/.exec(given)
  const lognormal = /^lognormal:([\d.]+),([\d.]+)$/.exec(given)
  const latency = uniform
    ? { kind: 'uniform', minMs: Number(uniform[1]), maxMs: Number(uniform[2]) }
    : lognormal
      ? { kind: 'lognormal', medianMs: Number(lognormal[1]), p99Ms: Number(lognormal[2]) }
      : { kind: 'fixed', ms: given === '' ? Number.NaN : Number(given) }
  const result = latencySchema.safeParse(latency)
  if (result.success) return result.data
  context.addIssue('must be like 200, 100..300 or lognormal:200,900')
  return z.NEVER
}

/** A name, seconds or lognormal:MEDIAN,P99. */
export function parseTurnaround(given: string, context: z.RefinementCtx): Turnaround {
  const lognormal = /^lognormal:([\d.]+),([\d.]+)$/.exec(given)
  const turnaround =
    given === 'none' || given === 'plausible'
      ? { kind: given }
      : lognormal
        ? { kind: 'lognormal', medianSeconds: Number(lognormal[1]), p99Seconds: Number(lognormal[2]) }
        : { kind: 'fixed', seconds: given === '' ? Number.NaN : Number(given) }
  const result = turnaroundSchema.safeParse(turnaround)
  if (result.success) return result.data
  context.addIssue('must be like none, plausible, 3600 or lognormal:2400,72000')
  return z.NEVER
}

/** Reads a file of faults. */
export function loadFaults(path: string, context: z.RefinementCtx): FaultPlan {
  try {
    const result = faultScriptSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    if (result.success) return result.data
    for (const { message, path: place } of result.error.issues) {
      context.addIssue(`${path}: ${place.join('.') || 'file'}: ${message}`)
    }
  } catch (error) {
    context.addIssue(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return z.NEVER
}
