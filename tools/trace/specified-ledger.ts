// The specification, led along a trace: the ledger in memory, at the times and with the ids that were recorded.
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { TracedMethod } from '@pointsman/core/adapters/redis/trace'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { LedgerState, Part, PartPlace } from '@pointsman/core/ports/ledger'
import { type Outcome, outcomeOf } from './outcome.ts'
import type { TraceEntry } from './trace-entry.ts'

export class SpecifiedLedger {
  #nowMs = 0
  #nextLedgerId = ''
  readonly #server = new MemoryLedgerServer(() => this.#nowMs, { newLedgerId: () => this.#nextLedgerId })
  readonly ledger = new MemoryLedger(this.#server)

  /** Empty without a ledger. */
  get ledgerId(): string {
    return this.#server.state?.ledgerId ?? ''
  }

  async outcomeOf(entry: TraceEntry, method: TracedMethod, args: readonly unknown[]): Promise<Outcome> {
    this.#nowMs = entry.at
    this.#nextLedgerId = entry.ledger
    const isReplaced = method !== 'distrust' && this.ledgerId !== '' && this.ledgerId !== entry.ledger
    // Redis was emptied, or holds another ledger by now.
    if (isReplaced) this.#server.lose()
    if (method === 'distrust') return this.#distrust(args)

    const [known = ''] = entry.known.split(' ')
    if (method !== 'open' && known !== '' && known !== this.ledgerId) {
      return { kind: 'refused', because: 'LEDGER_FOREIGN' }
    }
    const told = method === 'move' ? await this.#withWholeParts(args) : args
    return outcomeOf(() => Reflect.apply(this.ledger[method], this.ledger, told))
  }

  /** An empty ledger, as somebody is told of it who opens it. */
  async begin(entry: TraceEntry, { defaultLane, rebuild }: LedgerState): Promise<void> {
    this.#nowMs = rebuild?.sinceMs ?? entry.at
    this.#nextLedgerId = entry.ledger
    this.#server.begin(defaultLane, rebuild?.because)
    await this.ledger.open(defaultLane)
  }

  async #distrust([ledgerId, because, thorough]: readonly unknown[]): Promise<Outcome> {
    const { state } = this.#server
    const isDoubted = state !== undefined && state.ledgerId === ledgerId
    // Whoever finds that the ledger was rolled back begins anew, also while it is rebuilt.
    if (isDoubted && (state.rebuild === undefined || thorough === true)) {
      this.#server.begin(state.defaultLane, String(because))
      await this.ledger.open(state.defaultLane)
    }
    return { kind: 'answered', answer: undefined, isCutShort: false }
  }

  /** Of parts that are known by their places only. */
  async #withWholeParts(args: readonly unknown[]): Promise<readonly unknown[]> {
    const [from, , parts, to] = args
    if (!isPlaces(parts) || !isTarget(to) || typeof from !== 'string') return args
    const known = new Map<string, Part>()
    for (const id of [from as ObligationId, to.id]) {
      for (const part of await this.ledger.parts(id)) known.set(`${part.partition}:${part.offset}`, part)
    }
    return args.with(
      2,
      parts.flatMap(({ partition, offset }) => known.get(`${partition}:${offset}`) ?? [])
    )
  }
}

function isPlaces(value: unknown): value is readonly PartPlace[] {
  return Array.isArray(value) && value.some(part => !('docKey' in part))
}

function isTarget(value: unknown): value is { readonly id: ObligationId } {
  return typeof value === 'object' && value !== null && 'id' in value
}
