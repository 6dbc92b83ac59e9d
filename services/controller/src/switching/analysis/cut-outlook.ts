import type { AnalysisFacts } from './analysis-facts.ts'
import type { Cut, Work } from './analysis-report.ts'

/** What a cut took at most wherever it was measured. */
const cutMs = 1000
/** What a request takes with its writing to the index, roughly: nothing keeps account of it. */
const requestMs = 5000
/** As many past switches tell how long a cut takes. */
const cutsLookedAt = 20

/** A cut that waits for nothing. */
export function cutAtOnce({ history }: Pick<AnalysisFacts, 'history'>): Cut {
  const tookMs = history.switches
    .flatMap(({ state, strategy, tookMs: took }) =>
      state === 'completed' && strategy !== 'drain' && took !== null ? [took] : []
    )
    .slice(0, cutsLookedAt)
    .toSorted((a, b) => a - b)
  const medianMs = tookMs[Math.floor(tookMs.length / 2)]
  return medianMs === undefined
    ? { expectedMs: cutMs, latestMs: null, beforeDeadline: true, basis: 'under a second' }
    : {
        expectedMs: medianMs,
        latestMs: null,
        beforeDeadline: true,
        basis: `median of the last ${tookMs.length} cuts`
      }
}

/** A cut after the last of this work has ended. */
export function cutAfter(work: Work, facts: AnalysisFacts): Cut {
  const { survey, wish, basis, standby } = facts
  if (work.requests + work.jobs.length === 0) return cutAtOnce(facts)
  if (work.jobs.length === 0) {
    const beforeDeadline = requestMs <= wish.deadlineMs
    return { expectedMs: requestMs, latestMs: null, beforeDeadline, basis: 'requests take seconds' }
  }
  if (!standby.batch.instances.some(({ alive }) => alive)) {
    const why = 'no embedder-batch is alive to end its jobs'
    return { expectedMs: null, latestMs: null, beforeDeadline: null, basis: why }
  }
  const expectedMs = work.expectedEndMs === null ? null : Math.max(cutMs, work.expectedEndMs - survey.nowMs)
  const latestMs = work.latestEndMs === null ? null : Math.max(cutMs, work.latestEndMs - survey.nowMs)
  const { turnaround } = basis.batch
  return {
    expectedMs,
    latestMs,
    beforeDeadline: endsBefore(wish.deadlineMs, expectedMs, latestMs),
    basis:
      turnaround === null
        ? 'until the last job has ended; none was completed yet'
        : `until the last job has ended; median of the last ${turnaround.jobs} jobs`
  }
}

function endsBefore(deadlineMs: number, expectedMs: number | null, latestMs: number | null): boolean | null {
  if (latestMs !== null && latestMs <= deadlineMs) return true
  return expectedMs === null ? null : expectedMs <= deadlineMs
}
