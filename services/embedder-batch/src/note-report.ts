import type { JobReport } from '@pointsman/core/ports/batch-provider'
import type { Job } from '@pointsman/core/ports/job'

/** What the ledger keeps of a report; a word that we do not know is kept as it is. */
export function noteReport(
  report: JobReport,
  nowMs: number
): Pick<Job, 'status' | 'completed' | 'failed' | 'progressMs'> {
  const { completed, failed, status, word } = report
  return { status: status === 'unknown' ? word : status, completed, failed, progressMs: nowMs }
}
