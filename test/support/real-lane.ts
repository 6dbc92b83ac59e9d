// Embedders as real processes on real servers, with a provider that keeps a bill; and an oracle that is not
// the system: it knows what was emitted, and reads the index and the bill itself.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { Document } from '@pointsman/core/domain/document'
import type { Lane } from '@pointsman/core/domain/lane'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { DeadLetters, LogAdmin } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { parseEnv } from '@pointsman/core/runtime/env'
import { openLog } from '@pointsman/core/runtime/log'
import { paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { namesOf } from '@pointsman/core/runtime/names'
import {
  kafkaSettings,
  redisSettings,
  registrySettings,
  weaviateSettings
} from '@pointsman/core/runtime/settings'
import { vi } from 'vitest'
import { z } from 'zod'
import type { StackEnv } from '../../tools/stack/stack-env.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from './local-openai-under-test.ts'
import { sweepIndex } from './sweep-index.ts'
import { cosine, trueVectors } from './true-vectors.ts'

const never = new AbortController().signal
const model = 'text-embedding-3-small'
const dimensions = 64
const partitions = 4
const mains = {
  realtime: fileURLToPath(new URL('../../services/embedder-realtime/src/main.ts', import.meta.url)),
  batch: fileURLToPath(new URL('../../services/embedder-batch/src/main.ts', import.meta.url))
}
/** Of the batch lane: a few jobs of a few lines each, and waits of the order of a test's patience. */
const quickBatch = {
  BATCH_MAX_LINES: '100',
  BATCH_MIN_LINES: '10',
  BATCH_MAX_JOBS: '3',
  BATCH_LINGER_MS: '500',
  BATCH_POLL_MIN_MS: '50',
  BATCH_POLL_MAX_MS: '250',
  BATCH_DOUBT_GRACE_MS: '500',
  BATCH_RETRY_DELAY_MS: '200'
}
const settingsSchema = z.object({
  ...kafkaSettings,
  ...registrySettings,
  ...redisSettings,
  ...weaviateSettings
})

/** What the oracle found, once everything is settled. */
export interface Audit {
  /** Documents that should have an object and have none. */
  readonly lost: readonly string[]
  /** Documents with more than one object. */
  readonly duplicates: readonly string[]
  /** Objects of an older version than the newest, or of a deleted document. */
  readonly stale: readonly string[]
  /** Payments beyond the first of each text. */
  readonly repeatedPayments: number
}

export interface EmbedderProcess {
  readonly pid: number
  /** Signal or code with which it ended. */
  readonly ended: Promise<NodeJS.Signals | number | null>
  readonly output: () => string
  signal(name: NodeJS.Signals): void
}

export class RealLane implements AsyncDisposable {
  readonly provider: LocalOpenaiUnderTest
  /** Of the batch lane, unless an embedder is started with another one. */
  readonly spoolDir: string
  readonly ledger: Ledger
  /** Of every process on these servers. */
  readonly env: Readonly<Record<string, string>>
  readonly admin: LogAdmin
  readonly #lane: Lane
  readonly #store: VectorStore
  readonly #writer: KafkaDocumentWriter
  readonly #deadLetters: DeadLetters
  readonly #resources: AsyncDisposableStack
  /** The newest version emitted of each document. */
  readonly #newest = new Map<string, Document>()
  readonly #children = new Set<ChildProcess>()
  /** What each process said, to be shown when something is waited for in vain. */
  #said = ''

  private constructor(fields: {
    lane: Lane
    provider: LocalOpenaiUnderTest
    spoolDir: string
    ledger: Ledger
    env: Readonly<Record<string, string>>
    store: VectorStore
    admin: LogAdmin
    writer: KafkaDocumentWriter
    deadLetters: DeadLetters
    resources: AsyncDisposableStack
  }) {
    this.#lane = fields.lane
    this.provider = fields.provider
    this.spoolDir = fields.spoolDir
    this.ledger = fields.ledger
    this.env = fields.env
    this.#store = fields.store
    this.admin = fields.admin
    this.#writer = fields.writer
    this.#deadLetters = fields.deadLetters
    this.#resources = fields.resources
  }

  /**
   * A namespace of its own on these servers, its topics made, nothing running yet.
   * @param lane - the one in which the ledger begins, and of which `startEmbedder` starts instances.
   */
  static async open(servers: StackEnv, latencyMs = 100, lane: Lane = 'realtime'): Promise<RealLane> {
    await using resources = new AsyncDisposableStack()
    const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
    const spoolDir = resources.adopt(await mkdtemp(join(tmpdir(), 'pointsman-spool-')), removeFolder)
    const names = namesOf(`kill-${randomUUID().slice(0, 8)}`)
    const provider = resources.use(await openLocalOpenai({ latency: { kind: 'fixed', ms: latencyMs } }))
    const env = {
      ...servers,
      ...quickBatch,
      BATCH_SPOOL_DIR: spoolDir,
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.url,
      EMBEDDING_MODEL: model,
      EMBEDDING_DIMENSIONS: String(dimensions),
      POINTSMAN_NAMESPACE: names.namespace,
      DOCUMENTS_PARTITIONS: String(partitions),
      EMBED_REQUEST_INPUTS: '64',
      INSTANCE_LEASE_MS: '3000',
      POINTSMAN_INITIAL_MODE: lane,
      LOG_LEVEL: 'info'
    }
    const settings = parseEnv(settingsSchema, env)
    const log = openLog('test', 'silent')
    const clients = kafkaClients(settings, 'test', log)
    const admin = resources.use(new KafkaLogAdmin(clients, names, log))
    await admin.prepare(partitions, never)
    const codec = new KafkaDocumentCodec(settings, names.documents)
    await codec.prepare(never)
    const redis = resources.adopt(await openRedis(settings, () => undefined), closeRedis)
    const ledger = new RedisLedger(redis, names.namespace)
    await ledger.open(lane)
    const store = resources.use(openWeaviate(settings, names.collection, dimensions))
    const writer = resources.use(new KafkaDocumentWriter(clients, names.documents, codec))
    const deadLetters = resources.use(new KafkaDeadLetters(clients, names))
    const services = { provider, ledger, store, admin, writer, deadLetters }
    return new RealLane({ lane, spoolDir, env, ...services, resources: resources.move() })
  }

  /** What the oracle need not find again. */
  async emitUnaudited(documents: readonly Document[]): Promise<void> {
    await this.#writer.write(documents, never)
  }

  async emit(documents: readonly Document[]): Promise<void> {
    await this.emitUnaudited(documents)
    for (const document of documents) {
      const known = this.#newest.get(document.docId)
      if (known === undefined || known.version <= document.version) this.#newest.set(document.docId, document)
    }
  }

  /** @param through - a command that ends by becoming the one that follows it. */
  startEmbedder(
    instance: string,
    env: Readonly<Record<string, string>> = {},
    lane: Lane = this.#lane,
    through: readonly string[] = []
  ): EmbedderProcess {
    const [program, ...args] = [...through, process.execPath, mains[lane]]
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'] ?? '', ...this.env, POINTSMAN_INSTANCE: instance, ...env },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      this.#said += chunk.toString()
    })
    this.#children.add(child)
    const ended = once(child, 'exit').then(([code, signal]) => {
      this.#children.delete(child)
      return z.union([z.enum(['SIGKILL', 'SIGTERM', 'SIGINT']), z.number(), z.null()]).parse(signal ?? code)
    })
    return { pid: child.pid ?? 0, ended, output: () => output, signal: name => void child.kill(name) }
  }

  /** By all its embedders. */
  get said(): string {
    return this.#said
  }

  /** Inputs that a crash now may cost twice: k, as the ledger publishes it. */
  async inputsAtRisk(): Promise<number> {
    const { obligations } = await this.ledger.survey()
    return obligations.reduce((sum, { inputsAtRisk }) => sum + inputsAtRisk, 0)
  }

  /** Waits until the ledger has settled every record of the log. */
  async settled(timeoutMs = 60_000): Promise<void> {
    await vi.waitFor(
      async () => {
        const [bounds, watermarks] = await Promise.all([this.admin.bounds(), this.ledger.watermarks()])
        for (const [partition, { end }] of bounds) {
          if (end > 0n && watermarks.get(partition) !== end)
            throw new Error(`partition ${partition} is not settled\n${this.#said}`)
        }
      },
      { timeout: timeoutMs, interval: 100 }
    )
  }

  /** Waits until nobody has promised anything any more: all manifests are archived. */
  async finished(): Promise<void> {
    await vi.waitFor(
      async () => {
        const { obligations } = await this.ledger.survey()
        const left = obligations.map(({ id, state }) => `${id} ${state}`)
        if (left.length > 0) throw new Error(`left: ${left.join(', ')}\n${this.#said}`)
      },
      { timeout: 20_000, interval: 100 }
    )
  }

  /** Reasons for which documents were given up, by the id of the document. */
  async givenUp(): Promise<Readonly<Record<string, string>>> {
    const letters = await this.#deadLetters.list(1_000, never)
    return Object.fromEntries(letters.map(({ key = '', reason }) => [key, reason]))
  }

  /** Waits until the group has committed to the end of the log. */
  async committed(group: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const [bounds, committed] = await Promise.all([this.admin.bounds(), this.admin.committed(group)])
        for (const [partition, { end }] of bounds) {
          if (end > 0n && committed.get(partition) !== end)
            throw new Error(`partition ${partition} is not committed`)
        }
      },
      { timeout: 20_000, interval: 100 }
    )
  }

  async audit(): Promise<Audit> {
    const heads = Map.groupBy(await this.#allHeads(), ({ docId }) => docId)
    const live = [...this.#newest.values()].filter(({ deleted }) => !deleted)
    const versionOf = (docId: string): number => {
      const newest = this.#newest.get(docId)
      return newest === undefined || newest.deleted ? Number.POSITIVE_INFINITY : newest.version
    }
    const payments = z
      .object({ payments: z.array(z.object({ count: z.number() })) })
      .parse(await this.provider.get('/payments?minCount=2&limit=1000000'))
    return {
      lost: live.flatMap(({ docId }) => (heads.has(docId) ? [] : docId)),
      duplicates: [...heads].flatMap(([docId, all]) => (all.length > 1 ? docId : [])),
      stale: [...heads].flatMap(([docId, all]) =>
        all.some(head => head.version < versionOf(docId)) ? docId : []
      ),
      repeatedPayments: payments.payments.reduce((sum, { count }) => sum + count - 1, 0)
    }
  }

  /** Documents that are indexed with another text than their newest one, or under a vector that is not its own. */
  async wrong(): Promise<readonly string[]> {
    const heads = await this.#allHeads()
    const textOf = (docId: string): string => this.#newest.get(docId)?.text ?? ''
    const vectors = await trueVectors(model, dimensions, new Set(heads.map(({ docId }) => textOf(docId))))
    const wrong: string[] = []
    for (let start = 0; start < heads.length; start += 500) {
      const page = heads.slice(start, start + 500)
      const stored = await this.#store.vectors(
        page.map(({ paymentKey: key }) => key),
        never
      )
      for (const { docId, paymentKey: key } of page) {
        const text = textOf(docId)
        const [is, should] = [stored.get(key), vectors.get(text)]
        const isRight = is !== undefined && should !== undefined && cosine(is, should) > 0.999
        if (key !== paymentKey({ model, dimensions }, textHash(text)) || !isRight) wrong.push(docId)
      }
    }
    return wrong
  }

  swept(): Promise<void> {
    return sweepIndex(this.ledger, this.#store)
  }

  /** Objects that a search for their own vector does not find: stored, and lost all the same. */
  async unseen(): Promise<readonly string[]> {
    const heads = await this.#allHeads()
    const unseen: string[] = []
    for (let start = 0; start < heads.length; start += 64) {
      const chunk = heads.slice(start, start + 64)
      const keys = chunk.map(({ paymentKey }) => paymentKey)
      const vectors = await this.#store.vectors(keys, never)
      const found = await Promise.all(
        chunk.map(async ({ id, paymentKey }) => {
          const vector = vectors.get(paymentKey)
          const hits = vector === undefined ? [] : await this.#store.search(vector, 10, never)
          return hits.some(hit => hit.id === id)
        })
      )
      unseen.push(...chunk.flatMap(({ docId }, index) => (found[index] === true ? [] : docId)))
    }
    return unseen
  }

  async #allHeads(): Promise<readonly ObjectHead[]> {
    const heads: ObjectHead[] = []
    let after: ObjectId | undefined
    for (;;) {
      const page = await this.#store.page(after, 1_000, never)
      if (page.length === 0) return heads
      heads.push(...page)
      after = page.at(-1)?.id
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await this.#resources.disposeAsync()
  }
}
