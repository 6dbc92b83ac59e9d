import type { AdoptDeps } from '@pointsman/core/lane/adopt-work'
import type { LaneGates } from '@pointsman/core/lane/lane-gates'
import type { Slots } from '@pointsman/core/lane/slots'
import type { BatchProvider, ManifestKey } from '@pointsman/core/ports/batch-provider'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import type { Gate } from '@pointsman/core/runtime/gate'
import type { SizeBounds } from './manifest-size.ts'
import type { PollBounds } from './poll-interval.ts'

export interface BatchOptions extends SizeBounds, PollBounds {
  readonly maxBytes: number
  /** Tokens that may be enqueued at the provider over all jobs of the model: its limit, less a reserve. */
  readonly maxEnqueuedTokens: number
  /** Jobs at the provider at once, of all instances. */
  readonly maxJobs: number
  /** How long the first text of a manifest waits for company. */
  readonly sealAfterMs: number
  /** A job that has not ended so long after its submission is cancelled. */
  readonly deadlineMs: number
  /** After a create call without an answer: how long the provider's list may lag. */
  readonly doubtGraceMs: number
  /** Rest before a text whose line failed is tried again; grows with its failures. */
  readonly retryDelayMs: number
  /** Jobs that may come to nothing for a text before it is given up. */
  readonly maxFailures: number
}

export interface BatchDeps extends AdoptDeps {
  readonly provider: BatchProvider
  readonly hit: HitFailpoint
  readonly gates: LaneGates & { readonly spool: Gate }
  /** What names our manifests at the provider. */
  readonly owned: Omit<ManifestKey, 'manifest'>
  /** Ledgers that this process has worked in, the current one too: what is named after them is nobody else's. */
  readonly ledgers: ReadonlySet<string>
  readonly options: BatchOptions
  /** One at a time each, so that memory does not grow with the number of jobs. */
  readonly uploading: Slots
  readonly submitting: Slots
  readonly indexing: Slots
  /** Jobs whose results are on this machine: of one, they are fetched while those of another are indexed. */
  readonly harvesting: Slots
}

/** When to begin nothing new, and when to leave what was begun to the next owner. */
export interface StopSignals {
  readonly signal: AbortSignal
  readonly grace: AbortSignal
}
