// What one series of switches runs on: a namespace of its own on the running servers, a provider whose jobs take seconds,
// two processes of each embedder, two controllers, and a producer. Everything is a process as it always is, but for the
// producer, which has to know what it produced.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { Ledger, Obligation, Survey } from '@pointsman/core/ports/ledger'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import type { PartName } from '../tools/stack/part.ts'
import type { Stack } from '../tools/stack/start-stack.ts'
import { embedderMemory } from '../tools/up/embedder-memory.ts'
import { openChild } from './support/child-process.ts'
import { freePort } from './support/free-port.ts'
import { type LocalProvider, openLocalProvider } from './support/local-provider.ts'
import { cpuMsOf, machineCpuMs } from './support/process-usage.ts'
import { SwitchApi } from './switch-api.ts'
import { SwitchProducer } from './switch-producer.ts'

export const model = 'text-embedding-3-small'
export const dimensions = 1536
export const latencyMs = 200
export const partitions = 8
const instances = 2
const servers: readonly PartName[] = ['kafka', 'redis', 'weaviate']

/** A minute a second: a job takes three seconds, several switches long. */
const jobClock = ['--clock-factor', '60', '--turnaround', '180']
/** Small jobs, sent while their lane is still active, and looked at often. The provider limits nothing. */
const batch = {
  BATCH_LINGER_MS: '100',
  BATCH_MIN_LINES: '50',
  BATCH_MAX_JOBS: '50',
  BATCH_ENQUEUED_TOKENS: '1000000000',
  BATCH_POLL_MIN_MS: '500',
  BATCH_POLL_MAX_MS: '1000',
  BATCH_DOUBT_GRACE_MS: '1000',
  BATCH_RETRY_DELAY_MS: '500'
}
const pollMs = 50

export interface SwitchWorldOptions {
  readonly namespace: string
  readonly documentsPerSecond: number
  /** For the embedders' and the controllers' Node. */
  readonly nodeOptions: readonly string[]
}

export interface SwitchWorld extends AsyncDisposable {
  readonly provider: LocalProvider
  readonly collection: string
  readonly weaviateUrl: string
  readonly ledger: Ledger
  /** The ledger again, on a connection of its own. */
  readonly watched: Ledger
  readonly controllers: readonly [SwitchApi, SwitchApi]
  readonly producer: SwitchProducer
  /**
   * Processor time so far of every process, in milliseconds; `bench` is this one, with the producer, and `machine`
   * everything, whoever runs it.
   */
  cpuMs(): Readonly<Record<string, number>>
  /** How far the ledger's clock is ahead of this process, in milliseconds; off by at most half a round trip. */
  clockDifference(): Promise<{ readonly aheadMs: number; readonly roundTripMs: number }>
  /** @throws when a process ends, or the limit passes. */
  until(isSo: () => Promise<boolean>, limitMs: number, signal: AbortSignal): Promise<void>
  /** Waits until everything that was produced is stored and settled, and no job or request is left. */
  settled(limitMs: number, signal: AbortSignal): Promise<void>
}

export async function openSwitchWorld(
  stack: Stack,
  options: SwitchWorldOptions,
  signal: AbortSignal
): Promise<SwitchWorld> {
  const { documentsPerSecond, namespace } = options
  const names = namesOf(namespace)
  await using opened = new AsyncDisposableStack()
  const log = openLog('bench', 'error')
  const kafka = kafkaClients(
    { KAFKA_BROKERS: stack.env.KAFKA_BROKERS.split(','), KAFKA_TLS: false },
    'bench',
    log
  )
  const admin = opened.use(new KafkaLogAdmin(kafka, names, log))
  await admin.prepare(partitions, signal)
  const codec = new KafkaDocumentCodec(stack.env, names.documents)
  await codec.prepare(signal)
  const writer = opened.use(new KafkaDocumentWriter(kafka, names.documents, codec))
  const redis = opened.adopt(await openRedis(stack.env, text => log.error(text)), closeRedis)
  const watching = opened.adopt(await openRedis(stack.env, text => log.error(text)), closeRedis)
  const ledger = new RedisLedger(redis, namespace)
  await ledger.open('realtime')
  const watched = new RedisLedger(watching, namespace)
  await watched.open('realtime')

  const provider = opened.use(await openLocalProvider(latencyMs, jobClock))
  const processes = await startServices(stack, provider, options, opened)
  const { failed } = processes
  const until: SwitchWorld['until'] = async (isSo, limitMs, abort) => {
    const deadlineMs = Date.now() + limitMs
    while (!(await Promise.race([isSo(), failed]))) {
      if (Date.now() > deadlineMs) throw new Error(`not so after ${limitMs} ms`)
      await sleep(pollMs, undefined, { signal: abort })
    }
  }
  await until(processes.areReady, 60_000, signal)
  const pids = new Map<string, number>([
    ...servers.map(name => [name, stack.part(name).pid ?? 0] as const),
    ...processes.pids,
    ['provider', provider.pid],
    ['bench', process.pid]
  ])
  const rest = opened.move()
  return {
    provider,
    collection: names.collection,
    weaviateUrl: stack.env.WEAVIATE_URL,
    ledger,
    watched,
    controllers: processes.controllers,
    cpuMs: () => ({
      ...Object.fromEntries([...pids].map(([name, pid]) => [name, cpuMsOf(pid) ?? 0])),
      machine: machineCpuMs() ?? 0
    }),
    producer: new SwitchProducer({ writer, seed: namespace, documentsPerSecond }),
    async clockDifference() {
      const before = Date.now()
      const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
      const after = Date.now()
      return { aheadMs: seconds * 1_000 + micros / 1_000 - (before + after) / 2, roundTripMs: after - before }
    },
    until,
    async settled(limitMs, abort) {
      let left: readonly string[] = []
      const isSettled = async (): Promise<boolean> => {
        left = whatIsLeft(await admin.bounds(), await ledger.survey())
        return left.length === 0
      }
      await until(isSettled, limitMs, abort).catch((error: unknown) => {
        throw new Error(`not settled: ${left.join(', ')}`, { cause: error })
      })
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync()
  }
}

function whatIsLeft(
  bounds: ReadonlyMap<number, LogBounds>,
  { obligations, progress }: Survey
): readonly string[] {
  const parts = ({ parts: left }: Obligation): number =>
    [...left.values()].reduce((sum, count) => sum + count, 0)
  return [
    ...[...bounds].flatMap(([partition, { end }]) => {
      const { frontier, watermark } = progress.get(partition) ?? {}
      return watermark === end ? [] : [`partition ${partition}: W ${watermark}, A ${frontier}, end ${end}`]
    }),
    ...obligations.map(each => `${each.kind} ${each.id}: ${each.state}, ${parts(each)} parts, ${each.reason}`)
  ]
}

interface Services {
  readonly pids: ReadonlyMap<string, number>
  readonly controllers: readonly [SwitchApi, SwitchApi]
  readonly failed: Promise<never>
  readonly areReady: () => Promise<boolean>
}

async function startServices(
  stack: Stack,
  provider: LocalProvider,
  { namespace, nodeOptions }: SwitchWorldOptions,
  opened: AsyncDisposableStack
): Promise<Services> {
  const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
  const spool = opened.adopt(await mkdtemp(join(tmpdir(), 'pointsman-spool-')), removeFolder)
  const token = randomBytes(24).toString('hex')
  const { KAFKA_BROKERS, REDIS_URL, SCHEMA_REGISTRY_URL, WEAVIATE_GRPC_URL, WEAVIATE_URL } = stack.env
  const env = {
    ...batch,
    KAFKA_BROKERS,
    SCHEMA_REGISTRY_URL,
    REDIS_URL,
    WEAVIATE_URL,
    WEAVIATE_GRPC_URL,
    OPENAI_API_KEY: 'local',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_MODEL: model,
    EMBEDDING_DIMENSIONS: String(dimensions),
    POINTSMAN_NAMESPACE: namespace,
    POINTSMAN_API_TOKEN: token,
    DOCUMENTS_PARTITIONS: String(partitions),
    LOG_LEVEL: 'warn'
  }
  const pids = new Map<string, number>()
  const ports: number[] = []
  const failures: Promise<never>[] = []
  const start = async (
    service: string,
    instance: string,
    more: (port: number) => Readonly<Record<string, string>>
  ): Promise<number> => {
    const port = await freePort()
    const program = new URL(`../services/${service}/src/main.ts`, import.meta.url)
    const own = { ...env, POINTSMAN_INSTANCE: instance, ...more(port) }
    const child = opened.use(await openChild({ program, nodeOptions, env: own }))
    failures.push(child.failed)
    ports.push(port)
    pids.set(instance, child.pid)
    return port
  }
  for (const lane of ['realtime', 'batch'])
    for (let index = 1; index <= instances; index += 1) {
      const instance = `embedder-${lane}-${index}`
      await start(`embedder-${lane}`, instance, port => ({
        ...embedderMemory,
        HEALTH_PORT: String(port),
        BATCH_SPOOL_DIR: join(spool, instance)
      }))
    }
  const control = async (instance: string): Promise<SwitchApi> => {
    const port = await start('controller', instance, free => ({ CONTROLLER_PORT: String(free) }))
    return new SwitchApi(`http://127.0.0.1:${port}`, token)
  }
  const controllers = [await control('controller-1'), await control('controller-2')] as const
  return {
    pids,
    controllers,
    failed: Promise.race(failures),
    areReady: async () => (await Promise.all(ports.map(isReady))).every(ready => ready)
  }
}

async function isReady(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/readyz`).then(
    reply => reply.ok,
    () => false
  )
}
