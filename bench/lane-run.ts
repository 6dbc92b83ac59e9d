// One lane before its work: the documents stand in Kafka, the ledger is paused, and the embedder runs as the process that
// it always is.
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Document } from '@pointsman/core/domain/document'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { openLog } from '@pointsman/core/runtime/log'
import { type Names, namesOf } from '@pointsman/core/runtime/names'
import { embedderMemory } from '../tools/up/embedder-memory.ts'
import { dimensions, type LaneWorld, model } from './lane-world.ts'
import { type Child, openChild } from './support/child-process.ts'
import { seededDocuments } from './support/documents.ts'
import { freePort } from './support/free-port.ts'

export interface LaneRunOptions {
  readonly lane: Lane
  /** Of its own: topics, ledger and collection are made for it. */
  readonly namespace: string
  readonly documents: number
  /** Settings that only this lane has. */
  readonly env: Readonly<Record<string, string>>
  /** For the embedder's Node. */
  readonly nodeOptions: readonly string[]
}

export interface LaneRun extends AsyncDisposable {
  readonly ledger: Ledger
  /** Of the embedder. */
  readonly pid: number
  /** Of all texts. */
  readonly tokens: number
  /** Lets the embedder begin. */
  resume(): Promise<void>
  /** @throws when the embedder ends. */
  until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void>
  /** Has every watermark reached the end of its log? Then everything is stored and settled. */
  isSettled(): Promise<boolean>
}

const partitions = 8
const writeChunk = 2_000
const pollMs = 50

export async function openLaneRun(
  world: LaneWorld,
  options: LaneRunOptions,
  signal: AbortSignal
): Promise<LaneRun> {
  const names = namesOf(options.namespace)
  await using opened = new AsyncDisposableStack()
  const log = openLog('bench', 'error')
  const kafka = kafkaClients(
    { KAFKA_BROKERS: world.env.KAFKA_BROKERS.split(','), KAFKA_TLS: false },
    'bench',
    log
  )
  const admin = opened.use(new KafkaLogAdmin(kafka, names, log))
  await admin.prepare(partitions, signal)
  const tokens = await writeDocuments(world, kafka, names, options, signal)

  const redis = opened.adopt(await openRedis(world.env, text => log.error(text)), closeRedis)
  const ledger = new RedisLedger(redis, options.namespace)
  const { epoch } = await ledger.open(options.lane)
  await ledger.pause(epoch, 'waits for the start of the measurement', 'bench')

  const port = await freePort()
  const embedder = opened.use(await openEmbedder(world, options, port))
  const until = async (isSo: () => Promise<boolean>, stop: AbortSignal): Promise<void> => {
    while (!(await Promise.race([isSo(), embedder.failed]))) await sleep(pollMs, undefined, { signal: stop })
  }
  await until(() => isReady(port), signal)
  const ends = [...(await admin.bounds())].map(([partition, { end }]) => [partition, end] as const)
  const rest = opened.move()
  return {
    ledger,
    pid: embedder.pid,
    tokens,
    until,
    resume: async () => void (await ledger.resume(epoch)),
    async isSettled() {
      const watermarks = await ledger.watermarks()
      return ends.every(([partition, end]) => watermarks.get(partition) === end)
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync()
  }
}

/** @returns the tokens of all texts. */
async function writeDocuments(
  world: LaneWorld,
  kafka: ReturnType<typeof kafkaClients>,
  { documents: topic }: Names,
  { documents, namespace }: LaneRunOptions,
  signal: AbortSignal
): Promise<number> {
  const codec = new KafkaDocumentCodec(world.env, topic)
  await codec.prepare(signal)
  await using writer = new KafkaDocumentWriter(kafka, topic, codec)
  let tokens = 0
  let chunk: Document[] = []
  for (const document of seededDocuments(namespace, documents)) {
    tokens += document.tokens
    chunk.push(document)
    if (chunk.length < writeChunk) continue
    await writer.write(chunk, signal)
    chunk = []
  }
  await writer.write(chunk, signal)
  return tokens
}

async function openEmbedder(
  world: LaneWorld,
  { env, lane, namespace, nodeOptions }: LaneRunOptions,
  port: number
): Promise<Child> {
  const { WEAVIATE_GRPC_URL, WEAVIATE_URL } = world.weaviate
  return await openChild({
    program: new URL(`../services/embedder-${lane}/src/main.ts`, import.meta.url),
    nodeOptions,
    env: {
      KAFKA_BROKERS: world.env.KAFKA_BROKERS,
      SCHEMA_REGISTRY_URL: world.env.SCHEMA_REGISTRY_URL,
      REDIS_URL: world.env.REDIS_URL,
      WEAVIATE_URL,
      WEAVIATE_GRPC_URL,
      OPENAI_API_KEY: 'local',
      OPENAI_BASE_URL: world.provider.url,
      EMBEDDING_MODEL: model,
      EMBEDDING_DIMENSIONS: String(dimensions),
      POINTSMAN_NAMESPACE: namespace,
      DOCUMENTS_PARTITIONS: String(partitions),
      HEALTH_PORT: String(port),
      LOG_LEVEL: 'warn',
      ...embedderMemory,
      ...env
    }
  })
}

async function isReady(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/readyz`).then(
    reply => reply.ok,
    () => false
  )
}
