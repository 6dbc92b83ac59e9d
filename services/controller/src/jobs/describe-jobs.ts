import type { Job } from '@pointsman/core/ports/job'
import type { Instance, PastJob, Survey } from '@pointsman/core/ports/ledger'
import type { Prices } from '../status/token-price.ts'
import { costOf } from '../status/token-price.ts'
import { nextOf } from './job-next.ts'
import { documentsOf, isStale, type Manifest, manifestsOf } from './manifests.ts'
import type { JobReport, JobsAtAGlance, JobState } from './job-report.ts'

export interface JobTerms {
  readonly prices: Prices
  /** How long after it was submitted we wait for a job at most. */
  readonly deadlineMs: number
}

/** The completion window of the Batch API: the only one that there is. */
const windowMs = 86_400_000

export function describeJob(manifest: Manifest, survey: Survey, terms: JobTerms): JobReport {
  const { nowMs, instances } = survey
  const { id, job, owner, sinceMs } = manifest
  const keeper = instances.find(instance => instance.owner === owner)
  const stale = isStale(manifest, nowMs, terms.deadlineMs)
  return {
    ...fieldsOf(job, terms),
    id,
    state: stateOf(manifest),
    documents: documentsOf(manifest),
    sinceMs,
    ageMs: Math.max(0, nowMs - sinceMs),
    archivedMs: null,
    overdue: manifest.state === 'submitted' && job.submittedMs > 0 && nowMs > job.submittedMs + windowMs,
    stale,
    notBeforeMs: job.notBeforeMs > nowMs ? job.notBeforeMs : null,
    reason: manifest.reason,
    owner: owner ?? null,
    instance: keeper?.instance ?? null,
    ownerAlive: isAlive(keeper, nowMs),
    next: nextOf({
      manifest,
      nowMs,
      stale,
      ownerAlive: isAlive(keeper, nowMs),
      embedders: embeddersOf(survey)
    })
  }
}

export function describePastJob(job: PastJob, terms: JobTerms): JobReport {
  return {
    ...fieldsOf(job, terms),
    id: job.manifest,
    state: 'archived',
    documents: 0,
    sinceMs: job.sinceMs,
    ageMs: Math.max(0, job.archivedMs - job.sinceMs),
    archivedMs: job.archivedMs,
    overdue: false,
    stale: false,
    notBeforeMs: null,
    reason: '',
    owner: null,
    instance: null,
    ownerAlive: false,
    next: 'nothing: every document of it is settled or went on elsewhere'
  }
}

export function glanceAtJobs({ obligations, nowMs }: Survey, deadlineMs: number): JobsAtAGlance {
  const manifests = manifestsOf({ obligations })
  const states: Record<string, number> = {}
  for (const manifest of manifests) states[stateOf(manifest)] = (states[stateOf(manifest)] ?? 0) + 1
  const oldest = manifests.at(0)
  return {
    states,
    documents: manifests.reduce((sum, manifest) => sum + documentsOf(manifest), 0),
    oldestMs: oldest ? Math.max(0, nowMs - oldest.sinceMs) : null,
    stale: manifests.filter(manifest => isStale(manifest, nowMs, deadlineMs)).length
  }
}

function fieldsOf(job: Job, { prices, deadlineMs }: JobTerms) {
  const submittedMs = timeOf(job.submittedMs)
  return {
    status: job.status === '' ? null : job.status,
    batchId: job.batchId === '' ? null : job.batchId,
    inputFileId: job.inputFileId === '' ? null : job.inputFileId,
    creates: job.creates,
    lines: { all: job.lines, done: job.completed, failed: job.failed },
    tokens: job.tokens,
    paidTokens: job.paidTokens,
    usd: costOf(job.paidTokens, prices.batch) ?? null,
    expectedUsd: costOf(job.tokens, prices.batch) ?? null,
    submittedMs,
    progressMs: timeOf(job.progressMs),
    endedMs: timeOf(job.endedMs),
    deadlines:
      submittedMs === null ? null : { providerMs: submittedMs + windowMs, ownMs: submittedMs + deadlineMs },
    order: job.order === '' ? null : job.order
  }
}

function stateOf({ state }: Manifest): JobState {
  // These two are the states of requests: no manifest has them.
  return state === 'admitted' || state === 'paying' ? 'open' : state
}

function isAlive(instance: Instance | undefined, nowMs: number): boolean {
  return instance !== undefined && instance.leaseUntilMs > nowMs
}

function embeddersOf({ instances, nowMs }: Survey): number {
  return instances.filter(({ service, leaseUntilMs }) => service === 'embedder-batch' && leaseUntilMs > nowMs)
    .length
}

function timeOf(ms: number): number | null {
  return ms === 0 ? null : ms
}
