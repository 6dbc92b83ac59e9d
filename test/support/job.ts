import type { Job } from '@pointsman/core/ports/ledger'

/** A job of which nothing is known but what a test cares for. */
export function jobOf(fields: Partial<Job>): Job {
  return {
    creates: 0,
    lines: 0,
    bytes: 0,
    tokens: 0,
    inputFileId: '',
    batchId: '',
    outputFileId: '',
    errorFileId: '',
    status: '',
    completed: 0,
    failed: 0,
    submittedMs: 0,
    progressMs: 0,
    endedMs: 0,
    notBeforeMs: 0,
    paidTokens: 0,
    order: '',
    ...fields
  }
}
