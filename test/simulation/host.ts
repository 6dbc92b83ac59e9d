// A machine with one process after the other on it. While its process is paused nothing reaches it and its timers wait;
// when it dies, all that was on its way to it is gone, and what it began to do never goes on.
import type { Clock } from '@pointsman/core/ports/clock'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

export interface HostOptions {
  readonly name: string
  readonly schedule: Schedule
  readonly random: Random
  /** Of its clock. */
  readonly skewMs: number
}

/** One life of a process. */
export class Life {
  readonly name: string
  readonly clock: Clock
  readonly #schedule: Schedule
  readonly #held: (() => void)[] = []
  #state: 'up' | 'paused' | 'dead' = 'up'

  constructor({ name, random, schedule, skewMs }: HostOptions) {
    this.name = name
    this.#schedule = schedule
    // Some day of the year, so that nothing is at the beginning of time.
    const beginningMs = 1_750_000_000_000 + skewMs
    this.clock = {
      nowMs: () => Math.floor(beginningMs + schedule.nowMs),
      sleep: (ms, signal) => this.#sleep(ms, signal),
      random: () => random.next()
    }
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  /** Lets something reach the process: at once, when it goes on, or never. */
  reach(run: () => void): void {
    if (this.#state === 'up') run()
    else if (this.#state === 'paused') this.#held.push(run)
  }

  /** Something of its own that takes time. */
  after(delayMs: number, run: () => void): () => void {
    return this.#schedule.after(delayMs, () => this.reach(run))
  }

  pause(): void {
    if (this.#state === 'up') this.#state = 'paused'
  }

  /** All that waited happens, one after the other. */
  wake(): void {
    if (this.#state !== 'paused') return
    this.#state = 'up'
    for (const run of this.#held.splice(0)) this.#schedule.after(0, () => this.reach(run))
  }

  die(): void {
    this.#state = 'dead'
    this.#held.length = 0
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.isDead) return new Promise(() => undefined)
    const { promise, reject, resolve } = Promise.withResolvers<void>()
    const cancel = this.after(ms, resolve)
    const onAbort = (): void => {
      cancel()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
