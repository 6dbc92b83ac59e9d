import type { EmbeddingSpec } from '@pointsman/core/domain/identity'
import type { Clock } from '@pointsman/core/ports/clock'
import type { DeadLetters, DocumentCodec, LogAdmin, RangeReader } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'

/** What an audit reads; it changes nothing. */
export interface VerifyDeps {
  readonly admin: Pick<LogAdmin, 'bounds'>
  readonly ranges: Pick<RangeReader, 'scan' | 'read'>
  readonly codec: Pick<DocumentCodec, 'decode'>
  readonly letters: Pick<DeadLetters, 'list'>
  readonly ledger: Pick<Ledger, 'survey' | 'latest' | 'processed'>
  readonly store: Pick<VectorStore, 'page' | 'count' | 'heads' | 'unindexed'>
  readonly clock: Clock
  readonly spec: EmbeddingSpec
}

/** What a repair changes with. */
export interface RepairDeps extends VerifyDeps {
  readonly letters: Pick<DeadLetters, 'list' | 'repeat' | 'write'>
  readonly ledger: Pick<Ledger, 'survey' | 'latest' | 'processed' | 'correct'>
  readonly store: Pick<VectorStore, 'page' | 'count' | 'heads' | 'unindexed' | 'remove'>
}
