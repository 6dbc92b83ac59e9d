import { setTimeout as delay } from 'node:timers/promises'
import type { Stack } from '../stack/start-stack.ts'

const lookEveryMs = 500
const firstPauseMs = 500
const maxPauseMs = 10_000

/** Starts servers again that ended by themselves, on the same ports and data, until the signal aborts. */
export async function keepPartsUp(
  parts: Stack['parts'],
  tell: (text: string) => void,
  signal: AbortSignal
): Promise<void> {
  await Promise.all(
    parts.map(async part => {
      let pauseMs = firstPauseMs
      while (!signal.aborted) {
        await delay(lookEveryMs, undefined, { signal }).catch(() => undefined)
        if (part.pid !== undefined || signal.aborted) continue
        tell(`${part.name} ended by itself and is started again; see ${part.logPath}`)
        try {
          await part.restart(signal)
          pauseMs = firstPauseMs
        } catch (error) {
          if (signal.aborted) return
          tell(`${part.name}: ${error instanceof Error ? error.message : String(error)}`)
          await delay(pauseMs, undefined, { signal }).catch(() => undefined)
          pauseMs = Math.min(pauseMs * 2, maxPauseMs)
        }
      }
    })
  )
}
