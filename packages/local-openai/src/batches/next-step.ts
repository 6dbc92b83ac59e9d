// The life of a job, decided from its record and the time alone. Pure: the runner does what it says.
//
//   validating --read--> (waits) --> failed
//                               \--> in_progress --all ran--> finalizing --> completed
//   validating, in_progress --window over--> expired
//   validating, in_progress, finalizing --cancel--> cancelling --> cancelled
//
// The faults that were drawn for a job (job-fault-kinds.ts) change what is due and when, and nothing else.

import { isTerminal } from './batch-record.ts'
import type { BatchRecord } from './batch-record.ts'
import { findJobFault } from './job-fault.ts'

export type Step =
  /** Read the input and say what it holds. */
  | { readonly kind: 'inspect' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'begin' }
  /** Run lines until so many have run. */
  | { readonly kind: 'run'; readonly untilLine: number }
  | { readonly kind: 'finalize' }
  | { readonly kind: 'complete' }
  /** Give up the lines that did not run. */
  | { readonly kind: 'expire' }
  | { readonly kind: 'cancel' }
  /** As if somebody had asked for it. */
  | { readonly kind: 'begin-cancel' }
  /** Nothing to do before that moment, unless the job is cancelled. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'rest' }

/** In how many pieces the lines of a job run over its time, at most. */
const pieces = 100
const secondMs = 1000

export function nextStep(batch: BatchRecord, nowMs: number): Step {
  if (isTerminal(batch)) return { kind: 'rest' }
  const { finalizingMs, plan, status } = batch
  if (status === 'cancelling') return whileCancelling(batch, nowMs)
  if (status === 'finalizing') {
    const dueMs = (finalizingMs ?? nowMs) + plan.finalizeMs
    return at(Math.max(dueMs, stuckUntilMs(batch, 'finalizing', finalizingMs)), nowMs, { kind: 'complete' })
  }
  const expiresMs = expiryOf(batch)
  if (nowMs >= expiresMs) return { kind: 'expire' }
  const step = status === 'validating' ? whileValidating(batch, nowMs) : whileRunning(batch, nowMs)
  return step.kind === 'wait' ? { kind: 'wait', untilMs: Math.min(step.untilMs, expiresMs) } : step
}

/** How many of the lines have run, whatever became of them. */
export function linesRun({ completed, failed }: BatchRecord): number {
  return completed + failed
}

function whileValidating(batch: BatchRecord, nowMs: number): Step {
  const { createdMs, inspection, plan } = batch
  if (!inspection) return { kind: 'inspect' }
  const dueMs = Math.max(createdMs + plan.validateMs, stuckUntilMs(batch, 'validating', createdMs))
  return at(dueMs, nowMs, { kind: inspection.errors.length > 0 ? 'fail' : 'begin' })
}

function whileRunning(batch: BatchRecord, nowMs: number): Step {
  const { inProgressMs, inspection, plan } = batch
  const startMs = inProgressMs ?? nowMs
  const endMs = startMs + plan.runMs
  const lines = inspection?.lines ?? 0
  const run = linesRun(batch)
  const stop = stopOf(batch, lines, nowMs)
  if (stop && run >= stop.lines) return at(stop.untilMs, nowMs, stop.step)
  const share = nowMs >= endMs ? 1 : (nowMs - startMs) / plan.runMs
  const untilLine = Math.min(Math.floor(lines * share), stop?.lines ?? lines)
  if (run < untilLine) return { kind: 'run', untilLine }
  if (run >= lines) return at(endMs, nowMs, { kind: 'finalize' })
  const next = Math.min(lines, run + Math.ceil(lines / pieces))
  return { kind: 'wait', untilMs: Math.min(endMs, momentAfter(startMs + (plan.runMs * next) / lines, nowMs)) }
}

interface Stop {
  /** No more lines than these run. */
  readonly lines: number
  readonly untilMs: number
  readonly step: Step
}

/** Where a fault stops the running. */
function stopOf(batch: BatchRecord, lines: number, nowMs: number): Stop | undefined {
  const { createdMs, faults, inProgressMs } = batch
  const heldMs = stuckUntilMs(batch, 'in_progress', inProgressMs)
  if (nowMs < heldMs) {
    const done = findJobFault(faults, 'job_stuck')?.done ?? 0
    return { lines: Math.floor(lines * done), untilMs: heldMs, step: { kind: 'rest' } }
  }
  const expires = findJobFault(faults, 'job_expires')
  const early = expires ?? findJobFault(faults, 'job_cancelled')
  return (
    early && {
      lines: Math.floor(lines * early.done),
      untilMs: createdMs + early.afterSeconds * secondMs,
      step: { kind: expires ? 'expire' : 'begin-cancel' }
    }
  )
}

function whileCancelling(batch: BatchRecord, nowMs: number): Step {
  const { cancellingMs, faults, inProgressMs, inspection, plan } = batch
  const fault = findJobFault(faults, 'job_cancel')
  const cancelMs = fault?.seconds === undefined ? plan.cancelMs : fault.seconds * secondMs
  const dueMs = (cancellingMs ?? nowMs) + cancelMs
  if (!fault) return at(dueMs, nowMs, { kind: 'cancel' })
  const losesRace = fault.outcome === 'completed'
  if (losesRace && !inspection) return { kind: 'inspect' }
  const canRun = inspection?.errors.length === 0 && (losesRace || inProgressMs !== null)
  const untilLine = canRun ? Math.floor(inspection.lines * (losesRace ? 1 : fault.done)) : 0
  if (linesRun(batch) < untilLine) return { kind: 'run', untilLine }
  return at(dueMs, nowMs, { kind: losesRace && canRun ? 'complete' : 'cancel' })
}

/** Until when a fault keeps the job in a status that it has had since `sinceMs`. */
function stuckUntilMs(
  { faults }: BatchRecord,
  status: 'validating' | 'in_progress' | 'finalizing',
  sinceMs: number | null
): number {
  const stuck = findJobFault(faults, 'job_stuck')
  if (stuck?.at !== status) return 0
  return stuck.seconds === undefined ? Number.POSITIVE_INFINITY : (sinceMs ?? 0) + stuck.seconds * secondMs
}

function expiryOf({ expiresMs, faults }: BatchRecord): number {
  const overdue = findJobFault(faults, 'job_overdue')
  if (!overdue) return expiresMs
  return overdue.seconds === undefined ? Number.POSITIVE_INFINITY : expiresMs + overdue.seconds * secondMs
}

function at(dueMs: number, nowMs: number, step: Step): Step {
  return nowMs >= dueMs ? step : { kind: 'wait', untilMs: dueMs }
}

/** Rounding must not give a moment that has come without anything being due. */
function momentAfter(dueMs: number, nowMs: number): number {
  return dueMs > nowMs ? dueMs : nowMs + 1
}
