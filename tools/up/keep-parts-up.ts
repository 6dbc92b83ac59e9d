import { setTimeout as delay } from 'node:timers/promises'
import type { PartHandle } from '../stack/part.ts'

const lookEveryMs = 500
const firstPauseMs = 500
const maxPauseMs = 10_000

/** Starts servers again that ended by themselves, on the same ports and data, until the signal aborts. */
export async function keepPartsUp(
  parts: readonly PartHandle[],
  tell: (text: string) => void,
  signal: AbortSignal
): Promise<void> {
  // They end with the signal alone.
  await Promise.allSettled(parts.map(part => keepUp(part, tell, signal)))
}

async function keepUp(part: PartHandle, tell: (text: string) => void, signal: AbortSignal): Promise<never> {
  let pauseMs = firstPauseMs
  for (;;) {
    await delay(lookEveryMs, undefined, { signal })
    if (part.pid !== undefined) continue
    tell(`${part.name} ended by itself and is started again; see ${part.logPath}`)
    try {
      await part.restart(signal)
      pauseMs = firstPauseMs
    } catch (error) {
      signal.throwIfAborted()
      tell(`${part.name}: ${error instanceof Error ? error.message : String(error)}`)
      await delay(pauseMs, undefined, { signal })
      pauseMs = Math.min(pauseMs * 2, maxPauseMs)
    }
  }
}
