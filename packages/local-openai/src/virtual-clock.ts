// The time that files and jobs live by. It flows `factor` times as fast as real time, or stands (factor 0) and is
// moved by `advance`. What connections feel (latency, rate limits) stays in real time.
//
//   V1  It never goes back.
//   V2  It never passes the moment that somebody waits for before that one was woken: however far it leaps, things
//       happen in their order, each at its own moment.
//   V3  While somebody works it flows at real speed at most, so that a fast clock does not outrun the processor
//       and let jobs expire that were only being computed.

import type { Clock } from './clock.ts'

const maxTimerMs = 2_147_483_647

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

export class VirtualClock implements Clock {
  /**
   * How far wrong the times are that clients are shown of what is made from now on. Nothing goes by them here, so a server
   * whose clock was set back still does one thing after the other (V1).
   */
  skewMs = 0
  #factor: number
  #working = 0
  /** The moment of virtual time at `#anchorRealMs`, from which it flows. */
  #anchorMs: number
  #anchorRealMs = performance.now()
  /** By the moment they wait for. */
  #sleepers: readonly Sleeper[] = []
  #timer: NodeJS.Timeout | undefined
  #idle = Promise.withResolvers<void>()

  /** @param factor - 0 or more. */
  constructor(startMs: number, factor: number) {
    this.#anchorMs = startMs
    this.#factor = factor
  }

  get factor(): number {
    return this.#factor
  }

  set factor(factor: number) {
    this.#anchor(this.nowMs())
    this.#factor = factor
    this.#arm()
  }

  nowMs(): number {
    return Math.min(this.#flowedMs(), this.#sleepers[0]?.dueMs ?? Number.POSITIVE_INFINITY)
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (ms <= 0) return
    const { promise, reject, resolve } = Promise.withResolvers<void>()
    const sleeper: Sleeper = { dueMs: this.nowMs() + ms, wake: resolve }
    const leave = (): void => {
      this.#sleepers = this.#sleepers.filter(one => one !== sleeper)
      this.#arm()
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    this.#sleepers = [...this.#sleepers, sleeper].toSorted((a, b) => a.dueMs - b.dueMs)
    this.#arm()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** To be held by whoever works on something that the clock set going (V3). */
  work(): Disposable {
    this.#countWorkers(1)
    return {
      [Symbol.dispose]: () => {
        this.#countWorkers(-1)
        if (this.#working > 0) return
        this.#idle.resolve()
        this.#idle = Promise.withResolvers()
      }
    }
  }

  /** Moves on by `ms`; whatever was due meanwhile is done when this returns. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.nowMs() + ms
    await this.#rest()
    for (;;) {
      const next = this.#sleepers[0]
      if (!next || next.dueMs > targetMs) break
      this.#wake(next.dueMs)
      await this.#rest()
    }
    this.#anchor(Math.max(targetMs, this.nowMs()))
    this.#arm()
  }

  #flowedMs(): number {
    return this.#anchorMs + (performance.now() - this.#anchorRealMs) * this.#rate()
  }

  #rate(): number {
    return this.#working > 0 ? Math.min(this.#factor, 1) : this.#factor
  }

  #countWorkers(by: 1 | -1): void {
    // At real speed or below nothing changes, and no time is lost by rounding.
    if (this.#factor > 1) this.#anchor(this.nowMs())
    this.#working += by
    this.#arm()
  }

  #anchor(nowMs: number): void {
    this.#anchorMs = nowMs
    this.#anchorRealMs = performance.now()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const next = this.#sleepers[0]
    if (!next || this.#rate() === 0) return
    const realMs = Math.ceil((next.dueMs - this.#flowedMs()) / this.#rate())
    this.#timer = setTimeout(() => this.#onTimer(), Math.min(Math.max(0, realMs), maxTimerMs))
  }

  #onTimer(): void {
    const next = this.#sleepers[0]
    if (!next || next.dueMs > this.#flowedMs()) return this.#arm()
    // At real speed a late timer must not make the clock lag behind; a faster one would leap by hours.
    if (this.#factor > 1) this.#wake(next.dueMs)
    else this.#release(next.dueMs)
  }

  #wake(dueMs: number): void {
    this.#anchor(dueMs)
    this.#release(dueMs)
  }

  #release(dueMs: number): void {
    const due = this.#sleepers.filter(one => one.dueMs <= dueMs)
    this.#sleepers = this.#sleepers.filter(one => one.dueMs > dueMs)
    for (const sleeper of due) sleeper.wake()
    this.#arm()
  }

  /** Until nobody works: those just woken have begun to when all promises have run. */
  async #rest(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    while (this.#working > 0) {
      await this.#idle.promise
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
