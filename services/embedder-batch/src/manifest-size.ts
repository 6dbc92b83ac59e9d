// How large the next manifest may grow: large ones save calls and job slots, small ones lose less time when a provider
// lets jobs expire or fails many lines. What the last jobs came to decides, within the configured bounds.
import type { PastJob } from '@pointsman/core/ports/ledger'

export interface SizeBounds {
  readonly minLines: number
  readonly maxLines: number
}

/** Jobs looked at: older ones tell of another day. */
export const jobsConsidered = 10
/** A job with a smaller share of its lines done was too large for the provider. */
const goodShare = 0.9
/** A job that took longer leaves no reserve before it expires. */
const slowMs = 12 * 3_600_000

/** @param past - the latest first. */
export function nextManifestLines(past: readonly PastJob[], { minLines, maxLines }: SizeBounds): number {
  let lines = maxLines
  for (const job of past.slice(0, jobsConsidered).toReversed()) {
    // What an operator ended says nothing about the provider.
    if (job.order !== '' || job.lines === 0) continue
    const isGood = job.completed >= goodShare * job.lines
    if (!isGood) lines = Math.min(lines, job.lines) / 2
    else if (job.endedMs - job.submittedMs < slowMs) lines *= 2
    lines = Math.min(maxLines, Math.max(minLines, Math.floor(lines)))
  }
  return lines
}
