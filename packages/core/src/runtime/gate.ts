// A gate stands before a dependency (provider, index, ledger, log). A failure closes it; while it is closed nothing
// new is admitted or paid for (fail closed). It opens by itself as soon as its check succeeds.
import { policyOf } from '../domain/failure.ts'
import type { Clock } from '../ports/clock.ts'
import { abortable } from './abortable.ts'
import { backOffMs } from './back-off.ts'
import { messageOf } from './message-of.ts'

export interface Closure {
  readonly reason: string
  readonly sinceMs: number
  readonly nextTryMs: number
}

export interface GateOptions {
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** Ends the checks of a closed gate. */
  readonly signal: AbortSignal
}

const wait = { firstMs: 250, longestMs: 30_000 }

export class Gate {
  readonly name: string
  readonly #check: (signal: AbortSignal) => Promise<unknown>
  readonly #options: GateOptions
  #closure: Closure | undefined
  #opening = Promise.withResolvers<void>()
  /** Closures since the last success: what the waits grow with. */
  #streak = 0

  /** @param check - resolves when a call could succeed; must not cost money. */
  constructor(name: string, check: (signal: AbortSignal) => Promise<unknown>, options: GateOptions) {
    this.name = name
    this.#check = check
    this.#options = options
  }

  /** Why and since when it is closed; undefined while it is open. */
  get closure(): Closure | undefined {
    return this.#closure
  }

  /** Resolves when the gate is open; rejects with the signal's reason. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#closure !== undefined) await abortable(this.#opening.promise, signal)
    signal.throwIfAborted()
  }

  /** Notes that a call succeeded: the next closure waits briefly again. */
  succeeded(): void {
    this.#streak = 0
  }

  close(reason: string): void {
    if (this.#closure !== undefined) return
    this.#closure = { reason, sinceMs: this.#options.clock.nowMs(), nextTryMs: 0 }
    this.#options.warn(`${this.name}: closed: ${reason}`)
    void this.#reopen()
  }

  /**
   * Makes a call that may be repeated at will, until it succeeds. Between tries the gate is closed.
   * Rethrows what can never succeed (`reject`).
   * @param onFatal - what needs an operator is waited for, or rethrown (at a start, where somebody is watching).
   */
  async run<Result>(
    call: () => Promise<Result>,
    signal: AbortSignal,
    onFatal: 'wait' | 'throw' = 'wait'
  ): Promise<Result> {
    for (;;) {
      await this.pass(signal)
      try {
        const result = await call()
        this.succeeded()
        return result
      } catch (error) {
        signal.throwIfAborted()
        const [disposition] = policyOf(error)
        if (disposition === 'reject' || (disposition === 'fatal' && onFatal === 'throw')) throw error
        this.close(messageOf(error))
      }
    }
  }

  async #reopen(): Promise<void> {
    const { clock, signal, warn } = this.#options
    while (!signal.aborted && this.#closure !== undefined) {
      const waitMs = backOffMs(this.#streak, wait, clock.random())
      this.#streak += 1
      this.#closure = { ...this.#closure, nextTryMs: clock.nowMs() + waitMs }
      try {
        await clock.sleep(waitMs, signal)
        await this.#check(signal)
      } catch (error) {
        const reason = messageOf(error)
        this.#closure = { ...this.#closure, reason }
        continue
      }
      const closedMs = clock.nowMs() - this.#closure.sinceMs
      this.#closure = undefined
      const { resolve } = this.#opening
      this.#opening = Promise.withResolvers()
      resolve()
      warn(`${this.name}: open again after ${Math.round(closedMs)} ms`)
    }
  }
}
