// The feed of one lane: what this instance may admit next. It keeps each assigned partition positioned where the
// ledger says (A), holds those of the other lane, and offers the head of its queues as slices.
//
// Invariants
//   F1  Entries of a partition are contiguous from its head: a slice [from, to) covers every offset in it.
//   F2  Nothing leaves a queue before the ledger admitted it: what is refused is offered again or read again.
//   F3  A queue that was reset (rebalance, switch, `behind`) forgets offers made from it.
import type { LoggedDocument } from '../domain/document.ts'
import type { EmbeddingSpec } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Clock } from '../ports/clock.ts'
import type {
  DeadLetter,
  DocumentCodec,
  GroupReader,
  GroupReaderEvents,
  LogAdmin,
  RecordBatch
} from '../ports/event-log.ts'
import type { Candidate, Ledger, LedgerState, Slice } from '../ports/ledger.ts'
import { abortable } from '../runtime/abortable.ts'
import type { Gate } from '../runtime/gate.ts'
import { type FeedEntry, PartitionQueue } from './partition-queue.ts'
import { prepareRecord } from '../runtime/prepare-record.ts'

export interface LaneFeedDeps {
  readonly lane: Lane
  readonly spec: EmbeddingSpec
  readonly reader: GroupReader
  readonly ledger: Ledger
  readonly codec: DocumentCodec
  readonly admin: LogAdmin
  readonly clock: Clock
  readonly gates: { readonly ledger: Gate; readonly registry: Gate; readonly log: Gate }
  /** Writes dead letters; resolves when they are acknowledged. */
  readonly deadLetter: (letters: readonly DeadLetter[], signal: AbortSignal) => Promise<void>
  readonly onMember: (memberId: string) => void
  readonly warn: (message: string) => void
}

export interface FeedLimits {
  /** Candidates of one offer, over all partitions. */
  readonly maxCandidates: number
  readonly maxTokens: number
  /** How long the first candidate waits for company. */
  readonly lingerMs: number
  /** Undecoded bytes of one partition at which it is held. */
  readonly maxQueueBytes: number
}

/** Slices to be admitted together, and the documents in them. */
export interface Offer {
  readonly slices: readonly Slice[]
  readonly documents: ReadonlyMap<Candidate, LoggedDocument>
  readonly taken: readonly {
    readonly queue: PartitionQueue
    readonly entries: number
    readonly resets: number
  }[]
}

/** How often the ledger's state is read; wake-ups only make it sooner. */
const pollMs = 250
/** How long a partition with an unknown schema waits before the registry is asked again. */
const parkMs = 30_000

export class LaneFeed implements GroupReaderEvents {
  readonly #deps: LaneFeedDeps
  readonly #limits: FeedLimits
  readonly #queues = new Map<number, PartitionQueue>()
  readonly #parked = new Map<number, { readonly reason: string; readonly untilMs: number }>()
  readonly #outside = new Map<number, string>()
  #state: LedgerState | undefined
  #wake = Promise.withResolvers<void>()
  #first = 0

  constructor(deps: LaneFeedDeps, limits: FeedLimits) {
    this.#deps = deps
    this.#limits = limits
  }

  /** The ledger's state as last read. */
  get state(): LedgerState | undefined {
    return this.#state
  }

  /** Partitions that cannot be read on, with the reason: unknown schema, position outside the log. */
  get troubles(): ReadonlyMap<number, string> {
    return new Map([...this.#outside, ...[...this.#parked].map(([p, { reason }]) => [p, reason] as const)])
  }

  /** Follows the ledger's state until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, gates } = this.#deps
    let wake = Promise.withResolvers<void>()
    await using _watch = await gates.ledger.run(() => this.#deps.ledger.watch(() => wake.resolve()), signal)
    while (!signal.aborted) {
      await gates.ledger.run(() => this.refresh(), signal)
      await Promise.race([clock.sleep(pollMs, signal), wake.promise])
      wake = Promise.withResolvers()
    }
  }

  /** Reads the ledger's state and brings every assigned partition in line with it. */
  async refresh(): Promise<void> {
    const { clock, ledger, reader } = this.#deps
    let state = await ledger.state()
    const unknown = reader.assignment().filter(partition => !state.partitions.has(partition))
    if (unknown.length > 0) {
      const bounds = await this.#deps.admin.bounds()
      for (const partition of unknown)
        await ledger.openPartition(partition, bounds.get(partition)?.start ?? 0n)
      state = await ledger.state()
    }
    this.#state = state
    for (const [partition, { untilMs }] of this.#parked) if (clock.nowMs() >= untilMs) this.#unpark(partition)
    for (const partition of reader.assignment()) this.#align(partition)
    this.#stir()
  }

  assigned(partitions: readonly number[], memberId: string): void {
    this.#queues.clear()
    this.#parked.clear()
    this.#outside.clear()
    for (const partition of partitions) this.#align(partition)
    this.#deps.onMember(memberId)
    this.#stir()
  }

  batch(batch: RecordBatch): boolean {
    const queue = this.#queues.get(batch.partition)
    if (queue === undefined || !queue.accepts(batch)) return false
    queue.append(batch)
    if (queue.bytes > this.#limits.maxQueueBytes) this.#deps.reader.hold(batch.partition, 'queue-full')
    this.#stir()
    return true
  }

  outside(partition: number, position: bigint, start: bigint, end: bigint): void {
    const reason = `position ${position} is outside the log [${start}, ${end}]: records were lost to retention or truncation`
    this.#outside.set(partition, reason)
    this.#deps.warn(`partition ${partition}: ${reason}; it stays stopped until an operator decides`)
  }

  lost(reason: string): void {
    this.#queues.clear()
    this.#deps.warn(`left the group: ${reason}`)
  }

  /** Waits until something can be offered; it stays in the queues until `admitted`. */
  async offer(signal: AbortSignal): Promise<Offer> {
    let lingered = false
    for (;;) {
      const wake = this.#wake
      const offer = await this.#gather(signal)
      const candidates = offer.documents.size
      const full = candidates >= this.#limits.maxCandidates
      if (offer.slices.length > 0 && (full || lingered)) return offer
      if (offer.slices.length > 0) {
        lingered = true
        await this.#deps.clock.sleep(this.#limits.lingerMs, signal)
      } else {
        await abortable(wake.promise, signal)
      }
    }
  }

  /** The ledger admitted the offer: it leaves the queues. */
  admitted(offer: Offer): void {
    for (const { entries, queue, resets } of offer.taken) {
      if (queue.resets !== resets) continue // F3
      queue.drop(entries)
      if (queue.bytes < this.#limits.maxQueueBytes / 2) this.#deps.reader.lift(queue.partition, 'queue-full')
    }
  }

  /** The ledger's frontiers are others than ours: read on from there. */
  behind(frontiers: ReadonlyMap<number, bigint>): void {
    for (const [partition, frontier] of frontiers) this.#position(partition, frontier)
  }

  #align(partition: number): void {
    const { lane, reader } = this.#deps
    const known = this.#state?.partitions.get(partition)
    if (known?.lane !== lane) {
      reader.hold(partition, 'other-lane')
      this.#queues.delete(partition)
      return
    }
    reader.lift(partition, 'other-lane')
    if (!this.#queues.has(partition)) this.#position(partition, known.frontier)
  }

  #position(partition: number, frontier: bigint): void {
    const { reader } = this.#deps
    const queue = this.#queues.get(partition) ?? new PartitionQueue(partition)
    queue.reset(frontier)
    this.#queues.set(partition, queue)
    this.#outside.delete(partition)
    reader.lift(partition, 'queue-full')
    this.#unpark(partition)
    reader.readFrom(partition, frontier)
  }

  #unpark(partition: number): void {
    this.#parked.delete(partition)
    this.#deps.reader.lift(partition, 'parked')
  }

  async #gather(signal: AbortSignal): Promise<Offer> {
    const slices: Slice[] = []
    const taken: Offer['taken'][number][] = []
    const documents = new Map<Candidate, LoggedDocument>()
    if (this.#state === undefined || this.#state.draining !== undefined || this.#state.pause !== undefined)
      return { slices, taken, documents }

    let tokens = 0
    // Another partition goes first each time, so that a full one cannot starve the others.
    const queues = [...this.#queues.values()]
    this.#first = queues.length === 0 ? 0 : (this.#first + 1) % queues.length
    for (const queue of [...queues.slice(this.#first), ...queues.slice(0, this.#first)]) {
      const wanted = this.#limits.maxCandidates - documents.size
      if (wanted <= 0) break
      const resets = queue.resets
      if (!this.#parked.has(queue.partition)) await this.#prepare(queue, wanted, signal)
      if (queue.resets !== resets) continue // F3

      const entries: FeedEntry[] = []
      for (const entry of queue.ready(wanted)) {
        tokens += entry.candidate?.tokens ?? 0
        if (tokens > this.#limits.maxTokens && documents.size + entries.length > 0) break
        entries.push(entry)
      }
      const last = entries.at(-1)
      if (last === undefined) continue
      for (const { candidate, logged } of entries) if (candidate && logged) documents.set(candidate, logged)
      const candidates = entries.flatMap(({ candidate }) => candidate ?? [])
      slices.push({ partition: queue.partition, from: queue.head, to: last.next, candidates })
      taken.push({ queue, entries: entries.length, resets })
    }
    return { slices, taken, documents }
  }

  /** Decodes up to `wanted` records at the head of a queue. */
  async #prepare(queue: PartitionQueue, wanted: number, signal: AbortSignal): Promise<void> {
    const { clock, codec, deadLetter, gates, reader, spec } = this.#deps
    const resets = queue.resets
    const rejected: DeadLetter[] = []
    const prepared: FeedEntry[] = []
    for (const { next, record } of queue.raw(wanted)) {
      if (record === undefined) {
        prepared.push({ next, candidate: undefined, logged: undefined })
        continue
      }
      const outcome = await gates.registry.run(() => prepareRecord(record, codec, spec), signal)
      if (outcome.kind === 'park') {
        reader.hold(queue.partition, 'parked')
        this.#parked.set(queue.partition, { reason: outcome.reason, untilMs: clock.nowMs() + parkMs })
        this.#deps.warn(`partition ${queue.partition}: parked at offset ${record.offset}: ${outcome.reason}`)
        break
      }
      if (outcome.kind === 'reject')
        rejected.push({ ...record, reason: outcome.reason, attempts: 0, atMs: clock.nowMs() })
      const { candidate, logged } =
        outcome.kind === 'candidate' ? outcome : { candidate: undefined, logged: undefined }
      prepared.push({ next, candidate, logged })
    }
    // A rejected record passes admission as a hole, so its letter has to be acknowledged before.
    if (rejected.length > 0) await gates.log.run(() => deadLetter(rejected, signal), signal)
    if (queue.resets === resets) queue.prepared(prepared)
  }

  #stir(): void {
    const { resolve } = this.#wake
    this.#wake = Promise.withResolvers()
    resolve()
  }
}
