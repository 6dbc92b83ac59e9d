// What chaos comes over: real servers, a provider that keeps a bill, and the services as real processes that are started again
// when they end. Each client has links of its own.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaClients, type NewClient } from '@pointsman/core/adapters/kafka/client'
import { openLog } from '@pointsman/core/runtime/log'
import { type Names, namesOf } from '@pointsman/core/runtime/names'
import { reservePortBlock } from '../stack/ports.ts'
import { type Stack, startStack } from '../stack/start-stack.ts'
import { openWatchdog } from '../stack/watchdog.ts'
import { embedderMemory } from '../up/embedder-memory.ts'
import { type ClientName, clients, services, type ServiceName } from './clients.ts'
import { LedgerEye } from './ledger-eye.ts'
import { type LinkRoute, Links, type ServerName } from './links.ts'
import { ownDisk } from './own-disk.ts'
import { ChaosProvider } from './provider.ts'
import { Supervised } from './supervised.ts'

export const model = 'text-embedding-3-small'
export const dimensions = 64
const partitions = 8
export const requestInputs = 32
export const requestsInFlight = 4
const namespace = 'chaos'
const watchdogGraceSeconds = 8

/** A minute a second: a job takes three seconds. Requests take long enough to be caught in flight. */
const providerArgs = ['--clock-factor', '60', '--turnaround', '180', '--latency', '150..400']
const settings = {
  OPENAI_API_KEY: 'local',
  EMBEDDING_MODEL: model,
  EMBEDDING_DIMENSIONS: String(dimensions),
  POINTSMAN_NAMESPACE: namespace,
  DOCUMENTS_PARTITIONS: String(partitions),
  EMBED_REQUEST_INPUTS: String(requestInputs),
  EMBED_MAX_IN_FLIGHT: String(requestsInFlight),
  EMBED_TIMEOUT_MS: '15000',
  EMBED_DOUBT_DELAY_MS: '1000',
  INSTANCE_LEASE_MS: '6000',
  BATCH_LINGER_MS: '500',
  BATCH_MIN_LINES: '20',
  BATCH_MAX_LINES: '400',
  BATCH_MAX_JOBS: '10',
  BATCH_POLL_MIN_MS: '500',
  BATCH_POLL_MAX_MS: '1000',
  BATCH_DOUBT_GRACE_MS: '1000',
  BATCH_RETRY_DELAY_MS: '500',
  BATCH_CALL_TIMEOUT_MS: '15000',
  BATCH_UPLOAD_TIMEOUT_MS: '30000',
  LOG_LEVEL: 'info'
}

export interface World extends AsyncDisposable {
  readonly stack: Stack
  readonly links: Links
  readonly provider: ChaosProvider
  readonly eye: LedgerEye
  readonly names: Names
  /** Clients of Kafka past all proxies, for those who look on. */
  readonly kafka: NewClient
  /** Through its link, as every other process has it. */
  readonly envOf: (client: ClientName) => Readonly<Record<string, string>>
  readonly processes: ReadonlyMap<ServiceName, Supervised>
  readonly controllerUrls: readonly string[]
  /** Of `/readyz` of every service. */
  readonly areReady: () => Promise<boolean>
}

export interface WorldOptions {
  /** For data and logs. */
  readonly folder: string
  readonly seed: number
  /** Batch embedders get a small disk of their own. */
  readonly disks: boolean
  /** Every transition of the ledger is written down. */
  readonly trace: boolean
  readonly log: (line: string) => void
}

export async function openWorld(options: WorldOptions, signal: AbortSignal): Promise<World> {
  const { disks, folder, log, seed, trace } = options
  const tracing: Readonly<Record<string, string>> = trace ? { POINTSMAN_LEDGER_TRACE: namespace } : {}
  const ledger = { POINTSMAN_NAMESPACE: namespace, ...tracing }
  await using opened = new AsyncDisposableStack()
  const blocks = [await reservePortBlock(), await reservePortBlock(), await reservePortBlock()]
  for (const block of blocks) opened.use(block)
  const nextPort = portsOf(blocks.map(({ first }) => first))
  const kafkaPorts = new Map(
    clients.map(client => [client, { port: nextPort(), advertisedPort: nextPort() }] as const)
  )
  const provider = opened.use(await ChaosProvider.open(providerArgs, seed))
  const stack = opened.use(
    await startStack({
      dataDir: join(folder, 'stack'),
      parts: ['kafka', 'registry', 'redis', 'weaviate', 'toxiproxy'],
      kafkaListeners: [...kafkaPorts.values()],
      log,
      signal
    })
  )
  const { proxied } = stack
  if (proxied === undefined) throw new Error('no fault proxy')
  const upstream: Readonly<Record<Exclude<ServerName, 'kafka'>, number>> = {
    registry: portOf(stack.env.SCHEMA_REGISTRY_URL),
    redis: portOf(stack.env.REDIS_URL),
    weaviate: portOf(stack.env.WEAVIATE_URL),
    'weaviate-grpc': portOf(stack.env.WEAVIATE_GRPC_URL),
    openai: provider.port
  }
  const routes = clients.flatMap(client => {
    const { advertisedPort = 0, port = 0 } = kafkaPorts.get(client) ?? {}
    const kafka: LinkRoute = { client, server: 'kafka', port: advertisedPort, upstreamPort: port }
    return [
      kafka,
      ...(['registry', 'redis', 'weaviate', 'weaviate-grpc', 'openai'] as const).map(server => ({
        client,
        server,
        port: nextPort(),
        upstreamPort: upstream[server]
      }))
    ]
  })
  const links = new Links(proxied.toxiproxyUrl)
  await links.open(routes)
  const eye = opened.use(await LedgerEye.open(stack.env.REDIS_URL, ledger))

  const envOf = (client: ClientName): Readonly<Record<string, string>> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ...settings,
    ...tracing,
    ...addressesOf(client, routes, stack)
  })
  const logs = join(folder, 'logs')
  await mkdir(logs, { recursive: true })
  const watchdog = opened.use(openWatchdog(watchdogGraceSeconds, undefined))
  const ports = new Map(services.map(name => [name, nextPort()] as const))
  const processes = new Map<ServiceName, Supervised>()
  for (const [name, port] of ports) {
    const spool = join(folder, 'spool', name)
    await mkdir(spool, { recursive: true })
    const own = name.startsWith('controller')
      ? { CONTROLLER_PORT: String(port), CONTROLLER_SWEEP_PAUSE_MS: '500' }
      : { HEALTH_PORT: String(port), BATCH_SPOOL_DIR: spool, ...embedderMemory }
    const through = disks && name.startsWith('embedder-batch') ? ownDisk : []
    const [program, ...args] = [...through, process.execPath, mainOf(name)]
    const service = new Supervised({
      name,
      command: [program, ...args],
      env: { ...envOf(name), POINTSMAN_INSTANCE: name, ...own },
      logPath: join(logs, `${name}.log`),
      watchdog,
      tell: log
    })
    service.start()
    processes.set(name, opened.use(service))
  }

  const rest = opened.move()
  const controllerUrls = [...ports].flatMap(([name, port]) =>
    name.startsWith('controller') ? `http://127.0.0.1:${port}` : []
  )
  return {
    stack,
    links,
    provider,
    eye,
    names: namesOf(namespace),
    kafka: kafkaClients(
      { KAFKA_BROKERS: stack.env.KAFKA_BROKERS.split(','), KAFKA_TLS: false },
      'chaos',
      openLog('chaos', 'silent')
    ),
    envOf,
    processes,
    controllerUrls,
    areReady: async () => (await Promise.all([...ports.values()].map(isReady))).every(ready => ready),
    [Symbol.asyncDispose]: () => rest.disposeAsync()
  }
}

const portsInBlock = 24

function portsOf(firsts: readonly number[]): () => number {
  const ports = firsts.flatMap(first => Array.from({ length: portsInBlock }, (_, index) => first + index))
  return () => {
    const port = ports.shift()
    if (port === undefined) throw new Error('no port is left')
    return port
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function mainOf(name: ServiceName): string {
  const service = name.replace(/-\d+$/, '')
  return fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url))
}

function addressesOf(
  client: ClientName,
  routes: readonly LinkRoute[],
  { env }: Stack
): Readonly<Record<string, string>> {
  const to = (server: ServerName): string => {
    const route = routes.find(each => each.client === client && each.server === server)
    return `127.0.0.1:${route?.port ?? 0}`
  }
  const through = (url: string, server: ServerName): string => url.replace(new URL(url).host, to(server))
  return {
    KAFKA_BROKERS: to('kafka'),
    SCHEMA_REGISTRY_URL: through(env.SCHEMA_REGISTRY_URL, 'registry'),
    REDIS_URL: through(env.REDIS_URL, 'redis'),
    WEAVIATE_URL: through(env.WEAVIATE_URL, 'weaviate'),
    WEAVIATE_GRPC_URL: through(env.WEAVIATE_GRPC_URL, 'weaviate-grpc'),
    OPENAI_BASE_URL: `http://${to('openai')}/v1`
  }
}

async function isReady(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
    reply => reply.ok,
    () => false
  )
}
