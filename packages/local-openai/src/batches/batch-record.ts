import { z } from 'zod'
import { toSeconds } from '../files/file-record.ts'
import { jobFaultSchema } from './job-fault.ts'

export const endpoints = [
  '/v1/responses',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos'
] as const

const moment = z.number().nullable().default(null)

export const batchStatuses = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled'
] as const

const batchErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  /** From 1; null when it is not about a line. */
  line: z.number().int().nullable(),
  param: z.string().nullable()
})

export type BatchError = Readonly<z.output<typeof batchErrorSchema>>

/** How long the parts of a job's life take, in milliseconds of the virtual clock. */
const planSchema = z.object({
  validateMs: z.number(),
  runMs: z.number(),
  finalizeMs: z.number(),
  cancelMs: z.number()
})

export type BatchPlan = Readonly<z.output<typeof planSchema>>

/** What is known of the input once it has been read. */
const inspectionSchema = z.object({
  errors: z.array(batchErrorSchema),
  lines: z.number().int(),
  tokens: z.number().int(),
  model: z.string().nullable()
})

export type Inspection = Readonly<z.output<typeof inspectionSchema>>

export const batchRecordSchema = z.object({
  id: z.string(),
  endpoint: z.enum(endpoints),
  inputFileId: z.string(),
  metadata: z.record(z.string(), z.string()).nullable(),
  outputExpiresAfterMs: z.number(),
  plan: planSchema,
  /** Of the order in which its lines run. */
  orderSeed: z.number().int().default(0),
  status: z.enum(batchStatuses),
  createdMs: z.number(),
  /** Added to all times that are shown. */
  skewMs: z.number().default(0),
  expiresMs: z.number(),
  inProgressMs: moment,
  finalizingMs: moment,
  completedMs: moment,
  failedMs: moment,
  expiredMs: moment,
  cancellingMs: moment,
  cancelledMs: moment,
  /** Null until the input has been read. */
  inspection: inspectionSchema.nullable().default(null),
  completed: z.number().int().default(0),
  failed: z.number().int().default(0),
  usedTokens: z.number().int().default(0),
  /** Chosen at the start; files of these ids are there at the end, if they have a line. */
  outputFileId: z.string(),
  errorFileId: z.string(),
  /** What is in them for good: anything behind it is of a run that was killed. */
  outputBytes: z.number().int().default(0),
  errorBytes: z.number().int().default(0),
  /** What was drawn for it at its creation. */
  faults: z.array(jobFaultSchema).default([]),
  /** How many of its lines a fault has met, by the key of its rule. */
  struck: z.record(z.string(), z.number().int()).default({})
})

export type BatchRecord = Readonly<z.output<typeof batchRecordSchema>>

export function isTerminal({ status }: BatchRecord): boolean {
  return status === 'completed' || status === 'failed' || status === 'expired' || status === 'cancelled'
}

/** As the API shows it; times are seconds since 1970, and what is absent is null. */
export function showBatch(batch: BatchRecord): object {
  const { completed, failed, inspection, usedTokens } = batch
  const isOver = isTerminal(batch)
  const shown = (ms: number): number => toSeconds(ms + batch.skewMs)
  const shownOrNull = (ms: number | null): number | null => (ms === null ? null : shown(ms))
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: inspection?.model ?? null,
    errors: batch.status === 'failed' ? { object: 'list', data: inspection?.errors ?? [] } : null,
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status: batch.status,
    output_file_id: isOver && batch.outputBytes > 0 ? batch.outputFileId : null,
    error_file_id: isOver && batch.errorBytes > 0 ? batch.errorFileId : null,
    created_at: shown(batch.createdMs),
    in_progress_at: shownOrNull(batch.inProgressMs),
    expires_at: shown(batch.expiresMs),
    finalizing_at: shownOrNull(batch.finalizingMs),
    completed_at: shownOrNull(batch.completedMs),
    failed_at: shownOrNull(batch.failedMs),
    expired_at: shownOrNull(batch.expiredMs),
    cancelling_at: shownOrNull(batch.cancellingMs),
    cancelled_at: shownOrNull(batch.cancelledMs),
    request_counts: { total: batch.inProgressMs === null ? 0 : (inspection?.lines ?? 0), completed, failed },
    usage: {
      input_tokens: usedTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usedTokens
    },
    metadata: batch.metadata
  }
}
