// A job as providers describe it. OpenAI leaves out what it does not know, writes null, or an empty text; others use
// words of their own. What we do not understand is waited for, so nothing but a missing id is an error.
import type { ObligationId } from '../../domain/identity.ts'
import type { JobKey, JobReport, JobStatus } from '../../ports/batch-provider.ts'
import { fieldOf, itemsOf, messageIn, numberOf, textOf } from './field.ts'

const statuses: Readonly<Record<string, JobStatus>> = {
  validating: 'validating',
  in_progress: 'in_progress',
  finalizing: 'finalizing',
  completed: 'completed',
  failed: 'failed',
  expired: 'expired',
  cancelling: 'cancelling',
  canceling: 'cancelling',
  cancelled: 'cancelled',
  canceled: 'cancelled'
}

/** Why a job failed validation; `line` counts from 1. */
export interface ReportedError {
  readonly code: string
  readonly message: string
  readonly line: number | undefined
}

export interface ParsedReport extends Omit<JobReport, 'errors'> {
  readonly errors: readonly ReportedError[]
}

const maxMessageLength = 500

/** @returns undefined when it has no id, and so is no job. */
export function parseReport(batch: unknown): ParsedReport | undefined {
  const batchId = textOf(fieldOf(batch, 'id'))
  if (batchId === undefined) return undefined
  const word = textOf(fieldOf(batch, 'status')) ?? ''
  const status = statuses[word.toLowerCase().replaceAll(/[\s-]/g, '_')] ?? 'unknown'
  const counts = fieldOf(batch, 'request_counts')
  const completed = numberOf(fieldOf(counts, 'completed')) ?? 0
  return {
    batchId,
    status,
    word,
    inputFileId: textOf(fieldOf(batch, 'input_file_id')) ?? '',
    outputFileId: textOf(fieldOf(batch, 'output_file_id')),
    errorFileId: textOf(fieldOf(batch, 'error_file_id')),
    completed,
    failed: numberOf(fieldOf(counts, 'failed')) ?? 0,
    paidTokens: paidTokensOf(fieldOf(batch, 'usage'), completed),
    errors: status === 'failed' ? errorsOf(fieldOf(batch, 'errors')) : []
  }
}

/** OpenAI fills the usage in late: nothing charged for lines that are done says nothing. */
function paidTokensOf(usage: unknown, completed: number): number | undefined {
  const tokens =
    numberOf(fieldOf(usage, 'total_tokens')) ??
    numberOf(fieldOf(usage, 'input_tokens')) ??
    numberOf(fieldOf(usage, 'prompt_tokens'))
  return tokens === 0 && completed > 0 ? undefined : tokens
}

function errorsOf(errors: unknown): readonly ReportedError[] {
  const list = Array.isArray(errors) ? errors : itemsOf(fieldOf(errors, 'data'))
  const one = messageIn(errors)
  if (list.length === 0 && one !== undefined) return [errorOf(errors)]
  return list.map(errorOf)
}

function errorOf(error: unknown): ReportedError {
  const message = (messageIn(error) ?? '').slice(0, maxMessageLength)
  const isQueueFull = /enqueued token limit/i.test(message)
  return {
    code: isQueueFull ? 'token_limit_exceeded' : (textOf(fieldOf(error, 'code')) ?? 'unknown'),
    message,
    line: lineOf(fieldOf(error, 'line'))
  }
}

function lineOf(value: unknown): number | undefined {
  const line = numberOf(value)
  return line !== undefined && Number.isInteger(line) && line > 0 ? line : undefined
}

/** Names a create call in the batch that it makes. */
export function metadataOf(key: JobKey): Record<string, string> {
  return {
    pointsman_namespace: key.namespace,
    pointsman_ledger: key.ledger,
    pointsman_manifest: key.manifest,
    pointsman_create: String(key.create)
  }
}

/** Whether a batch was made by this create call. */
export function isOf(batch: unknown, key: JobKey): boolean {
  const metadata = fieldOf(batch, 'metadata')
  return Object.entries(metadataOf(key)).every(([name, value]) => {
    const found = fieldOf(metadata, name)
    return (typeof found === 'number' ? String(found) : found) === value
  })
}

/** The create call that made a batch, as its metadata tell; undefined when it is not one of ours. */
export function keyIn(batch: unknown): JobKey | undefined {
  const metadata = fieldOf(batch, 'metadata')
  const namespace = textOf(fieldOf(metadata, 'pointsman_namespace'))
  const ledger = textOf(fieldOf(metadata, 'pointsman_ledger'))
  const manifest = textOf(fieldOf(metadata, 'pointsman_manifest'))
  const create = numberOf(fieldOf(metadata, 'pointsman_create'))
  if (namespace === undefined || ledger === undefined || manifest === undefined) return undefined
  if (create === undefined || !Number.isSafeInteger(create) || create < 0) return undefined
  return { namespace, ledger, manifest: manifest as ObligationId, create }
}
