import { differenceKinds } from '../../services/controller/src/verify/verify-report.ts'
import type { Demonstration } from './demonstrate.ts'

/** What `npm start -- --json` ends with; people's scripts rely on the names. */
export function resultOf(
  { bill, changes, costs, ingest, jobsOfBefore, seconds, searches, verify, waiting }: Demonstration,
  startSeconds: number
) {
  const found = Object.fromEntries(differenceKinds.map(kind => [kind, verify.differences[kind].count]))
  return {
    documents: verify.log.documents,
    indexed: verify.ledger.indexed,
    lost: verify.differences.lost.count + verify.differences.missing.count,
    duplicates: verify.differences.duplicate.count + verify.differences.surplus.count,
    stale: verify.differences.stale.count,
    dead: verify.dead.count,
    consistent: verify.consistent && verify.quiet,
    differences: found,
    sent: ingest.emitted,
    deleted: ingest.tombstones,
    unchanged: ingest.unchanged,
    rejected: ingest.rejectedTotal,
    waiting,
    paidTokens: bill.realtimeTokens + bill.batchTokens,
    paidInJobs: bill.batchTokens,
    necessaryTokens: bill.necessaryTokens,
    spentUsd: costs?.usd ?? null,
    allRealtimeUsd: costs?.allRealtimeUsd ?? null,
    savedUsd: costs?.savedUsd ?? null,
    switches: changes.map(({ change, jobIds }) => ({ ...change, jobsInFlight: jobIds.length })),
    jobsInFlightAtSwitchBack: changes.at(-1)?.jobIds.length ?? 0,
    jobsFinishedInBackground: jobsOfBefore.filter(({ state }) => state === 'archived').length,
    seconds: Math.round(seconds * 10) / 10,
    startSeconds: Math.round(startSeconds * 10) / 10,
    searches: searches.map(({ query, answer }) => ({
      query,
      hits: answer.hits.map(({ docId, title, score }) => ({ docId, title, score }))
    }))
  }
}
