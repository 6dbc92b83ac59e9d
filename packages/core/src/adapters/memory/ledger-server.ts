// What the handles of all processes share: the ledger itself, as a server keeps it, and the ways in which a server loses it.
import { randomUUID } from 'node:crypto'
import type { Lane } from '../../domain/lane.ts'
import { type MemoryLedgerState, newLedgerState } from './ledger-state.ts'

export interface MemoryLedgerServerOptions {
  /** A ledger that exists already; without one `open` makes it. */
  readonly state?: MemoryLedgerState
  readonly newLedgerId?: () => string
}

export class MemoryLedgerServer {
  /** Ledger time. */
  readonly nowMs: () => number
  readonly #newLedgerId: () => string
  readonly #listeners = new Set<() => void>()
  #state: MemoryLedgerState | undefined

  constructor(nowMs: () => number, { newLedgerId = randomUUID, state }: MemoryLedgerServerOptions = {}) {
    this.nowMs = nowMs
    this.#newLedgerId = newLedgerId
    this.#state = state
  }

  get state(): MemoryLedgerState | undefined {
    return this.#state
  }

  /** An empty ledger, in the place of whatever was there. @param because - it is to be rebuilt. */
  begin(defaultLane: Lane, because: string | undefined): MemoryLedgerState {
    const state = newLedgerState(this.#newLedgerId(), defaultLane)
    const sinceMs = this.nowMs()
    if (because !== undefined) state.rebuild = { because, sinceMs, stage: 'waiting', done: 0, total: 0 }
    this.#state = state
    return state
  }

  /** All is gone. */
  lose(): void {
    this.#state = undefined
  }

  /** A copy to come back to. */
  snapshot(): MemoryLedgerState | undefined {
    return structuredClone(this.#state)
  }

  /** An older copy stands in its place. */
  rollBack(snapshot: MemoryLedgerState | undefined): void {
    this.#state = structuredClone(snapshot)
  }

  watch(onChange: () => void): AsyncDisposable {
    // A listener of its own: the same function may watch twice.
    const listener = (): void => onChange()
    this.#listeners.add(listener)
    return {
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener)
      }
    }
  }

  wake(): void {
    for (const listener of this.#listeners) queueMicrotask(listener)
  }
}
