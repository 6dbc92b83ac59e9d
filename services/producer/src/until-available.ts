import { policyOf } from '@pointsman/core/domain/failure'
import type { Clock } from '@pointsman/core/ports/clock'
import type { IngestEvent } from './ingest-report.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface WaitingDeps {
  readonly clock: Clock
  readonly tell: (event: IngestEvent) => void
}

const firstWaitMs = 250
const longestWaitMs = 30_000

/**
 * Repeats an action until it succeeds, with back-off, and says that it waits and for what.
 * @throws what is not worth repeating, or the signal's reason.
 */
export async function untilAvailable<Result>(
  action: () => Promise<Result>,
  { clock, tell }: WaitingDeps,
  signal: AbortSignal
): Promise<Result> {
  const startMs = clock.nowMs()
  for (let attempt = 0; ; attempt += 1) {
    try {
      const result = await action()
      if (attempt > 0) tell({ event: 'resumed', waitedMs: clock.nowMs() - startMs })
      return result
    } catch (error) {
      signal.throwIfAborted()
      const [disposition] = policyOf(error)
      if (disposition !== 'retry') throw error
      const ceilingMs = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt)
      const retryInMs = Math.round(ceilingMs * (0.5 + clock.random() / 2))
      tell({ event: 'waiting', reason: messageOf(error), retryInMs })
      await clock.sleep(retryInMs, signal)
    }
  }
}
