import type { ObligationId } from '@pointsman/core/domain/identity'
import { computeLag } from '../../services/controller/src/lag/compute-lag.ts'
import { noHistory, stepHistory } from '../../services/controller/src/lag/lag-history.ts'
import type { LagReading } from '../../services/controller/src/lag/lag-reading.ts'
import type { LagReport } from '../../services/controller/src/lag/lag-report.ts'
import { expect } from 'vitest'
import { liveInstance, surveyOf, type SurveyParts } from './survey.ts'

const policy = { stallMs: 60_000, retentionWarnShare: 0.5, jobDeadlineMs: 26 * 3_600_000 }
const windowMs = 30_000

export interface Situation extends SurveyParts {
  readonly start?: number
  readonly end: number
  readonly committed?: number
  /** Of the group of the batch lane. */
  readonly batchCommitted?: number
  readonly retentionMs?: number
  readonly unsettledMs?: number
  readonly blocking?: ObligationId
}

/** One partition, number 0, served by a live embedder. */
export function reading(situation: Situation): LagReading {
  const {
    start = 0,
    end,
    committed,
    batchCommitted,
    retentionMs,
    unsettledMs,
    blocking,
    nowMs = 0
  } = situation
  return {
    nowMs,
    committed: {
      realtime: new Map([[0, offsetOf(committed)]]),
      batch: new Map([[0, offsetOf(batchCommitted)]])
    },
    survey: surveyOf({ instances: [liveInstance()], ...situation }),
    bounds: new Map([[0, { start: BigInt(start), end: BigInt(end) }]]),
    retentionMs,
    times: new Map([[0, unsettledMs === undefined ? {} : { unsettledMs }]]),
    blocking: blocking === undefined ? new Map() : new Map([[0, blocking]])
  }
}

function offsetOf(committed: number | undefined): bigint | undefined {
  return committed === undefined ? undefined : BigInt(committed)
}

/** The report of the last of these readings. */
export function report(...readings: readonly LagReading[]): LagReport {
  let history = noHistory
  let last: LagReport | undefined
  for (const next of readings) {
    const stepped = stepHistory(history, next, windowMs)
    last = computeLag(next, history, stepped, policy)
    history = stepped
  }
  return last ?? expect.unreachable('no reading')
}
