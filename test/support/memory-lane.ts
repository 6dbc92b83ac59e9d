// Lanes on memory adapters: one log, ledger, index and provider, and as many instances, of whatever lane, as a test
// starts. What a lane needs besides the common ports is told by its `LaneSort`; `realtime` is the one that `start` takes.
import { MemoryEmbedder } from '@pointsman/core/adapters/memory/embedder'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryDeadLetters } from '@pointsman/core/adapters/memory/event-log-dead-letters'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryDocumentWriter } from '@pointsman/core/adapters/memory/event-log-document-writer'
import { MemoryGroupReader } from '@pointsman/core/adapters/memory/event-log-group-reader'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import { MemoryVectorStore } from '@pointsman/core/adapters/memory/vector-store'
import type { Document } from '@pointsman/core/domain/document'
import type { Lane } from '@pointsman/core/domain/lane'
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { LanePorts } from '@pointsman/core/lane/lane-ports'
import type { ServedLane } from '@pointsman/core/lane/serve-lane'
import type { DeadLetters } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import { systemClock } from '@pointsman/core/runtime/clock'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { textHash } from '@pointsman/core/runtime/identity'
import { namesOf } from '@pointsman/core/runtime/names'
import { vi } from 'vitest'
import {
  RealtimeLane,
  type RealtimeOptions,
  type RealtimePorts
} from '../../services/embedder-realtime/src/realtime-lane.ts'

const never = new AbortController().signal
const names = namesOf('pointsman')

/** What a test may put in the place of a port or an option of one instance. */
export type Overrides<Ports extends LanePorts, Options extends LaneOptions> = Partial<Ports> & {
  readonly options?: Partial<Options>
}

/** How instances of one lane are made. */
export interface LaneSort<Ports extends LanePorts, Options extends LaneOptions> {
  readonly lane: Lane
  /**
   * Ports of one instance.
   * @param wrap - around each port of the outside world that only this lane has: a dead instance reaches none.
   */
  ports(common: LanePorts, world: MemoryLane, wrap: <Port extends object>(port: Port) => Port): Ports
  options(common: LaneOptions): Options
  make(ports: Ports, options: Options): ServedLane
}

const realtime: LaneSort<RealtimePorts, RealtimeOptions> = {
  lane: 'realtime',
  ports: (common, { embedder }, wrap) => ({ ...common, embedder: wrap(embedder) }),
  options: common => ({
    ...common,
    requestInputs: 16,
    requestTokens: 10_000,
    maxInFlight: 4,
    maxAttempts: 3,
    doubtDelayMs: 20
  }),
  make: (ports, options) => new RealtimeLane(ports, options)
}

export interface RunningLane {
  readonly lane: ServedLane
  /** Its own handle, unless the test gave it another. */
  readonly ledger: Ledger
  readonly warnings: readonly string[]
  /** Stops in order. */
  stop(): Promise<void>
}

/** An instance that dies at a failpoint as by kill -9: from then on none of its calls leaves it or returns. */
export interface DoomedLane {
  readonly died: () => boolean
}

export class MemoryLane implements AsyncDisposable {
  readonly log = new MemoryLog({ partitions: 2 })
  readonly ledgerServer = new MemoryLedgerServer(() => Date.now())
  /** The test's own handle, which takes any ledger for its own. */
  readonly ledger = new MemoryLedger(this.ledgerServer)
  readonly store = new MemoryVectorStore()
  readonly embedder = new MemoryEmbedder()
  readonly codec = new MemoryDocumentCodec(this.log)
  readonly deadLetters = new MemoryDeadLetters(this.log)
  readonly #writer = new MemoryDocumentWriter(this.log, this.codec)
  readonly #running: RunningLane[] = []

  /** Starts an instance of the realtime lane. */
  start(instance: string, overrides: Overrides<RealtimePorts, RealtimeOptions> = {}): RunningLane {
    return this.startLane(realtime, instance, overrides)
  }

  startLane<Ports extends LanePorts, Options extends LaneOptions>(
    sort: LaneSort<Ports, Options>,
    instance: string,
    overrides: Overrides<Ports, Options>
  ): RunningLane {
    const warnings: string[] = []
    const common = { ...this.#ports(sort.lane, instance), warn: (message: string) => warnings.push(message) }
    const ports = { ...sort.ports(common, this, port => port), ...overrides }
    const lane = sort.make(ports, {
      ...sort.options(this.#options(sort.lane, instance)),
      ...overrides.options
    })
    const stopping = new AbortController()
    const ended = lane.run(stopping.signal)
    ended.catch((error: unknown) => warnings.push(`ended: ${String(error)}`))
    const running: RunningLane = {
      lane,
      ledger: ports.ledger,
      warnings,
      stop: async () => {
        stopping.abort()
        await ended
      }
    }
    this.#running.push(running)
    return running
  }

  /** Starts an instance of the realtime lane that dies at its first hit of `at`. */
  startDoomed(instance: string, at: Failpoint): DoomedLane {
    return this.startDoomedLane(realtime, instance, at)
  }

  startDoomedLane<Ports extends LanePorts, Options extends LaneOptions>(
    sort: LaneSort<Ports, Options>,
    instance: string,
    at: Failpoint
  ): DoomedLane {
    const readers: MemoryGroupReader[] = []
    let dead = false
    const mortal = <Port extends object>(port: Port): Port =>
      new Proxy(port, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key, target)
          if (typeof value !== 'function') return value
          return (...args: unknown[]): unknown =>
            dead ? new Promise(() => undefined) : value.apply(target, args)
        }
      })
    const alive = this.#ports(sort.lane, instance)
    const common = {
      ...alive,
      ledger: mortal<Ledger>(alive.ledger),
      store: mortal<VectorStore>(this.store),
      deadLetters: mortal<DeadLetters>(this.deadLetters),
      openReader: () => {
        const reader = this.#reader(sort.lane, instance)
        readers.push(reader)
        return reader
      },
      hit: (name: Failpoint) => {
        if (name !== at || dead) return
        dead = true
        readers.at(-1)?.kill()
      }
    }
    const options = { ...this.#options(sort.lane, instance), leaseMs: 400 }
    const lane = sort.make(sort.ports(common, this, mortal), sort.options(options))
    lane.run(never).catch(() => undefined)
    return { died: () => dead }
  }

  /** Writes one record a document, in this order. */
  async emit(...documents: readonly Document[]): Promise<void> {
    for (const document of documents) await this.#writer.write([document], never)
  }

  /** Texts by docId, as the index has them; a document with several objects shows each. */
  texts(): Readonly<Record<string, readonly string[]>> {
    const objects = [...this.store.objects.values()].map(({ properties }) => properties)
    const byId = Object.groupBy(objects, ({ docId }) => docId)
    return Object.fromEntries(
      Object.entries(byId).map(([docId, all]) => [docId, (all ?? []).map(({ text }) => text)])
    )
  }

  /** Waits until every record is settled: W = A = end in all partitions. */
  async settled(): Promise<void> {
    const bounds = await new MemoryLogAdmin(this.log).bounds()
    await vi.waitFor(
      async () => {
        const watermarks = await this.ledger.watermarks()
        for (const [partition, { end }] of bounds) {
          if (watermarks.get(partition) !== end) throw new Error(`partition ${partition} is not settled`)
        }
      },
      { timeout: 8_000, interval: 10 }
    )
  }

  #reader(lane: Lane, instance: string): MemoryGroupReader {
    return new MemoryGroupReader(this.log, names.groups[lane], instance)
  }

  #ports(lane: Lane, instance: string): LanePorts {
    return {
      ledger: new MemoryLedger(this.ledgerServer),
      store: this.store,
      codec: this.codec,
      deadLetters: this.deadLetters,
      ranges: new MemoryRangeReader(this.log),
      admin: new MemoryLogAdmin(this.log),
      openReader: () => this.#reader(lane, instance),
      clock: systemClock,
      hit: () => undefined,
      warn: () => undefined
    }
  }

  /** The ledger is made by the first instance, so it begins with that one's lane. */
  #options(lane: Lane, instance: string): LaneOptions {
    return { instance, names, partitions: 2, initialMode: lane, lingerMs: 5, leaseMs: 2_000, graceMs: 500 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running.map(running => running.stop()))
  }
}

/** A document whose text decides everything that is not given. */
export function aText(docId: string, version: number, text: string, metadata = '{}'): Document {
  const tokens = text.split(/\s+/).length
  const origin = { sourceId: docId, chunk: 0, chunks: 1, title: docId }
  return { docId, version, ...origin, text, textHash: textHash(text), tokens, metadata, deleted: false }
}

export function aTombstone(docId: string, version: number): Document {
  return { ...aText(docId, version, ''), tokens: 0, deleted: true }
}
