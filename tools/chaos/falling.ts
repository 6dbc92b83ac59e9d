// Watches what may never fall: committed offsets, by group and partition, and the epoch of the ledger.

import { setTimeout as sleep } from 'node:timers/promises'
import type { LedgerEye } from './ledger-eye.ts'
import type { LogEye } from './log-eye.ts'

const lookEveryMs = 1_000

export class Falling {
  readonly #log: LogEye
  readonly #ledger: LedgerEye
  readonly #highest = new Map<string, bigint>()
  readonly #ledgerIds = new Set<string>()
  readonly #falls: string[] = []
  #looks = 0

  constructor(log: LogEye, ledger: LedgerEye) {
    this.#log = log
    this.#ledger = ledger
  }

  get falls(): readonly string[] {
    return this.#falls
  }

  /** Lives of the ledger that were seen. */
  get lives(): number {
    return this.#ledgerIds.size
  }

  get looks(): number {
    return this.#looks
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async look(): Promise<void> {
    // While a server is away nothing can be seen, and nothing can fall.
    const committed = await this.#log.committed().catch(() => [])
    for (const { group, offsets } of committed)
      for (const [partition, offset] of offsets) this.#see(`${group}, partition ${partition}`, offset)
    const survey = await this.#ledger.survey()
    this.#looks += 1
    if (survey === undefined || survey.state.rebuild !== undefined) return
    this.#ledgerIds.add(survey.state.ledgerId)
    this.#see('epoch', BigInt(survey.state.epoch))
  }

  #see(what: string, value: bigint): void {
    const highest = this.#highest.get(what)
    if (highest !== undefined && value < highest) this.#falls.push(`${what}: ${value} after ${highest}`)
    if (highest === undefined || value > highest) this.#highest.set(what, value)
  }
}
