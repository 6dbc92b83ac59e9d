import type { Bill } from './bill.ts'
import type { Clock } from './clock.ts'
import type { Journal } from './exchange.ts'
import type { Latency } from './latency.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { TokenCounter } from './token-counter.ts'
import type { VectorSource } from './vector-source.ts'

/** What the routes share. The admin routes change it while requests run. */
export interface LocalServer {
  readonly clock: Clock
  readonly vectors: VectorSource
  readonly counter: TokenCounter
  readonly bill: Bill
  readonly journal: Journal
  readonly random: SeededRandom
  latency: Latency
  /** Keys that are let in; any key is when undefined. */
  readonly apiKeys: ReadonlySet<string> | undefined
  /** Aborted when the server stops: ends what would wait for ever. */
  readonly stopped: AbortSignal
}
