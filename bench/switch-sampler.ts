// Watches the ledger on a connection of its own: how far everything is admitted, and for how long it stood still although
// something was unread.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger, LedgerState } from '@pointsman/core/ports/ledger'

/** Something was unread and nothing was admitted, in milliseconds since the Unix epoch. */
export interface Gap {
  readonly fromMs: number
  readonly toMs: number
}

const restMs = 5

export class SwitchSampler implements AsyncDisposable {
  readonly #ledger: Pick<Ledger, 'state'>
  /** How many records the log has. */
  readonly #produced: () => number
  readonly #gaps: Gap[] = []
  readonly #running: Promise<void>
  #isDone = false
  #state: LedgerState | undefined
  #changed = Promise.withResolvers<void>()
  #admitted = 0
  #standsSinceMs: number | undefined
  #samples = 0
  #longestRestMs = 0
  #mostUnread = 0

  constructor(ledger: Pick<Ledger, 'state'>, produced: () => number) {
    this.#ledger = ledger
    this.#produced = produced
    this.#running = this.#run()
    this.#running.catch(() => undefined)
  }

  get gaps(): readonly Gap[] {
    return this.#gaps
  }

  get samples(): number {
    return this.#samples
  }

  /** Longest time between two samples. */
  get longestRestMs(): number {
    return this.#longestRestMs
  }

  get mostUnread(): number {
    return this.#mostUnread
  }

  get unread(): number {
    return this.#produced() - this.#admitted
  }

  /** The ledger's state as last read. */
  get state(): LedgerState {
    if (this.#state === undefined) throw new Error('the ledger was not read yet')
    return this.#state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDone = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let last = Date.now(); !this.#isDone; ) {
      const produced = this.#produced()
      const state = await this.#ledger.state()
      const nowMs = Date.now()
      this.#longestRestMs = Math.max(this.#longestRestMs, nowMs - last)
      last = nowMs
      this.#note(state, produced, nowMs)
      await sleep(restMs)
    }
    this.#endGap(Date.now())
  }

  /** Waits until a sample is so. @returns false when it was not within this time. */
  async until(isSo: (state: LedgerState) => boolean, withinMs: number): Promise<boolean> {
    const deadlineMs = Date.now() + withinMs
    while (!isSo(this.state)) {
      if (Date.now() > deadlineMs) return false
      await Promise.race([this.#changed.promise, this.#running])
    }
    return true
  }

  #note(state: LedgerState, produced: number, nowMs: number): void {
    const admitted = [...state.partitions.values()].reduce((sum, { frontier }) => sum + Number(frontier), 0)
    if (admitted > this.#admitted) this.#endGap(nowMs)
    this.#admitted = admitted
    const unread = produced - admitted
    if (unread > 0) this.#standsSinceMs ??= nowMs
    this.#mostUnread = Math.max(this.#mostUnread, unread)
    this.#samples += 1
    this.#state = state
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  #endGap(nowMs: number): void {
    if (this.#standsSinceMs !== undefined) this.#gaps.push({ fromMs: this.#standsSinceMs, toMs: nowMs })
    this.#standsSinceMs = undefined
  }
}

/** The longest of those that touch a window, in milliseconds. */
export function longestGapMs(gaps: readonly Gap[], windows?: readonly Gap[]): number {
  const touching = gaps.filter(
    gap => windows?.some(({ fromMs, toMs }) => gap.toMs >= fromMs && gap.fromMs <= toMs) ?? true
  )
  return touching.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0)
}
