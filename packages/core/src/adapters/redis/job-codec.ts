// What is known of jobs, as lua/advance.lua keeps it: decimals and text by name. Absent is 0 or empty.
import { Failure } from '../../domain/failure.ts'
import type { ObligationId } from '../../domain/identity.ts'
import type { Job } from '../../ports/job.ts'
import type { PastJob } from '../../ports/ledger.ts'
import { asText, fieldOf, oneOf } from './reply.ts'

export function readJob(read: (name: keyof Job) => string | undefined): Job {
  const number = (name: keyof Job): number => Number(read(name) ?? 0)
  const text = (name: keyof Job): string => read(name) ?? ''
  return {
    creates: number('creates'),
    lines: number('lines'),
    bytes: number('bytes'),
    tokens: number('tokens'),
    inputFileId: text('inputFileId'),
    batchId: text('batchId'),
    outputFileId: text('outputFileId'),
    errorFileId: text('errorFileId'),
    status: text('status'),
    completed: number('completed'),
    failed: number('failed'),
    submittedMs: number('submittedMs'),
    progressMs: number('progressMs'),
    endedMs: number('endedMs'),
    notBeforeMs: number('notBeforeMs'),
    paidTokens: number('paidTokens'),
    order: oneOf(text('order'), ['', 'cancel', 'abandon'])
  }
}

export function readPastJob(raw: unknown): PastJob {
  const list: unknown = JSON.parse(asText(raw))
  if (!Array.isArray(list)) throw new Failure('LEDGER_FOREIGN', 'redis: a past job is no list')
  const fields = new Map<string, string>()
  for (let at = 0; at + 1 < list.length; at += 2) fields.set(String(list[at]), String(list[at + 1]))
  return {
    ...readJob(name => fields.get(name)),
    manifest: fieldOf(fields, 'manifest') as ObligationId,
    sinceMs: Number(fieldOf(fields, 'sinceMs')),
    archivedMs: Number(fieldOf(fields, 'archivedMs'))
  }
}
