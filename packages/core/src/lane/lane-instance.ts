// One instance of a lane, from its ports: starts when its dependencies answer, runs until it is told to stop, and says at
// any time whether it is ready and why not. It outlives its ledger: when that is lost, it begins another life in the next
// one. What the lane does otherwise than the other comes as a `LaneKind`.
import { backOffMs } from '../runtime/back-off.ts'
import { Gate } from '../runtime/gate.ts'
import type { Readiness } from '../runtime/health-server.ts'
import { type OuterGates, openGates } from './lane-gates.ts'
import { LaneLife } from './lane-life.ts'
import type { LaneOptions } from './lane-options.ts'
import type { LanePlan, LanePorts } from './lane-ports.ts'
import { LedgerLife } from './ledger-life.ts'
import { openLedger } from './open-ledger.ts'

/** Between two lives; grows while they end before they have begun to work. */
const rest = { firstMs: 250, longestMs: 10_000 }

export class LaneInstance {
  readonly #plan: LanePlan
  readonly #ports: LanePorts
  readonly #options: LaneOptions
  #gates: readonly Gate[] = []
  #life: LaneLife | undefined
  /** Why there is no life. */
  #waiting = 'starting: the ledger was not opened yet'
  #hasCommitted = false

  constructor(plan: LanePlan, ports: LanePorts, options: LaneOptions) {
    this.#plan = plan
    this.#ports = ports
    this.#options = options
  }

  readiness(): Readiness {
    const reasons = this.#gates.flatMap(({ closure, name }) =>
      closure ? [`${name}: ${closure.reason}`] : []
    )
    reasons.push(...(this.#life?.troubles ?? [this.#waiting]))
    return { ready: reasons.length === 0, reasons }
  }

  /**
   * Runs until the signal aborts, then stops in order.
   * @throws {Failure} what only an operator can mend at the start: an unfit topic or collection, a foreign ledger.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { admin, clock, codec, store, warn } = this.#ports
    const { names, partitions } = this.#options
    // Gates outlive the signal: work in flight still passes them in the grace period.
    const ended = new AbortController()
    const gateOptions = { clock, warn, signal: ended.signal }
    const gates = openGates(this.#ports, this.#plan.checkProvider, gateOptions)
    // The calls that it stands before are repeated until they succeed: no other check tells more.
    const opening = new Gate('ledger', () => Promise.resolve(), gateOptions)
    this.#gates = [...Object.values(gates), opening]
    try {
      await gates.log.run(() => admin.prepare(partitions, signal), signal, 'throw')
      await gates.registry.run(() => codec.prepare(signal), signal, 'throw')
      await gates.store.run(() => store.prepare(signal), signal, 'throw')
      await this.#live(gates, opening, signal)
    } finally {
      ended.abort()
    }
    warn(`${names.namespace}: stopped in order`)
  }

  /** One life after the other, until the signal aborts. */
  async #live(gates: OuterGates, opening: Gate, signal: AbortSignal): Promise<void> {
    const { clock, warn } = this.#ports
    for (let failures = 0, lives = 1; ; lives += 1) {
      const ledgerLife = await this.#open(gates, opening, lives === 1 ? 'throw' : 'wait', signal)
      const life = new LaneLife({
        plan: this.#plan,
        ports: this.#ports,
        options: this.#options,
        gates,
        ledgerLife,
        trouble: () => this.readiness().reasons.join('; '),
        committed: () => {
          this.#hasCommitted = true
        }
      })
      this.#life = life
      try {
        await life.run(signal)
      } finally {
        this.#life = undefined
      }
      if (signal.aborted || !ledgerLife.over.aborted) return

      this.#waiting = life.troubles.join('; ')
      warn(`${this.#waiting}; what was in flight is dropped`)
      const { distrusted, ledgerId } = ledgerLife
      if (distrusted !== undefined) {
        await opening.run(() => this.#ports.ledger.distrust(ledgerId, distrusted), signal)
      }
      failures = life.hasBegun ? 0 : failures + 1
      await clock.sleep(backOffMs(failures, rest, clock.random()), signal)
    }
  }

  async #open(
    { log }: OuterGates,
    opening: Gate,
    onFatal: 'wait' | 'throw',
    signal: AbortSignal
  ): Promise<LedgerLife> {
    const { initialMode, names } = this.#options
    const deps = {
      ...this.#ports,
      initialMode,
      groups: names.groups,
      gates: { log, ledger: opening },
      hasCommitted: () => this.#hasCommitted,
      waiting: (reason: string) => {
        this.#waiting = reason
      }
    }
    return new LedgerLife(this.#ports.ledger, await openLedger(deps, onFatal, signal))
  }
}
