import { setImmediate } from 'node:timers/promises'
import { MemoryBatchProvider } from '@pointsman/core/adapters/memory/batch-provider'
import { MemoryControlLog } from '@pointsman/core/adapters/memory/control-log'
import { MemoryEmbedder, vectorOf } from '@pointsman/core/adapters/memory/embedder'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryDeadLetters } from '@pointsman/core/adapters/memory/event-log-dead-letters'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import { MemoryVectorStore } from '@pointsman/core/adapters/memory/vector-store'
import type { Document } from '@pointsman/core/domain/document'
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { LogRecord } from '@pointsman/core/ports/event-log'
import type { Action, Candidate, Settlement } from '@pointsman/core/ports/ledger'
import type { IndexObject } from '@pointsman/core/ports/vector-store'
import { docKey, metadataHash, objectId, paymentKey, textHash } from '@pointsman/core/runtime/identity'

const dimensions = 8
const never = new AbortController().signal

export function documentOf(docId: string, text: string, fields: Partial<Document> = {}): Document {
  return {
    docId,
    sourceId: docId,
    version: 1,
    chunk: 0,
    chunks: 1,
    title: docId,
    text,
    textHash: textHash(text),
    tokens: text.length,
    metadata: '{}',
    deleted: false,
    ...fields
  }
}

/** All parts of Pointsman in memory, and the simplest embedder that keeps the protocol: one document at a time. */
export class MemoryWorld {
  readonly clock = {
    now: 1_000_000,
    nowMs: () => this.clock.now,
    sleep: async (_ms: number, signal: AbortSignal) => {
      await setImmediate()
      signal.throwIfAborted()
    },
    random: () => 0.5
  }
  readonly log = new MemoryLog({ partitions: 2, clock: this.clock })
  readonly admin = new MemoryLogAdmin(this.log)
  readonly ranges = new MemoryRangeReader(this.log)
  readonly codec = new MemoryDocumentCodec(this.log)
  readonly letters = new MemoryDeadLetters(this.log)
  readonly ledgerServer = new MemoryLedgerServer(() => this.clock.now)
  readonly ledger = new MemoryLedger(this.ledgerServer)
  readonly control = new MemoryControlLog()
  readonly store = new MemoryVectorStore(dimensions)
  readonly embedder = new MemoryEmbedder({ dimensions })
  readonly provider = new MemoryBatchProvider({ dimensions })
  readonly spec = { model: this.embedder.model, dimensions }
  readonly groups = { realtime: 'realtime', batch: 'batch' }
  /** Documents whose vectors had to be paid for, in order. */
  readonly paid: string[] = []
  #owner: OwnerId | undefined
  #obligations = 0

  async produce(...documents: readonly Document[]): Promise<void> {
    for (const document of documents) {
      const partition = this.log.partitionOf(document.docId)
      this.log.append(partition, document.docId, await this.codec.encode(document))
    }
  }

  /** Admits all that is unread; finishes each document as `how` says, or leaves it open. */
  async drain(how: (docId: string) => Settlement | 'open' = () => 'indexed'): Promise<void> {
    await this.store.prepare(never)
    await this.ledger.open('realtime')
    for (const [partition, { start, end }] of await this.admin.bounds()) {
      const { frontier } = await this.ledger.openPartition(partition, start)
      for await (const records of this.ranges.scan(partition, frontier, end, never)) {
        for (const record of records) await this.#take(record, how)
      }
    }
  }

  objectOf(document: Document, generation = document.version): IndexObject {
    const { docId, sourceId, version, chunk, chunks, title, text, metadata } = document
    const key = paymentKey(this.spec, document.textHash)
    return {
      id: objectId(docId, key, generation),
      vector: vectorOf(this.spec.model, text, dimensions),
      properties: {
        docId,
        sourceId,
        version,
        generation,
        paymentKey: key,
        chunk,
        chunks,
        title,
        text,
        metadata
      }
    }
  }

  async #take(record: LogRecord, how: (docId: string) => Settlement | 'open'): Promise<void> {
    const { partition, offset } = record
    const decoded = await this.codec.decode(record)
    const document = decoded.kind === 'document' ? decoded.document : undefined
    const candidates = document ? [this.#candidate(offset, document)] : []
    const owner = await this.#register()
    this.#obligations += 1
    const obligation = `${owner}.${this.#obligations}` as ObligationId
    const slices = [{ partition, from: offset, to: offset + 1n, candidates }]
    const { epoch, partitions } = await this.ledger.state()
    const lane = partitions.get(partition)?.lane ?? 'realtime'
    const reply = await this.ledger.admit({ epoch, lane, owner, obligation, slices })
    if (reply.kind !== 'admitted') throw new Error(`not admitted: ${reply.kind}`)
    if (!document) return this.#giveUp(record, 'unreadable')
    const verdict = reply.verdicts[0]?.[0]
    if (verdict?.kind !== 'part') return
    const settlement = verdict.action === 'delete' ? 'deleted' : how(document.docId)
    if (settlement === 'open') return
    if (settlement === 'dead') await this.#giveUp(record, 'planted')
    const removal = { docId: document.docId, maxGeneration: verdict.generation - 1 }
    if (settlement === 'indexed') await this.#pay(verdict.action, document)
    if (settlement === 'indexed') await this.store.write([this.objectOf(document, verdict.generation)], never)
    if (settlement !== 'dead') await this.store.removeGenerations([removal], never)
    const outcomes = (await this.ledger.parts(obligation)).map(part => ({ part, settlement }))
    await this.ledger.settle(obligation, owner, outcomes, document.tokens)
  }

  /** What is copied needs an object to be copied from. */
  async #pay(action: Action, { docId, textHash: hash }: Document): Promise<void> {
    const key = paymentKey(this.spec, hash)
    const isThere = (await this.store.vectors([key], never)).has(key)
    if (action === 'embed' || !isThere) this.paid.push(docId)
  }

  async #giveUp(record: LogRecord, reason: string): Promise<void> {
    const { partition, offset, key, value } = record
    await this.letters.write(
      [{ partition, offset, key, value, reason, attempts: 3, atMs: this.clock.now }],
      never
    )
  }

  #candidate(offset: bigint, document: Document): Candidate {
    const { docId, version, tokens, deleted } = document
    const content = deleted ? undefined : paymentKey(this.spec, document.textHash)
    return { offset, docKey: docKey(docId), version, content, metadataHash: metadataHash(document), tokens }
  }

  async #register(): Promise<OwnerId> {
    const leaseMs = Number.MAX_SAFE_INTEGER / 2
    // A ledger that was lost has forgotten it.
    const isKnown = this.#owner !== undefined && (await this.ledger.renew(this.#owner, leaseMs, ''))
    if (this.#owner === undefined || !isKnown) {
      const instance = { instance: 'test-1', service: 'embedder-realtime', leaseMs }
      this.#owner = (await this.ledger.register(instance)).owner
    }
    return this.#owner
  }
}
