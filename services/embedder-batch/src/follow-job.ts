// Looks at a job until it has ended. The provider's status alone ends a job: no clock of ours does.
import { Failure } from '@pointsman/core/domain/failure'
import type { JobReport } from '@pointsman/core/ports/batch-provider'
import type { BatchDeps, StopSignals } from './batch-deps.ts'
import type { Job } from '@pointsman/core/ports/job'
import { orderOf } from './job-board.ts'
import type { Manifest } from './manifest.ts'
import { noteReport } from './note-report.ts'
import { pollIntervalMs } from './poll-interval.ts'
import { takeRejectedBack } from './take-rejected-back.ts'

/** Polls of an ended job without a file before it is believed to have none. */
const looksForFiles = 5

/** Resolves when the job has ended, or was given up: then the manifest is in another state. */
export async function followJob(
  manifest: Manifest,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  const { clock, gates, options, provider, warn } = deps
  let withoutFile = 0
  for (;;) {
    const { batchId, submittedMs } = manifest.job
    const { nowMs, order } = await orderOf(manifest.id, deps, signal)
    const ageMs = nowMs - submittedMs
    if (order === 'abandon') {
      warn(`job ${batchId} is abandoned: what it has not given yet is released and may be paid for twice`)
      return manifest.advance('terminal', { status: 'abandoned', order, endedMs: nowMs }, grace)
    }
    const report = await look(manifest, deps, signal)
    if (report !== undefined) {
      await noteProgress(manifest, report, nowMs, grace)
      if (report.status === 'failed') return takeRejectedBack(manifest, report, deps, grace)
      if (hasEnded(report)) {
        const hasFile = report.outputFileId !== undefined || report.errorFileId !== undefined
        withoutFile += 1
        if (hasFile || withoutFile >= looksForFiles)
          return end(manifest, report, { order, endedMs: nowMs }, grace)
      } else if ((order === 'cancel' || ageMs > options.deadlineMs) && report.status !== 'cancelling') {
        warn(`job ${batchId} is cancelled: ${order === 'cancel' ? 'ordered' : 'it is past its deadline'}`)
        await gates.provider.run(() => provider.cancel(batchId, signal), signal)
      }
    }
    await clock.sleep(pollIntervalMs(ageMs, options, clock.random()), signal)
  }
}

/** @returns undefined when the provider does not know the job: it may again, and only an operator may give it up. */
async function look(
  { id, job }: Manifest,
  { gates, provider, warn }: BatchDeps,
  signal: AbortSignal
): Promise<JobReport | undefined> {
  try {
    return await gates.provider.run(() => provider.report(job.batchId, signal), signal)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'JOB_GONE') throw error
    warn(`manifest ${id}: the provider does not know job ${job.batchId}; if that lasts, abandon it`)
    return undefined
  }
}

async function noteProgress(
  manifest: Manifest,
  report: JobReport,
  nowMs: number,
  signal: AbortSignal
): Promise<void> {
  const { job } = manifest
  const noted = noteReport(report, nowMs)
  const isNews =
    noted.status !== job.status || noted.completed !== job.completed || noted.failed !== job.failed
  if (isNews) await manifest.advance('submitted', noted, signal)
}

async function end(
  manifest: Manifest,
  report: JobReport,
  known: Pick<Job, 'endedMs' | 'order'>,
  signal: AbortSignal
): Promise<void> {
  const { errorFileId = '', outputFileId = '', paidTokens = 0 } = report
  await manifest.advance('terminal', { ...known, errorFileId, outputFileId, paidTokens }, signal)
}

function hasEnded({ status }: JobReport): boolean {
  return status === 'completed' || status === 'expired' || status === 'cancelled'
}
