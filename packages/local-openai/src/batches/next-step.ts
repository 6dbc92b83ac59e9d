// The life of a job, decided from its record and the time alone. Pure: the runner does what it says.
//
//   validating --read--> (waits) --> failed
//                               \--> in_progress --all ran--> finalizing --> completed
//   validating, in_progress --window over--> expired
//   validating, in_progress, finalizing --cancel--> cancelling --> cancelled

import { isTerminal } from './batch-record.ts'
import type { BatchRecord } from './batch-record.ts'

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
  /** Nothing to do before that moment, unless the job is cancelled. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'rest' }

/** In how many pieces the lines of a job run over its time, at most. */
const pieces = 100

export function nextStep(batch: BatchRecord, nowMs: number): Step {
  if (isTerminal(batch)) return { kind: 'rest' }
  const { cancellingMs, expiresMs, finalizingMs, plan, status } = batch
  if (status === 'cancelling') return at((cancellingMs ?? nowMs) + plan.cancelMs, nowMs, { kind: 'cancel' })
  if (status === 'finalizing') {
    return at((finalizingMs ?? nowMs) + plan.finalizeMs, nowMs, { kind: 'complete' })
  }
  if (nowMs >= expiresMs) return { kind: 'expire' }
  const step = status === 'validating' ? whileValidating(batch, nowMs) : whileRunning(batch, nowMs)
  return step.kind === 'wait' ? { kind: 'wait', untilMs: Math.min(step.untilMs, expiresMs) } : step
}

/** How many of the lines have run, whatever became of them. */
export function linesRun({ completed, failed }: BatchRecord): number {
  return completed + failed
}

function whileValidating({ createdMs, inspection, plan }: BatchRecord, nowMs: number): Step {
  if (!inspection) return { kind: 'inspect' }
  return at(createdMs + plan.validateMs, nowMs, { kind: inspection.errors.length > 0 ? 'fail' : 'begin' })
}

function whileRunning(batch: BatchRecord, nowMs: number): Step {
  const { inProgressMs, inspection, plan } = batch
  const startMs = inProgressMs ?? nowMs
  const endMs = startMs + plan.runMs
  const lines = inspection?.lines ?? 0
  const run = linesRun(batch)
  const share = nowMs >= endMs ? 1 : (nowMs - startMs) / plan.runMs
  const untilLine = Math.floor(lines * share)
  if (run < untilLine) return { kind: 'run', untilLine }
  if (run >= lines) return at(endMs, nowMs, { kind: 'finalize' })
  const next = Math.min(lines, run + Math.ceil(lines / pieces))
  return { kind: 'wait', untilMs: Math.min(endMs, momentAfter(startMs + (plan.runMs * next) / lines, nowMs)) }
}

function at(dueMs: number, nowMs: number, step: Step): Step {
  return nowMs >= dueMs ? step : { kind: 'wait', untilMs: dueMs }
}

/** Rounding must not give a moment that has come without anything being due. */
function momentAfter(dueMs: number, nowMs: number): number {
  return dueMs > nowMs ? dueMs : nowMs + 1
}
