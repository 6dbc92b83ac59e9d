import type { BatchQueue } from './batches/batch-queue.ts'
import type { Bill } from './bill.ts'
import type { Clock } from './clock.ts'
import type { Journal } from './exchange.ts'
import type { FaultScript } from './fault-script.ts'
import type { FileStore } from './files/file-store.ts'
import type { Latency } from './latency.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { ServerState } from './server-state.ts'
import type { TokenCounter } from './token-counter.ts'
import type { VectorSource } from './vector-source.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { Webhooks } from './webhooks.ts'

/** What the routes share. The admin routes change it while requests run. */
export interface LocalServer {
  /** What connections feel: latency and rate limits. */
  readonly clock: Clock
  /** What files and jobs live by. */
  readonly virtualClock: VirtualClock
  readonly state: ServerState
  readonly files: FileStore
  readonly batches: BatchQueue
  readonly maxBatchFileBytes: number
  readonly vectors: VectorSource
  readonly counter: TokenCounter
  readonly bill: Bill
  readonly journal: Journal
  readonly random: SeededRandom
  readonly webhooks: Webhooks
  latency: Latency
  limiter: RateLimiter
  faults: FaultScript
  /** Keys that are let in; any key is when undefined. */
  readonly apiKeys: ReadonlySet<string> | undefined
  /** Aborted when the server begins to stop: ends what would wait for ever. */
  readonly stopped: AbortSignal
  /** Aborted when running requests had their time to end. */
  readonly abandoned: AbortSignal
}
