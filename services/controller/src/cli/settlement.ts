import type { StatusReport } from '../status/status-report.ts'
import type { Progress } from './progress-line.ts'

/**
 * How far what was sent since `before` has come, with what was open then. What others send meanwhile is counted in:
 * the log does not tell whose a document is.
 * @param sent - documents sent since then; undefined while they are still being sent: then those that are known to be
 *   in the log by now.
 */
export function progressSince(before: StatusReport, now: StatusReport, sent: number | undefined): Progress {
  const left = open(now)
  const admitted = count(now, 'admitted') - count(before, 'admitted')
  const known = admitted + (now.lag?.totals.unread ?? 0) - (before.lag?.totals.unread ?? 0)
  const total = open(before) + (sent ?? Math.max(0, known))
  return {
    total,
    done: Math.max(0, total - left),
    failed: count(now, 'dead') - count(before, 'dead'),
    perSecond: now.lag?.rates.settledPerSecond ?? null,
    etaMs: now.lag?.etaMs ?? null,
    usd: now.spend?.usd == null || before.spend?.usd == null ? null : now.spend.usd - before.spend.usd
  }
}

/** Nothing is unread or in flight any more. */
export function isSettled({ lag }: StatusReport): boolean {
  return lag !== null && lag.totals.unread === 0 && lag.totals.outstanding === 0
}

function open({ lag }: StatusReport): number {
  return lag ? lag.totals.unread + lag.totals.outstanding : 0
}

function count({ ledger }: StatusReport, kind: string): number {
  return ledger?.counts[kind] ?? 0
}
