// One measurement of Pointsman: the documents stand in Kafka, the ledger is paused, the embedder runs as the process
// that it always is. The clock starts when the ledger is resumed and ends when every watermark has reached the end of
// its log: everything stored and settled.
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Document } from '@pointsman/core/domain/document'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { openLog } from '@pointsman/core/runtime/log'
import { type Names, namesOf } from '@pointsman/core/runtime/names'
import { requestInputs, requestsInFlight } from './realtime-task.ts'
import { dimensions, model, type RealtimeWorld } from './realtime-world.ts'
import { type Child, openChild } from './support/child-process.ts'
import { seededDocuments } from './support/documents.ts'
import { freePort } from './support/free-port.ts'

export interface PointsmanRun {
  readonly ms: number
  readonly tokens: number
}

export interface PointsmanOptions {
  /** Of its own: topics, ledger and collection are made for it. */
  readonly namespace: string
  readonly documents: number
  /** For the embedder's Node. */
  readonly nodeOptions: readonly string[]
  /** Told the embedder's pid right before the start. */
  readonly onStart: (pid: number) => void
  /** Told right after the end, while the embedder still runs. */
  readonly onEnd: () => void
}

const partitions = 8
const writeChunk = 2_000
const pollMs = 50

export async function measurePointsman(
  world: RealtimeWorld,
  options: PointsmanOptions,
  signal: AbortSignal
): Promise<PointsmanRun> {
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
  const { epoch } = await ledger.open('realtime')
  await ledger.pause(epoch, 'waits for the start of the measurement', 'bench')

  const port = await freePort()
  const embedder = opened.use(await openEmbedder(world, options, port))
  await Promise.race([untilReady(port, signal), embedder.failed])
  const ends = new Map([...(await admin.bounds())].map(([partition, { end }]) => [partition, end]))

  options.onStart(embedder.pid)
  const began = performance.now()
  await ledger.resume(epoch)
  await Promise.race([untilSettled(ledger, ends, signal), embedder.failed])
  const ms = performance.now() - began
  options.onEnd()
  return { ms, tokens }
}

/** @returns the tokens of all texts. */
async function writeDocuments(
  world: RealtimeWorld,
  kafka: ReturnType<typeof kafkaClients>,
  { documents: topic }: Names,
  { documents, namespace }: PointsmanOptions,
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
  world: RealtimeWorld,
  { namespace, nodeOptions }: PointsmanOptions,
  port: number
): Promise<Child> {
  const { WEAVIATE_GRPC_URL, WEAVIATE_URL } = world.weaviate
  return await openChild({
    program: new URL('../services/embedder-realtime/src/main.ts', import.meta.url),
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
      EMBED_REQUEST_INPUTS: String(requestInputs),
      EMBED_MAX_IN_FLIGHT: String(requestsInFlight),
      HEALTH_PORT: String(port),
      LOG_LEVEL: 'warn'
    }
  })
}

async function untilReady(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      reply => reply.ok,
      () => false
    )
    if (ready) return
    await sleep(pollMs, undefined, { signal })
  }
}

async function untilSettled(
  ledger: Ledger,
  ends: ReadonlyMap<number, bigint>,
  signal: AbortSignal
): Promise<void> {
  for (;;) {
    const watermarks = await ledger.watermarks()
    if ([...ends].every(([partition, end]) => watermarks.get(partition) === end)) return
    await sleep(pollMs, undefined, { signal })
  }
}
