import { differenceKinds } from '../../services/controller/src/verify/verify-report.ts'
import type { Demonstration } from './demonstrate.ts'

/** What `npm start -- --json` ends with; people's scripts rely on the names. */
export function resultOf(
  { ingest, verify, bill, usd, seconds, searches }: Demonstration,
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
    paidTokens: bill.paidTokens,
    necessaryTokens: bill.necessaryTokens,
    spentUsd: usd,
    seconds: Math.round(seconds * 10) / 10,
    startSeconds: Math.round(startSeconds * 10) / 10,
    searches: searches.map(({ query, answer }) => ({
      query,
      hits: answer.hits.map(({ docId, title, score }) => ({ docId, title, score }))
    }))
  }
}
