// The ledger in memory: the executable specification of docs/protocol.md, and the ledger of simulations and tests.
// Each method is one transition; nothing in it waits, so each is atomic. `nowMs` is ledger time.
import { randomUUID } from 'node:crypto'
import { Failure } from '../../domain/failure.ts'
import type { Digest, ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Lane } from '../../domain/lane.ts'
import type {
  Admission,
  AdmitReply,
  Job,
  JobOrder,
  LaneSwitch,
  Latest,
  Ledger,
  LedgerState,
  ManifestState,
  MoveFields,
  ObligationKind,
  Part,
  PartPlace,
  PartitionProgress,
  PartitionState,
  PastJob,
  Registration,
  SettleOutcome,
  SettleReply,
  Survey,
  SwitchEpochs
} from '../../ports/ledger.ts'
import {
  checkAdmission,
  checkAdvance,
  checkMove,
  checkOutcomes,
  checkPage,
  checkSwitch
} from '../../runtime/check-ledger-call.ts'
import { admit } from './ledger-admit.ts'
import { adoptable, takeover } from './ledger-handover.ts'
import { instancesOf, noteMember, register } from './ledger-lives.ts'
import { advance, order } from './ledger-manifests.ts'
import { move } from './ledger-move.ts'
import { settle } from './ledger-settle.ts'
import type { MemoryLedgerState, PartitionRecord } from './ledger-state.ts'
import { abortSwitch, drain, switchLanes } from './ledger-switch.ts'
import { compareLatest, describeObligation, heldBy, newLedgerState, sortedParts } from './ledger-state.ts'

export class MemoryLedger implements Ledger {
  readonly #nowMs: () => number
  readonly #listeners = new Set<() => void>()
  #opened: MemoryLedgerState | undefined

  /** @param state - a ledger that exists already; without one `open` makes it. */
  constructor(nowMs: () => number, state?: MemoryLedgerState) {
    this.#nowMs = nowMs
    this.#opened = state
  }

  get #state(): MemoryLedgerState {
    if (this.#opened === undefined) throw new Failure('LEDGER_FOREIGN', 'there is no ledger here')
    return this.#opened
  }

  async open(defaultLane: Lane): Promise<LedgerState> {
    this.#opened ??= newLedgerState(randomUUID(), defaultLane)
    return this.state()
  }

  async state(): Promise<LedgerState> {
    const { ledgerId, epoch, draining, pause, defaultLane, handoff } = this.#state
    const partitions = new Map(this.#partitions().map(([partition, record]) => [partition, stateOf(record)]))
    return { ledgerId, epoch, draining, pause, defaultLane, partitions, handoff }
  }

  async openPartition(partition: number, logStart: bigint): Promise<PartitionState> {
    const known = this.#state.partitions.get(partition)
    if (known !== undefined) return stateOf(known)
    const record = { lane: this.#state.defaultLane, frontier: logStart, open: new Set<bigint>() }
    this.#state.partitions.set(partition, record)
    this.#wake()
    return stateOf(record)
  }

  async register(registration: Registration): ReturnType<Ledger['register']> {
    return register(this.#state, registration, this.#nowMs())
  }

  async renew(owner: OwnerId, leaseMs: number, trouble: string): Promise<boolean> {
    const record = this.#state.owners.get(owner)
    if (record === undefined) return false
    record.leaseUntilMs = this.#nowMs() + leaseMs
    record.trouble = trouble
    return true
  }

  async noteMember(owner: OwnerId, group: string, memberId: string): Promise<void> {
    noteMember(this.#state, owner, group, memberId)
  }

  async release(owner: OwnerId): Promise<void> {
    this.#state.owners.delete(owner)
  }

  async admit(admission: Admission): Promise<AdmitReply> {
    checkAdmission(admission)
    return admit(this.#state, admission, this.#nowMs())
  }

  async attempt(
    obligation: ObligationId,
    owner: OwnerId,
    attempt: number,
    inputs: number
  ): Promise<'journalled' | 'gone'> {
    const record = heldBy(this.#state, obligation, owner)
    // What a manifest pays is journalled by `advance`.
    if (record === undefined || record.kind === 'manifest') return 'gone'
    if (attempt > record.attempts) {
      record.attempts = attempt
      record.inputsAtRisk = inputs
      record.state = 'paying'
    }
    return 'journalled'
  }

  async settle(
    obligation: ObligationId,
    owner: OwnerId,
    outcomes: readonly SettleOutcome[],
    paidTokens: number
  ): Promise<SettleReply> {
    checkOutcomes(outcomes)
    return settle(this.#state, obligation, owner, outcomes, paidTokens)
  }

  async move(
    from: ObligationId,
    owner: OwnerId,
    parts: readonly Part[],
    to: Parameters<Ledger['move']>[3],
    fields: MoveFields
  ): ReturnType<Ledger['move']> {
    checkMove(fields)
    return move(this.#state, from, owner, parts, to, fields, this.#nowMs())
  }

  async advance(
    manifest: ObligationId,
    owner: OwnerId,
    from: ManifestState,
    to: ManifestState | 'archived',
    fields: Partial<Job>
  ): ReturnType<Ledger['advance']> {
    checkAdvance(from, to)
    return advance(this.#state, manifest, owner, [from, to], fields, this.#nowMs())
  }

  async order(manifest: ObligationId, wanted: JobOrder): Promise<boolean> {
    return order(this.#state, manifest, wanted)
  }

  async pastJobs(limit: number): Promise<readonly PastJob[]> {
    return this.#state.pastJobs.slice(0, limit)
  }

  async adoptable(kinds: readonly ObligationKind[], limit: number): Promise<readonly ObligationId[]> {
    return adoptable(this.#state, kinds, limit, this.#nowMs())
  }

  async takeover(
    obligation: ObligationId,
    claim: Parameters<Ledger['takeover']>[1]
  ): ReturnType<Ledger['takeover']> {
    return takeover(this.#state, obligation, claim, this.#nowMs())
  }

  async watermarks(): Promise<ReadonlyMap<number, bigint>> {
    return new Map(this.#partitions().map(([partition, record]) => [partition, watermarkOf(record)]))
  }

  async superseded(parts: readonly Part[]): Promise<readonly boolean[]> {
    return parts.map(part => compareLatest(this.#state.latest.get(part.docKey), part) === 'newer')
  }

  async pause(expectedEpoch: number, reason: string, actor: string): Promise<boolean> {
    if (this.#state.epoch !== expectedEpoch) return false
    this.#state.pause ??= { reason, actor, sinceMs: this.#nowMs() }
    this.#wake()
    return true
  }

  async resume(expectedEpoch: number): Promise<boolean> {
    if (this.#state.epoch !== expectedEpoch) return false
    this.#state.pause = undefined
    this.#wake()
    return true
  }

  async drain(change: SwitchEpochs): ReturnType<Ledger['drain']> {
    checkSwitch(change)
    const answer = drain(this.#state, change, this.#nowMs())
    this.#wake()
    return answer
  }

  async abortSwitch(epoch: number): ReturnType<Ledger['abortSwitch']> {
    const answer = abortSwitch(this.#state, epoch)
    this.#wake()
    return answer
  }

  async switchLanes(change: LaneSwitch): ReturnType<Ledger['switchLanes']> {
    checkSwitch(change)
    const answer = switchLanes(this.#state, change, this.#nowMs())
    this.#wake()
    return answer
  }

  async survey(): Promise<Survey> {
    const progress = this.#partitions().map(([partition, record]): [number, PartitionProgress] => {
      const { open } = record
      return [partition, { ...stateOf(record), watermark: watermarkOf(record), unsettled: open.size }]
    })
    return {
      state: await this.state(),
      progress: new Map(progress),
      obligations: [...this.#state.obligations.values()]
        .sort((a, b) => a.number - b.number)
        .map(describeObligation),
      instances: instancesOf(this.#state),
      counts: { ...this.#state.counts, processed: this.#state.processed.size },
      nowMs: this.#nowMs()
    }
  }

  async latest(docKeys: readonly Digest[]): Promise<readonly (Latest | undefined)[]> {
    return docKeys.map(docKey => this.#state.latest.get(docKey))
  }

  async processed(contents: readonly Digest[]): Promise<readonly boolean[]> {
    return contents.map(content => this.#state.processed.has(content))
  }

  async parts(obligation: ObligationId, page?: Parameters<Ledger['parts']>[1]): Promise<readonly Part[]> {
    checkPage(page)
    const parts = sortedParts(this.#state.obligations.get(obligation)?.parts.values() ?? [])
    if (page === undefined) return parts
    const { after, limit } = page
    return parts.filter(part => after === undefined || isAfter(part, after)).slice(0, limit)
  }

  async watch(onChange: () => void): Promise<AsyncDisposable> {
    // A listener of its own: the same function may watch twice.
    const listener = (): void => onChange()
    this.#listeners.add(listener)
    return {
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener)
      }
    }
  }

  #wake(): void {
    for (const listener of this.#listeners) queueMicrotask(listener)
  }

  #partitions(): [number, PartitionRecord][] {
    return [...this.#state.partitions].sort(([a], [b]) => a - b)
  }
}

function stateOf({ lane, frontier }: PartitionRecord): PartitionState {
  return { lane, frontier }
}

function watermarkOf({ open, frontier }: PartitionRecord): bigint {
  const [lowest] = open
  return lowest ?? frontier
}

function isAfter(part: PartPlace, place: PartPlace): boolean {
  return part.partition === place.partition ? part.offset > place.offset : part.partition > place.partition
}
