import type { EmbeddingSpec } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeadLetters, DocumentCodec, GroupReader, LogAdmin, RangeReader } from '../ports/event-log.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { VectorStore } from '../ports/vector-store.ts'
import type { HitFailpoint } from '../runtime/failpoint.ts'
import type { LaneKind } from './lane-kind.ts'
import type { StreamDeps } from './lane-stream.ts'

/** The outside world of every lane; its provider is its own affair. */
export interface LanePorts {
  readonly ledger: Ledger
  readonly store: VectorStore
  readonly codec: DocumentCodec
  readonly ranges: RangeReader
  readonly deadLetters: DeadLetters
  /** Of the lane's own group; a reader joins one time, so each life takes a new one, and disposes of it. */
  readonly openReader: () => GroupReader
  readonly admin: LogAdmin
  readonly clock: Clock
  readonly hit: HitFailpoint
  readonly warn: (message: string) => void
}

/** What makes an instance one of its lane. */
export interface LanePlan {
  readonly lane: Lane
  readonly spec: EmbeddingSpec
  /** Candidates of one admission, at most 2048, and their tokens. */
  readonly admitInputs: number
  readonly admitTokens: number
  /** Requests in work at once. */
  readonly maxWorks: number
  /** Resolves when the provider would take a call; must not cost money. */
  readonly checkProvider: (signal: AbortSignal) => Promise<void>
  /** Called in each life, when the instance is registered: nothing that it makes outlives the ledger. */
  readonly kind: (deps: StreamDeps, ledgerId: string) => LaneKind
}
