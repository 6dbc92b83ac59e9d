import type { EmbeddingSpec } from '@pointsman/core/domain/identity'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import type { Clock } from '@pointsman/core/ports/clock'
import type { ControlLog } from '@pointsman/core/ports/control-log'
import type { Embedder } from '@pointsman/core/ports/embedder'
import type { DeadLetters, DocumentCodec, LogAdmin, RangeReader } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import type { Names } from '@pointsman/core/runtime/names'

/** What the controller works with: one of each. */
export interface Parts {
  readonly admin: LogAdmin
  readonly ranges: RangeReader
  readonly codec: DocumentCodec
  readonly letters: DeadLetters
  readonly ledger: Ledger
  readonly control: ControlLog
  readonly store: VectorStore
  readonly embedder: Embedder
  /** Jobs are looked up there when the ledger was lost. */
  readonly provider: BatchProvider
  readonly clock: Clock
  readonly names: Names
  readonly spec: EmbeddingSpec
}
