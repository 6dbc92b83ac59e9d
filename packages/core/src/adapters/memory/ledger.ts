// The ledger in memory: the executable specification of docs/protocol.md, and the ledger of simulations and tests.
// Each method is one transition; nothing in it waits, so each is atomic. A handle stands for one process: it knows the
// ledger that it opened, and is refused by any other.
import { Failure } from '../../domain/failure.ts'
import type { Digest, ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Lane } from '../../domain/lane.ts'
import type { Job, JobOrder } from '../../ports/job.ts'
import type {
  Admission,
  AdmitReply,
  Correction,
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
import type {
  AwaitedDocument,
  ExpectedDocument,
  RebuildProgress,
  RebuiltLanes,
  RestoredObject
} from '../../ports/ledger-rebuild.ts'
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
import type { MemoryLedgerServer } from './ledger-server.ts'
import { settle } from './ledger-settle.ts'
import type { MemoryLedgerState, PartitionRecord } from './ledger-state.ts'
import { adoptJob, correct, endRebuild, expect, promiseVectors, restore } from './ledger-rebuild.ts'
import { abortSwitch, drain, switchLanes } from './ledger-switch.ts'
import { compareLatest, describeObligation, heldBy, sortedParts, watermarkOf } from './ledger-state.ts'

export class MemoryLedger implements Ledger {
  readonly #server: MemoryLedgerServer
  /** Known from `open` on. */
  #ledgerId: string | undefined

  /** @param server - shared by the handles of all processes. */
  constructor(server: MemoryLedgerServer) {
    this.#server = server
  }

  async open(defaultLane: Lane, absent?: 'lost'): Promise<LedgerState> {
    const because = absent === 'lost' ? 'there was a ledger, and it is gone' : undefined
    this.#ledgerId = (this.#server.state ?? this.#server.begin(defaultLane, because)).ledgerId
    return this.state()
  }

  async state(): Promise<LedgerState> {
    const { ledgerId, epoch, draining, pause, defaultLane, handoff, rebuild } = this.#any
    const partitions = new Map(this.#partitions().map(([partition, record]) => [partition, stateOf(record)]))
    return { ledgerId, epoch, draining, pause, defaultLane, partitions, handoff, rebuild }
  }

  async distrust(ledgerId: string, because: string): Promise<void> {
    const { state } = this.#server
    if (state === undefined || state.ledgerId !== ledgerId || state.rebuild !== undefined) return
    this.#server.begin(state.defaultLane, because)
    this.#server.wake()
  }

  async noteRebuild({ done, stage, total }: RebuildProgress): Promise<boolean> {
    return this.#rebuilding(state => {
      if (state.rebuild !== undefined) state.rebuild = { ...state.rebuild, stage, done, total }
    })
  }

  async restore(objects: readonly RestoredObject[]): Promise<boolean> {
    return this.#rebuilding(state => {
      for (const object of objects) restore(state, object)
    })
  }

  async expect(documents: readonly ExpectedDocument[]): Promise<boolean> {
    return this.#rebuilding(state => {
      for (const document of documents) expect(state, document)
    })
  }

  async adoptJob(manifest: ObligationId, job: Job, documents: readonly AwaitedDocument[]): Promise<boolean> {
    return this.#rebuilding(state => adoptJob(state, manifest, job, documents, this.#server.nowMs()))
  }

  async promiseVectors(manifest: ObligationId, contents: readonly Digest[]): Promise<boolean> {
    return this.#rebuilding(state => promiseVectors(state, manifest, contents))
  }

  async endRebuild(lanes: RebuiltLanes): Promise<boolean> {
    const ended = this.#rebuilding(state => endRebuild(state, lanes))
    this.#server.wake()
    return ended
  }

  async correct(corrections: readonly Correction[]): Promise<readonly boolean[]> {
    const state = this.#state
    return corrections.map(correction => correct(state, correction))
  }

  async openPartition(partition: number, logStart: bigint): Promise<PartitionState> {
    const known = this.#state.partitions.get(partition)
    if (known !== undefined) return stateOf(known)
    const record = { lane: this.#state.defaultLane, frontier: logStart, open: new Set<bigint>() }
    this.#state.partitions.set(partition, record)
    this.#server.wake()
    return stateOf(record)
  }

  async register(registration: Registration): ReturnType<Ledger['register']> {
    return register(this.#state, registration, this.#server.nowMs())
  }

  async renew(owner: OwnerId, leaseMs: number, trouble: string): Promise<boolean> {
    const record = this.#state.owners.get(owner)
    if (record === undefined) return false
    record.leaseUntilMs = this.#server.nowMs() + leaseMs
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
    return admit(this.#state, admission, this.#server.nowMs())
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
    return move(this.#state, from, owner, parts, to, fields, this.#server.nowMs())
  }

  async advance(
    manifest: ObligationId,
    owner: OwnerId,
    from: ManifestState,
    to: ManifestState | 'archived',
    fields: Partial<Job>
  ): ReturnType<Ledger['advance']> {
    checkAdvance(from, to)
    return advance(this.#state, manifest, owner, [from, to], fields, this.#server.nowMs())
  }

  async order(manifest: ObligationId, wanted: JobOrder): Promise<boolean> {
    return order(this.#state, manifest, wanted)
  }

  async pastJobs(limit: number): Promise<readonly PastJob[]> {
    return this.#state.pastJobs.slice(0, limit)
  }

  async adoptable(kinds: readonly ObligationKind[], limit: number): Promise<readonly ObligationId[]> {
    return adoptable(this.#state, kinds, limit, this.#server.nowMs())
  }

  async takeover(
    obligation: ObligationId,
    claim: Parameters<Ledger['takeover']>[1]
  ): ReturnType<Ledger['takeover']> {
    return takeover(this.#state, obligation, claim, this.#server.nowMs())
  }

  async watermarks(): Promise<ReadonlyMap<number, bigint>> {
    const { partitions } = this.#state
    return new Map([...partitions].map(([partition, record]) => [partition, watermarkOf(record)]))
  }

  async superseded(parts: readonly Part[]): Promise<readonly boolean[]> {
    return parts.map(part => compareLatest(this.#state.latest.get(part.docKey), part) === 'newer')
  }

  async pause(expectedEpoch: number, reason: string, actor: string): Promise<boolean> {
    if (this.#state.epoch !== expectedEpoch) return false
    this.#state.pause ??= { reason, actor, sinceMs: this.#server.nowMs() }
    this.#server.wake()
    return true
  }

  async resume(expectedEpoch: number): Promise<boolean> {
    if (this.#state.epoch !== expectedEpoch) return false
    this.#state.pause = undefined
    this.#server.wake()
    return true
  }

  async drain(change: SwitchEpochs): ReturnType<Ledger['drain']> {
    checkSwitch(change)
    const answer = drain(this.#state, change, this.#server.nowMs())
    this.#server.wake()
    return answer
  }

  async abortSwitch(epoch: number): ReturnType<Ledger['abortSwitch']> {
    const answer = abortSwitch(this.#state, epoch)
    this.#server.wake()
    return answer
  }

  async switchLanes(change: LaneSwitch): ReturnType<Ledger['switchLanes']> {
    checkSwitch(change)
    const answer = switchLanes(this.#state, change, this.#server.nowMs())
    this.#server.wake()
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
      obligations: [...this.#any.obligations.values()]
        .sort((a, b) => a.number - b.number)
        .map(describeObligation),
      instances: instancesOf(this.#any),
      counts: { ...this.#any.counts, processed: this.#any.processed.size },
      nowMs: this.#server.nowMs()
    }
  }

  async latest(docKeys: readonly Digest[]): Promise<readonly (Latest | undefined)[]> {
    return docKeys.map(docKey => this.#any.latest.get(docKey))
  }

  async processed(contents: readonly Digest[]): Promise<readonly boolean[]> {
    return contents.map(content => this.#any.processed.has(content))
  }

  async parts(obligation: ObligationId, page?: Parameters<Ledger['parts']>[1]): Promise<readonly Part[]> {
    checkPage(page)
    const parts = sortedParts(this.#state.obligations.get(obligation)?.parts.values() ?? [])
    if (page === undefined) return parts
    const { after, limit } = page
    return parts.filter(part => after === undefined || isAfter(part, after)).slice(0, limit)
  }

  async watch(onChange: () => void): Promise<AsyncDisposable> {
    return this.#server.watch(onChange)
  }

  /** Whatever ledger there is, if it is the one that was opened. */
  get #any(): MemoryLedgerState {
    const { state } = this.#server
    const isKnown = state !== undefined && (this.#ledgerId === undefined || this.#ledgerId === state.ledgerId)
    if (!isKnown) throw new Failure('LEDGER_FOREIGN', 'there is no ledger here, or another one')
    return state
  }

  /** The ledger for transitions. */
  get #state(): MemoryLedgerState {
    const state = this.#any
    if (state.rebuild !== undefined)
      throw new Failure('LEDGER_REBUILDING', `rebuilt: ${state.rebuild.because}`)
    return state
  }

  #rebuilding(step: (state: MemoryLedgerState) => void): boolean {
    const state = this.#any
    if (state.rebuild === undefined) return false
    step(state)
    return true
  }

  /** None while it is rebuilt. */
  #partitions(): [number, PartitionRecord][] {
    if (this.#any.rebuild !== undefined) return []
    return [...this.#any.partitions].sort(([a], [b]) => a - b)
  }
}

function stateOf({ lane, frontier }: PartitionRecord): PartitionState {
  return { lane, frontier }
}

function isAfter(part: PartPlace, place: PartPlace): boolean {
  return part.partition === place.partition ? part.offset > place.offset : part.partition > place.partition
}
