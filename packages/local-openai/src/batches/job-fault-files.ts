import type { BatchRecord } from './batch-record.ts'
import { findJobFault } from './job-fault.ts'
import type { JobFault } from './job-fault.ts'
import type { NotRun } from './line-answer.ts'

// What faults do to the files of a job as a whole.

const byteOrderMark = Buffer.from('\u{FEFF}')

/** The beginning of the output file. */
export function openOutput(lines: Buffer, faults: readonly JobFault[]): Buffer {
  return lines.length > 0 && findJobFault(faults, 'output_bom')
    ? Buffer.concat([byteOrderMark, lines])
    : lines
}

/** Whether the lines that never ran are told of. */
export function listsRest({ code }: NotRun, faults: readonly JobFault[]): boolean {
  const fault =
    code === 'batch_expired'
      ? findJobFault(faults, 'job_expires')
      : (findJobFault(faults, 'job_cancelled') ?? findJobFault(faults, 'job_cancel'))
  return fault?.listsRest ?? true
}

/** What the files hold at the end, without their last line feed if a fault takes it. */
export function cutLineFeeds(batch: BatchRecord): BatchRecord {
  const fault = findJobFault(batch.faults, 'output_unterminated')
  if (!fault) return batch
  const { errorBytes, outputBytes } = batch
  return {
    ...batch,
    outputBytes: fault.file === 'error' ? outputBytes : Math.max(0, outputBytes - 1),
    errorBytes: fault.file === 'output' ? errorBytes : Math.max(0, errorBytes - 1)
  }
}
