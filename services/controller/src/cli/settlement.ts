import type { StatusReport } from '../status/status-report.ts'
import type { Progress } from './progress-line.ts'

/**
 * How far what was sent since `before` has come. What others send meanwhile is counted in: the log does not tell
 * whose a document is.
 * @param total - documents sent since then; undefined while they are still being sent: then those that are known to
 *   be in the log by now.
 */
export function progressSince(before: StatusReport, now: StatusReport, total: number | undefined): Progress {
  const left = now.lag ? now.lag.totals.unread + now.lag.totals.outstanding : (total ?? 0)
  const admitted = count(now, 'admitted') - count(before, 'admitted')
  const known = total ?? admitted + (now.lag?.totals.unread ?? 0)
  return {
    total: known,
    done: Math.max(0, Math.min(known, known - left)),
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

function count({ ledger }: StatusReport, kind: string): number {
  return ledger?.counts[kind] ?? 0
}
