import { setTimeout as sleep } from 'node:timers/promises'

/** A source of time: the system's for what connections feel, `VirtualClock` for what files and jobs live by. */
export interface Clock {
  /** Milliseconds since 1970; never goes back. */
  nowMs(): number
  /** @throws {Error} `AbortError` when aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export class SystemClock implements Clock {
  nowMs(): number {
    return performance.timeOrigin + performance.now()
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal })
  }
}
