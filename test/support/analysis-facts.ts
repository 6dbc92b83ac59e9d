import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Job } from '@pointsman/core/ports/job'
import type { Obligation, ObligationState, PastJob, PartitionProgress } from '@pointsman/core/ports/ledger'
import { basisOf } from '../../services/controller/src/estimate/estimate-basis.ts'
import type { PartitionLag } from '../../services/controller/src/lag/lag-report.ts'
import type { AnalysisFacts } from '../../services/controller/src/switching/analysis/analysis-facts.ts'
import { analysisQuery } from '../../services/controller/src/switching/analysis/analysis-query.ts'
import { analyse } from '../../services/controller/src/switching/analysis/analyse.ts'
import type { StrategyOutlook } from '../../services/controller/src/switching/analysis/analysis-report.ts'
import type { Standby, SwitchReport } from '../../services/controller/src/switching/switch-report.ts'
import { jobOf } from './job.ts'
import { obligationOf, progressOf, surveyOf, type SurveyParts } from './survey.ts'
import { report, reading } from './lag-reading.ts'

export const nowMs = 1_000_000_000
export const hourMs = 3_600_000
const prices = { realtime: 2, batch: 1 }

export interface Scene extends Pick<SurveyParts, 'obligations' | 'counts' | 'draining' | 'pausedBecause'> {
  readonly target?: Lane
  /** Of the partitions, from number 0 on. */
  readonly lanes?: readonly Lane[]
  /** In each partition. */
  readonly unread?: number
  /** Admitted and not finished, in each partition. */
  readonly unsettled?: number
  readonly retention?: PartitionLag['retention']
  readonly wish?: object
  readonly prices?: AnalysisFacts['jobTerms']['prices']
  readonly notReady?: Lane
  readonly away?: Lane
  readonly current?: SwitchReport
  readonly switches?: readonly SwitchReport[]
  /** How long past jobs took. */
  readonly tookMs?: readonly number[]
}

/** Two partitions of the lane that is not the target, both lanes ready, nothing in flight, and what a test cares for. */
export function factsOf(scene: Scene = {}): AnalysisFacts {
  const { target = 'realtime', unread = 0, unsettled = 0, retention = null, tookMs = [] } = scene
  const other = target === 'realtime' ? 'batch' : 'realtime'
  const lanes = scene.lanes ?? [other, other]
  const known = scene.prices ?? prices
  const progress = lanes.map((lane, partition): readonly [number, PartitionProgress] => [
    partition,
    { ...progressOf(0, unsettled, unsettled), lane }
  ])
  const [like] = report(reading({ end: 0 })).partitions
  if (like === undefined) throw new Error('a reading without a partition')
  return {
    target,
    wish: analysisQuery.parse(scene.wish ?? {}),
    survey: surveyOf({ ...scene, progress, nowMs }),
    lag: { partitions: lanes.map((lane, partition) => ({ ...like, partition, lane, unread, retention })) },
    standby: { realtime: standbyIn('realtime', scene), batch: standbyIn('batch', scene) },
    history: { current: scene.current ?? null, switches: [...(scene.switches ?? [])] },
    basis: basisOf({
      model: 'some-model',
      prices: known,
      settings: {
        tokensPerMinute: 1_000_000,
        maxLines: 1000,
        maxBytes: 1_000_000,
        maxTokens: 100_000,
        maxJobs: 2
      },
      documentsPerSecond: null,
      pastJobs: tookMs.map(pastJob)
    }),
    jobTerms: { prices: known, deadlineMs: 26 * hourMs }
  }
}

/** A manifest in partition 0 of as many documents as its job has lines, or 10, of ten tokens each. */
export function manifest(
  id: string,
  state: ObligationState,
  job: Partial<Job> = {},
  fields: Partial<Obligation> = {}
): Obligation {
  const lines = job.lines ?? 0
  return obligationOf(0, lines || 10, {
    id: id as ObligationId,
    kind: 'manifest',
    state,
    job: jobOf({ tokens: lines * 10, ...job }),
    sinceMs: nowMs - hourMs,
    ...fields
  })
}

export function running(id: string, lines: number, completed: number, ageMs = hourMs): Obligation {
  return manifest(id, 'submitted', { lines, completed, submittedMs: nowMs - ageMs })
}

export function switchReportOf(fields: Partial<SwitchReport>): SwitchReport {
  return {
    switchId: 's-1',
    state: 'completed',
    because: '',
    epoch: 2,
    expectedEpoch: 1,
    target: 'realtime',
    strategy: 'detach',
    share: 1,
    partitions: [],
    actor: 'test',
    reason: '',
    acceptedMs: 0,
    deadlineAtMs: 0,
    endedMs: null,
    tookMs: null,
    released: 0,
    cancelled: 0,
    frontiers: {},
    left: null,
    ...fields
  }
}

function pastJob(took: number): PastJob {
  const job = jobOf({ status: 'completed', submittedMs: 1, endedMs: 1 + took })
  return { ...job, manifest: '9.9.9' as ObligationId, sinceMs: 0, archivedMs: 0 }
}

function standbyIn(lane: Lane, { away, notReady }: Scene): Standby {
  const isReady = notReady !== lane && away !== lane
  return {
    lane,
    ready: isReady,
    reasons: isReady ? [] : [`embedder-${lane}-1: its disk is full`],
    instances: [{ instance: `embedder-${lane}-1`, alive: away !== lane, trouble: '' }],
    group: { name: lane, state: 'Stable', members: 1, unassigned: [] }
  }
}

/** One of each state. */
export const mixture = [
  manifest('open', 'open'),
  manifest('sealed', 'sealed'),
  manifest('uploaded', 'uploaded', { lines: 20 }),
  manifest('submitting', 'submitting', { lines: 30 }),
  running('submitted', 40, 10),
  manifest('given-up', 'submitted', { lines: 5, submittedMs: nowMs - hourMs, order: 'abandon' }),
  manifest('terminal', 'terminal', { lines: 50, completed: 50 }),
  obligationOf(1, 7, { id: 'request' as ObligationId, state: 'paying' })
]

/** What each strategy would do. */
export function outlooks(scene: Scene): Record<StrategyOutlook['strategy'], StrategyOutlook> {
  const [detach, drain, force] = analyse(factsOf(scene)).strategies
  if (!detach || !drain || !force) throw new Error('a strategy is missing')
  return { detach, drain, force }
}
