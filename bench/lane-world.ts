// The real servers under a lane, and a Weaviate that is empty and idle before every measurement.
import { setTimeout as sleep } from 'node:timers/promises'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { WeaviateSettings } from '@pointsman/core/runtime/settings'
import type { PartName } from '../tools/stack/part.ts'
import { startStack, type Stack } from '../tools/stack/start-stack.ts'
import { type LocalProvider, openLocalProvider } from './support/local-provider.ts'
import { cpuMsOf } from './support/process-usage.ts'

export const model = 'text-embedding-3-small'
export const dimensions = 1536
export const latencyMs = 200

export interface LaneWorld extends AsyncDisposable {
  readonly env: Stack['env']
  readonly provider: LocalProvider
  readonly weaviate: WeaviateSettings
  /** Processor time so far of every server, in milliseconds. */
  cpuMs(): Readonly<Record<string, number>>
  /** A new collection with the settings that Pointsman gives it. */
  createCollection(name: string, signal: AbortSignal): Promise<void>
  /**
   * Drops it with its index queue, and waits until Weaviate rests.
   * @throws when it does not hold so many objects.
   */
  checkAndDrop(name: string, objects: number, signal: AbortSignal): Promise<void>
}

const servers: readonly PartName[] = ['kafka', 'redis', 'weaviate']
const restWindowMs = 300
/** Share of one core. */
const restingShare = 0.1

export interface LaneWorldOptions {
  readonly asyncIndexing: boolean
  /** More for local-openai. */
  readonly providerArgs?: readonly string[]
}

export async function openLaneWorld(
  { asyncIndexing, providerArgs = [] }: LaneWorldOptions,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<LaneWorld> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(await startStack({ asyncIndexing, weaviateMemoryLimit: '4GiB', log: say, signal }))
  const provider = opened.use(await openLocalProvider(latencyMs, providerArgs))
  const weaviate = {
    WEAVIATE_URL: stack.env.WEAVIATE_URL,
    WEAVIATE_GRPC_URL: stack.env.WEAVIATE_GRPC_URL,
    WEAVIATE_SHARDS: 2,
    WEAVIATE_EF_CONSTRUCTION: 64,
    WEAVIATE_MAX_CONNECTIONS: 16,
    WEAVIATE_QUANTIZATION: 'rq8'
  } as const
  const pids = new Map<string, number>([
    ...servers.map(name => [name, stack.part(name).pid ?? 0] as const),
    ['provider', provider.pid]
  ])
  const weaviatePid = pids.get('weaviate') ?? 0
  const rest = opened.move()

  return {
    env: stack.env,
    provider,
    weaviate,
    cpuMs: () => Object.fromEntries([...pids].map(([name, pid]) => [name, cpuMsOf(pid) ?? 0])),
    async createCollection(name, abort) {
      await using store = openWeaviate(weaviate, name, dimensions)
      await store.prepare(abort)
    },
    async checkAndDrop(name, objects, abort) {
      await using store = openWeaviate(weaviate, name, dimensions)
      const stored = await store.count(abort)
      if (stored !== objects) throw new Error(`${name} holds ${stored} objects instead of ${objects}`)
      const reply = await fetch(`${weaviate.WEAVIATE_URL}/v1/schema/${name}`, {
        method: 'DELETE',
        signal: abort
      })
      if (!reply.ok) throw new Error(`dropping ${name}: ${reply.status} ${await reply.text()}`)
      await untilResting(weaviatePid, abort)
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync()
  }
}

/** Two quiet windows in a row: the indexing of what was dropped has ended. */
async function untilResting(pid: number, signal: AbortSignal): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const before = cpuMsOf(pid) ?? 0
    await sleep(restWindowMs, undefined, { signal })
    const share = ((cpuMsOf(pid) ?? 0) - before) / restWindowMs
    quiet = share < restingShare ? quiet + 1 : 0
  }
}
