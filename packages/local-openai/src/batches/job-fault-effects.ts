import type { BatchError, BatchRecord } from './batch-record.ts'
import { enqueuedTooMuch, noInputFile } from './job-complaints.ts'
import { findJobFault } from './job-fault.ts'

const secondMs = 1000
/** Of the invented limit that a job fails for. */
const limitTokens = 3_000_000

/** Whether a fault keeps the job from being found there. */
export function isHidden(
  { createdMs, faults }: BatchRecord,
  where: 'list' | 'everywhere',
  nowMs: number
): boolean {
  const hidden = findJobFault(faults, 'job_hidden')
  if (!hidden || (where === 'everywhere' && hidden.where === 'list')) return false
  const { fromSeconds, seconds = Number.POSITIVE_INFINITY } = hidden
  const fromMs = createdMs + fromSeconds * secondMs
  return nowMs >= fromMs && nowMs < fromMs + seconds * secondMs
}

/** What a fault lets the job fail for. */
export function failureOf({ faults, inputFileId }: BatchRecord): BatchError | undefined {
  const fails = findJobFault(faults, 'job_fails')
  if (!fails) return undefined
  const { code, message, param } = fails
  const known =
    code === 'not_found'
      ? noInputFile(inputFileId)
      : code === 'token_limit_exceeded'
        ? enqueuedTooMuch('the model', limitTokens)
        : { code, message: `The batch failed with ${code}.`, line: null, param: null }
  return { ...known, ...(message !== undefined && { message }), ...(param !== undefined && { param }) }
}
