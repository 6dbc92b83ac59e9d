import type { Clock } from '@pointsman/core/ports/clock'
import type { Readiness } from '@pointsman/core/runtime/health-server'

export type PartName = 'kafka' | 'schema-registry' | 'ledger' | 'weaviate' | 'provider'

/**
 * - `starting` not asked yet.
 * - `ready`    answered and is fit.
 * - `away`     does not answer; it is asked again and again.
 * - `unfit`    answers, but an operator must act.
 */
export type PartState = 'starting' | 'ready' | 'away' | 'unfit'

export interface PartHealth {
  readonly name: PartName
  readonly state: PartState
  readonly reason: string
  readonly sinceMs: number
}

/** How the parts were found when they were last asked. */
export class HealthBoard {
  readonly #clock: Clock
  readonly #parts = new Map<PartName, PartHealth>()

  constructor(clock: Clock, names: readonly PartName[]) {
    this.#clock = clock
    for (const name of names) this.note(name, 'starting', 'not asked yet')
  }

  /** @returns whether the state is another than before. */
  note(name: PartName, state: PartState, reason = ''): boolean {
    const before = this.#parts.get(name)
    const changed = before?.state !== state
    const sinceMs = before && !changed ? before.sinceMs : this.#clock.nowMs()
    this.#parts.set(name, { name, state, reason, sinceMs })
    return changed
  }

  parts(): readonly PartHealth[] {
    return [...this.#parts.values()]
  }

  /** Why the first of these parts that is not ready is not; empty when all are. */
  trouble(...names: readonly PartName[]): string {
    const found = names.flatMap(name => this.#parts.get(name) ?? []).find(({ state }) => state !== 'ready')
    return found === undefined ? '' : `${found.name} is ${found.state}: ${found.reason}`
  }

  readiness(): Readiness {
    const reasons = this.parts()
      .filter(({ state }) => state !== 'ready')
      .map(({ name, state, reason }) => `${name} is ${state}: ${reason}`)
    return { ready: reasons.length === 0, reasons }
  }
}
