// The realtime lane on memory adapters: one log, ledger, index and provider, and as many instances as a test starts.
import { MemoryEmbedder } from '@pointsman/core/adapters/memory/embedder'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryDeadLetters } from '@pointsman/core/adapters/memory/event-log-dead-letters'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryDocumentWriter } from '@pointsman/core/adapters/memory/event-log-document-writer'
import { MemoryGroupReader } from '@pointsman/core/adapters/memory/event-log-group-reader'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryVectorStore } from '@pointsman/core/adapters/memory/vector-store'
import type { Document } from '@pointsman/core/domain/document'
import type { Embedder } from '@pointsman/core/ports/embedder'
import type { DeadLetters } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import { systemClock } from '@pointsman/core/runtime/clock'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { textHash } from '@pointsman/core/runtime/identity'
import { namesOf } from '@pointsman/core/runtime/names'
import { vi } from 'vitest'
import {
  type LaneOptions,
  type LanePorts,
  RealtimeLane
} from '../../services/embedder-realtime/src/realtime-lane.ts'

const never = new AbortController().signal
const names = namesOf('pointsman')

/** What a test may put in the place of a port of one instance. */
type Overrides = Partial<LanePorts> & { readonly options?: Partial<LaneOptions> }

export interface RunningLane {
  readonly lane: RealtimeLane
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
  readonly ledger = new MemoryLedger(() => Date.now())
  readonly store = new MemoryVectorStore()
  readonly embedder = new MemoryEmbedder()
  readonly codec = new MemoryDocumentCodec(this.log)
  readonly deadLetters = new MemoryDeadLetters(this.log)
  readonly #writer = new MemoryDocumentWriter(this.log, this.codec)
  readonly #running: RunningLane[] = []

  start(instance: string, overrides: Overrides = {}): RunningLane {
    const warnings: string[] = []
    const lane = this.#lane(instance, { warn: message => warnings.push(message), ...overrides })
    const stopping = new AbortController()
    const ended = lane.run(stopping.signal)
    ended.catch((error: unknown) => warnings.push(`ended: ${String(error)}`))
    const running: RunningLane = {
      lane,
      warnings,
      stop: async () => {
        stopping.abort()
        await ended
      }
    }
    this.#running.push(running)
    return running
  }

  /** Starts an instance that dies at its first hit of `at`. */
  startDoomed(instance: string, at: Failpoint): DoomedLane {
    const reader = new MemoryGroupReader(this.log, names.groups.realtime, instance)
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
    const lane = this.#lane(instance, {
      ledger: mortal<Ledger>(this.ledger),
      store: mortal<VectorStore>(this.store),
      embedder: mortal<Embedder>(this.embedder),
      deadLetters: mortal<DeadLetters>(this.deadLetters),
      reader,
      hit: name => {
        if (name !== at || dead) return
        dead = true
        reader.kill()
      },
      options: { leaseMs: 400 }
    })
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

  #lane(instance: string, { options, ...ports }: Overrides): RealtimeLane {
    return new RealtimeLane(
      {
        ledger: this.ledger,
        store: this.store,
        embedder: this.embedder,
        codec: this.codec,
        deadLetters: this.deadLetters,
        ranges: new MemoryRangeReader(this.log),
        admin: new MemoryLogAdmin(this.log),
        reader: new MemoryGroupReader(this.log, names.groups.realtime, instance),
        clock: systemClock,
        hit: () => undefined,
        warn: () => undefined,
        ...ports
      },
      {
        instance,
        names,
        partitions: 2,
        requestInputs: 16,
        requestTokens: 10_000,
        lingerMs: 5,
        maxInFlight: 4,
        maxAttempts: 3,
        doubtDelayMs: 20,
        leaseMs: 2_000,
        graceMs: 500,
        ...options
      }
    )
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
