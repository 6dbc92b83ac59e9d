// What the faults so far may have cost: the sum of k over incidents, an incident being one realtime process that one fault
// has cut off from answers that are charged. k is what the ledger's journal had in flight for that process right after the
// fault had struck (it is dead, frozen or cut off by then, so its entries stand still); where that cannot be read, or does
// not stand still, it is the most that the process may have in flight.

import type { LedgerEye } from './ledger-eye.ts'

export interface Incident {
  readonly kind: string
  readonly process: string
  readonly k: number
  /** Read from the journal, or the configured most. */
  readonly by: 'journal' | 'configuration'
}

export class Incidents {
  readonly #eye: LedgerEye
  readonly #mostInFlight: number
  readonly #all: Incident[] = []

  /** @param mostInFlight - inputs that one realtime process may have sent without an answer. */
  constructor(eye: LedgerEye, mostInFlight: number) {
    this.#eye = eye
    this.#mostInFlight = mostInFlight
  }

  get all(): readonly Incident[] {
    return this.#all
  }

  get bound(): number {
    return this.#all.reduce((sum, { k }) => sum + k, 0)
  }

  /** After a fault that stops each of these processes, or its answers, at once and for good. */
  async stoodStill(kind: string, processes: readonly string[]): Promise<void> {
    const atRisk = await this.#eye.inputsAtRisk()
    for (const process of processes)
      this.#all.push(
        atRisk === undefined
          ? { kind, process, k: this.#mostInFlight, by: 'configuration' }
          : { kind, process, k: atRisk.get(process) ?? 0, by: 'journal' }
      )
  }

  /** @param rounds - how often all that is in flight may be lost during it. */
  moved(kind: string, processes: readonly string[], rounds = 1): void {
    const k = this.#mostInFlight * rounds
    for (const process of processes) this.#all.push({ kind, process, k, by: 'configuration' })
  }

  /** Of what the provider itself did: answers that it threw away, lines that it charged for and did not deliver. */
  counted(kind: string, inputs: number): void {
    if (inputs > 0) this.#all.push({ kind, process: 'provider', k: inputs, by: 'journal' })
  }
}
