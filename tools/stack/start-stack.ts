// Real Kafka, schema registry, Redis and Weaviate on this computer, each a process of its own, on loopback.
//
//   T1  What startStack returns is ready; what it throws left nothing running.
//   T2  Several stacks run side by side: ports, data and logs are their own.
//   T3  Nothing outlives the process that started it, even when that is killed.
//   T4  A data folder that was given is kept, and starting on it again finds everything; any other is removed.

import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { holderOf, tryLock } from '../bootstrap/lock.mjs'
import { pidOf } from '../bootstrap/process-identity.mjs'
import { fetchArtifacts, type Fetched } from './fetch-artifacts.ts'
import { kafkaPlan, type ProxiedListener } from './kafka.ts'
import { Part, type PartHandle, type PartName, type PartPlan } from './part.ts'
import type { ProgressOutput } from './progress.ts'
import { redisPlan } from './redis.ts'
import { registryPlan } from './registry.ts'
import { StackError } from './stack-error.ts'
import { stackEnv, type StackEnv } from './stack-env.ts'
import { choosePorts, type StackPorts } from './stack-ports.ts'
import { thisComputer } from './toolchain.ts'
import { toxiproxyPlan } from './toxiproxy.ts'
import { openWatchdog } from './watchdog.ts'
import { weaviatePlan } from './weaviate.ts'

export interface StackOptions {
  /** Kept and used again at the next start; a temporary folder unless given. */
  readonly dataDir?: string | undefined
  /** Servers to start: all but the fault proxy unless given. `toxiproxy` adds it in front of every other part. */
  readonly parts?: readonly PartName[] | undefined
  /** Of Kafka, for clients that have a fault proxy of their own. */
  readonly kafkaListeners?: readonly ProxiedListener[] | undefined
  /** Weaviate's ASYNC_INDEXING; off by default, so that what is stored is found. */
  readonly asyncIndexing?: boolean | undefined
  /** Weaviate's GOMEMLIMIT, "1GiB" by default. */
  readonly weaviateMemoryLimit?: string | undefined
  /** Free ones are chosen unless given. */
  readonly ports?: Partial<StackPorts> | undefined
  /** Gets progress, line by line; standard error by default, as one live line on a terminal. */
  readonly log?: ((line: string) => void) | undefined
  /** Ends starting; a stack that is up is ended by disposing it. */
  readonly signal?: AbortSignal | undefined
}

export interface Stack extends AsyncDisposable {
  /** Addresses of all parts; one that was not asked for does not answer at its own. */
  readonly env: StackEnv
  /** The same through the fault proxy, which is controlled at `toxiproxyUrl`; only when that part was asked for. */
  readonly proxied: (StackEnv & { readonly toxiproxyUrl: string }) | undefined
  readonly dataDir: string
  readonly parts: readonly PartHandle[]
  /** Aborted, with the reason, when a part ends although nobody here ended it. */
  readonly broken: AbortSignal
  /** @throws {StackError} when that part was not asked for. */
  part(name: PartName): PartHandle
}

const defaultParts: readonly PartName[] = ['kafka', 'registry', 'redis', 'weaviate']

const watchdogGraceSeconds = 8

/** @throws {StackError} that names what is missing, damaged or in use, and the remedy. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { parts: wanted = defaultParts, signal = new AbortController().signal } = options
  const output = outputFor(options.log)
  const fetched = await fetchArtifacts(
    [...wanted, 'minilm'],
    { search: thisComputer(process.env), output },
    signal
  )

  const began = performance.now()
  await using owned = new AsyncDisposableStack()
  const dataDir = await openDataDir(options.dataDir, owned)
  const { ports, block } = await choosePorts(
    options.dataDir === undefined ? undefined : dataDir,
    options.ports ?? {}
  )
  if (block !== undefined) owned.use(block)
  const watchdog = owned.use(
    openWatchdog(watchdogGraceSeconds, options.dataDir === undefined ? dataDir : undefined)
  )

  const broken = new AbortController()
  const deps = { watchdog, onUninvitedEnd: (problem: StackError) => broken.abort(problem) }
  const plans = planParts({ fetched, ports, dataDir, options, wanted })
  const parts = plans.map(
    plan => new Part(plan, { ...deps, logPath: join(dataDir, 'logs', `${plan.name}.log`) })
  )
  // Clean ends cost seconds and only matter to data that is kept.
  const end = options.dataDir === undefined ? (part: Part) => part.kill() : (part: Part) => part.stop()
  owned.defer(async () => void (await Promise.all(parts.map(end))))

  await startAll(parts, signal)
  output.write(
    `${plans.map(plan => plan.name).join(', ')} ready after ${seconds(performance.now() - began)} s\n`
  )

  const minilm = fetched.folderOf('minilm')
  const rest = owned.move()
  return {
    env: stackEnv(ports, minilm),
    proxied: wanted.includes('toxiproxy') ? proxiedEnv(ports, minilm) : undefined,
    dataDir,
    parts,
    broken: broken.signal,
    part(name) {
      const found = parts.find(part => part.name === name)
      if (found === undefined) throw new StackError(`${name} is not a part of this stack`)
      return found
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync()
  }
}

/** All at once; the first that fails ends the others. */
async function startAll(parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const oneFailed = new AbortController()
  const stop = AbortSignal.any([signal, oneFailed.signal])
  const starting = parts.map(async part => {
    try {
      await part.start(stop)
    } catch (error) {
      oneFailed.abort(error)
      throw error
    }
  })
  await Promise.allSettled(starting)
  stop.throwIfAborted()
}

interface Planning {
  readonly fetched: Fetched
  readonly ports: StackPorts
  readonly dataDir: string
  readonly options: StackOptions
  readonly wanted: readonly PartName[]
}

function planParts({ fetched, ports, dataDir, options, wanted }: Planning): PartPlan[] {
  const { java, folderOf } = fetched
  const folder = (name: PartName): string => join(dataDir, name)
  const plans: Record<PartName, () => PartPlan> = {
    kafka: () =>
      kafkaPlan({
        java,
        jars: join(folderOf('kafka'), 'jars'),
        folder: folder('kafka'),
        port: ports.kafka,
        controllerPort: ports.kafkaController,
        proxied: [
          ...(wanted.includes('toxiproxy')
            ? [{ port: ports.kafkaProxied, advertisedPort: ports.toKafka }]
            : []),
          ...(options.kafkaListeners ?? [])
        ]
      }),
    registry: () =>
      registryPlan({
        java,
        program: folderOf('registry'),
        folder: folder('registry'),
        port: ports.registry,
        managementPort: ports.registryManagement
      }),
    redis: () => redisPlan({ server: fetched.redisServer, folder: folder('redis'), port: ports.redis }),
    weaviate: () =>
      weaviatePlan({
        server: join(folderOf('weaviate'), 'weaviate-server'),
        folder: folder('weaviate'),
        ports: {
          http: ports.weaviate,
          grpc: ports.weaviateGrpc,
          gossip: ports.weaviateGossip,
          data: ports.weaviateData,
          raft: ports.weaviateRaft,
          raftRpc: ports.weaviateRaftRpc
        },
        asyncIndexing: options.asyncIndexing ?? false,
        memoryLimit: options.weaviateMemoryLimit ?? '1GiB'
      }),
    toxiproxy: () =>
      toxiproxyPlan({
        server: join(folderOf('toxiproxy'), 'toxiproxy-server'),
        folder: folder('toxiproxy'),
        port: ports.toxiproxy,
        routes: [
          { name: 'kafka', port: ports.toKafka, upstreamPort: ports.kafkaProxied },
          { name: 'registry', port: ports.toRegistry, upstreamPort: ports.registry },
          { name: 'redis', port: ports.toRedis, upstreamPort: ports.redis },
          { name: 'weaviate', port: ports.toWeaviate, upstreamPort: ports.weaviate },
          { name: 'weaviate-grpc', port: ports.toWeaviateGrpc, upstreamPort: ports.weaviateGrpc }
        ]
      })
  }
  return [...new Set(wanted)].map(name => plans[name]())
}

function proxiedEnv(ports: StackPorts, minilm: string): StackEnv & { readonly toxiproxyUrl: string } {
  const { toKafka: kafka, toRegistry: registry, toRedis: redis } = ports
  const addresses = { kafka, registry, redis, weaviate: ports.toWeaviate, weaviateGrpc: ports.toWeaviateGrpc }
  return { ...stackEnv(addresses, minilm), toxiproxyUrl: `http://127.0.0.1:${ports.toxiproxy}` }
}

/** Two stacks on one folder would destroy each other's data. */
async function openDataDir(given: string | undefined, owned: AsyncDisposableStack): Promise<string> {
  if (given === undefined) return mkdtemp(join(tmpdir(), 'pointsman-stack-'))
  const folder = resolve(given)
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'in-use')
  const release = await tryLock(path)
  if (release === undefined) {
    throw new StackError(
      `${folder} is in use by another stack (process ${pidOf((await holderOf(path)) ?? '')})`
    )
  }
  owned.defer(release)
  return folder
}

function outputFor(log: ((line: string) => void) | undefined): ProgressOutput {
  if (log !== undefined) return { isLive: false, write: text => log(text.trimEnd()) }
  const { isTTY, columns } = process.stderr
  return { isLive: isTTY, columns, write: text => void process.stderr.write(text) }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
