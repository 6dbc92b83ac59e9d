import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/log.ts'
import { messageOf } from '../../runtime/message-of.ts'

const firstDelayMs = 1_000
const maxDelayMs = 5_000

export interface Life {
  /** Resolves with the reason when this life is over; rejects when it could not begin. */
  live(): Promise<string>
  /** Lets go of everything; must not throw. */
  end(): Promise<void>
}

/**
 * Lives one life after the other until `signal` aborts, with growing pauses between those that fail one after the
 * other. `begun` of a life resets the pause.
 */
export async function supervise(
  newLife: (begun: () => void) => Life,
  lost: (reason: string) => void,
  log: Logger,
  signal: AbortSignal
): Promise<void> {
  let delayMs = firstDelayMs
  while (!signal.aborted) {
    const life = newLife(() => {
      delayMs = firstDelayMs
    })
    const reason = await life.live().catch((error: unknown) => messageOf(error))
    if (!isOver(signal)) {
      log.warn({ reason, delayMs }, 'kafka: consumer lost; building a new one')
      lost(reason)
    }
    await life.end()
    await delay(delayMs, undefined, { signal }).catch(() => undefined)
    delayMs = Math.min(delayMs * 2, maxDelayMs)
  }
}

/** Asked anew after waiting: a plain look would be taken for the one before. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted
}
