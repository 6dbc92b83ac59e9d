// Keeps the ledger true: opens it anew when it is gone, gives it up when it cannot be the one that was, rebuilds it.
import { Failure } from '@pointsman/core/domain/failure'
import type { Lane } from '@pointsman/core/domain/lane'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { ControlBook } from '../switching/control-book.ts'
import { findDoubt } from './find-doubt.ts'
import { openLedger } from './open-ledger.ts'
import { type RebuildDeps, rebuild } from './rebuild.ts'

export interface LedgerKeeperDeps extends Omit<RebuildDeps, 'book' | 'deletedInputs'> {
  /** Lane of a ledger that is made. */
  readonly initialMode: Lane
  readonly warn: (message: string) => void
  readonly info: (message: string) => void
}

/** Between two looks at the ledger. */
const lookMs = 1_000

export class LedgerKeeper {
  readonly #deps: LedgerKeeperDeps
  readonly #book: ControlBook
  /** A handle that was never opened would take any ledger for its own. */
  #isOpen = false
  /** See `JobSearch`. */
  readonly #deletedInputs: RebuildDeps['deletedInputs'] = new Map()

  constructor(deps: LedgerKeeperDeps) {
    this.#deps = deps
    this.#book = new ControlBook(deps.parts.control)
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<never> {
    const { parts, warn } = this.#deps
    let told = ''
    for (;;) {
      try {
        await this.step(signal)
        told = ''
      } catch (error) {
        signal.throwIfAborted()
        if (messageOf(error) !== told) warn(`keeping the ledger waits: ${messageOf(error)}`)
        told = messageOf(error)
      }
      await parts.clock.sleep(lookMs, signal)
    }
  }

  /** Looks once, and does what is needed. @throws {Failure} of the ports: look again. */
  async step(signal: AbortSignal): Promise<void> {
    const { ledger } = this.#deps.parts
    // Before the ledger: what is recorded by then, the ledger had reached.
    await this.#book.catchUp(signal)
    const state = await this.#reach(signal)
    if (state.rebuild !== undefined) return this.#rebuild(state, signal)

    const doubt = await findDoubt(state, this.#deps.parts, this.#book, signal)
    if (doubt !== undefined) {
      this.#deps.warn(`the ledger is given up: ${doubt}`)
      await ledger.distrust(state.ledgerId, doubt)
      return this.#rebuild(await this.#reach(signal), signal)
    }
    const { defaultLane, epoch, ledgerId } = state
    await this.#book.open({ defaultLane, epoch, ledgerId }, this.#deps.parts.clock.nowMs(), signal)
  }

  async #reach(signal: AbortSignal): Promise<LedgerState> {
    const { initialMode, parts } = this.#deps
    if (this.#isOpen) {
      try {
        return await parts.ledger.state()
      } catch (error) {
        if (!(error instanceof Failure && error.code === 'LEDGER_FOREIGN')) throw error
      }
    }
    const state = await openLedger(parts, initialMode, signal)
    this.#isOpen = true
    return state
  }

  async #rebuild(state: LedgerState, signal: AbortSignal): Promise<void> {
    const { info, parts, warn } = this.#deps
    if (state.rebuild === undefined) return
    warn(`the ledger is rebuilt: ${state.rebuild.because}`)
    const beganMs = parts.clock.nowMs()
    const deps = { ...this.#deps, book: this.#book, deletedInputs: this.#deletedInputs }
    if (!(await rebuild(state, deps, signal))) return
    this.#deletedInputs.clear()
    info(`the ledger is rebuilt after ${parts.clock.nowMs() - beganMs} ms; admission goes on`)
  }
}
