import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { Survey } from '@pointsman/core/ports/ledger'

/** Times of two records of a partition, where there are such records. */
export interface RecordTimes {
  /** Of the record at W, when W < A. */
  readonly unsettledMs?: number
  /** Of the first unread record. */
  readonly unreadMs?: number
}

/**
 * All that lag is computed from. Read in this order, so that what moves on meanwhile cannot look like a fault:
 * committed offsets, then the ledger, then the bounds of the log. Then C <= W <= A <= E holds in every reading.
 */
export interface LagReading {
  /** Time of this computer: ages of records. Ages of obligations are told by the ledger's own time. */
  readonly nowMs: number
  readonly committed: Readonly<Record<Lane, ReadonlyMap<number, bigint | undefined>>>
  readonly survey: Survey
  readonly bounds: ReadonlyMap<number, LogBounds>
  readonly retentionMs: number | undefined
  readonly times: ReadonlyMap<number, RecordTimes>
  /** The obligation that holds the offset W, where it was looked up. */
  readonly blocking: ReadonlyMap<number, ObligationId>
}
