import { describeJob } from '../../jobs/describe-jobs.ts'
import type { JobReport } from '../../jobs/job-report.ts'
import { manifestsOf } from '../../jobs/manifests.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { AnalysedJob } from './analysis-report.ts'

const nearlyAll = 0.9
/** What the provider takes to end a job early. */
const cancelMs = 600_000

/**
 * Living jobs with the time at which each is expected to end: as long after its submission as the median of past jobs
 * took; one that has taken longer, as long as the longest. Those that are not sent wait for a place at the provider.
 */
export function analyseJobs({
  survey,
  basis,
  jobTerms
}: Pick<AnalysisFacts, 'survey' | 'basis' | 'jobTerms'>): AnalysedJob[] {
  const reports = manifestsOf(survey).map(manifest => describeJob(manifest, survey, jobTerms))
  const running = reports.filter(isAtProvider).length
  let unsent = 0
  return reports.map(report => {
    const { id, batchId, state, lines, documents, ageMs, submittedMs, stale, order } = report
    const isUnsent = state === 'sealed' || state === 'uploaded'
    const rounds = isUnsent ? roundsBefore(unsent, running, basis.batch.maxJobs) : 0
    if (isUnsent) unsent += 1
    return {
      id,
      batchId,
      state,
      lines,
      documents,
      ageMs,
      submittedMs,
      stale,
      order,
      tokens: report.tokens === 0 ? null : report.tokens,
      nearlyDone:
        state === 'submitted' && lines.all > 0 && (lines.done + lines.failed) / lines.all >= nearlyAll,
      expectedEndMs: expectedEndMs(report, rounds, survey.nowMs, basis.batch.turnaround),
      latestEndMs: latestEndMs(report, rounds, survey.nowMs, jobTerms.deadlineMs)
    }
  })
}

/** Whether a job may run there. */
export function isAtProvider({ state }: Pick<JobReport, 'state'>): boolean {
  return state === 'submitting' || state === 'submitted'
}

/** How many times all places at the provider are taken before it is the turn of this one. */
function roundsBefore(before: number, running: number, maxJobs: number): number {
  const free = Math.max(0, maxJobs - running)
  return before < free ? 0 : 1 + Math.floor((before - free) / maxJobs)
}

function expectedEndMs(
  { state, submittedMs, notBeforeMs, order }: JobReport,
  rounds: number,
  nowMs: number,
  turnaround: { readonly medianMs: number; readonly longestMs: number } | null
): number | null {
  // Reading its results takes as long as writing them to the index: minutes at most.
  if (state === 'terminal') return nowMs
  if (state === 'submitted' && order !== null) return nowMs + (order === 'cancel' ? cancelMs : 0)
  if (state === 'open' || turnaround === null) return null
  const { medianMs, longestMs } = turnaround
  if (submittedMs === null) return Math.max(nowMs, notBeforeMs ?? 0) + (rounds + 1) * medianMs
  return [submittedMs + medianMs, submittedMs + longestMs].find(endMs => endMs > nowMs) ?? null
}

function latestEndMs(
  { state, deadlines, notBeforeMs, stale }: JobReport,
  rounds: number,
  nowMs: number,
  deadlineMs: number
): number | null {
  if (state === 'terminal') return nowMs
  if (state === 'open' || stale) return null
  return deadlines?.ownMs ?? Math.max(nowMs, notBeforeMs ?? 0) + (rounds + 1) * deadlineMs
}
