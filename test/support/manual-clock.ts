import type { Clock } from '@pointsman/core/ports/clock'

interface Sleeper {
  readonly untilMs: number
  wake(): void
}

/** Time that passes only by `advance`; chance is always one half. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000
  #sleepers: Sleeper[] = []

  nowMs(): number {
    return this.#nowMs
  }

  random(): number {
    return 0.5
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, reject, resolve } = Promise.withResolvers<void>()
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    this.#sleepers.push({ untilMs: this.#nowMs + ms, wake: resolve })
    return promise
  }

  /** Wakes everybody whose time comes in these milliseconds, in order, and lets them go on. */
  async advance(ms: number): Promise<void> {
    await settledMicrotasks()
    const untilMs = this.#nowMs + ms
    for (;;) {
      const next = this.#sleepers
        .filter(sleeper => sleeper.untilMs <= untilMs)
        .sort((a, b) => a.untilMs - b.untilMs)[0]
      if (next === undefined) break
      this.#sleepers = this.#sleepers.filter(sleeper => sleeper !== next)
      this.#nowMs = next.untilMs
      next.wake()
      await settledMicrotasks()
    }
    this.#nowMs = untilMs
    await settledMicrotasks()
  }
}

/** Lets everything that only waits for promises come to rest. */
export function settledMicrotasks(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
