// How long a ledger that was lost takes to come back: the stage that reads the whole index, on a real Weaviate with as many
// objects as can be written in a few minutes, and what the ledger is told, on a real Redis, for all of them.
import { hash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { Digest, ObjectId } from '@pointsman/core/domain/identity'
import type { RestoredObject } from '@pointsman/core/ports/ledger-rebuild'
import type { IndexObject, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey, objectId } from '@pointsman/core/runtime/identity'
import { weaviateSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'
import { restoreIndex } from '../services/controller/src/rebuild/restore-index.ts'
import { startStack } from '../tools/stack/start-stack.ts'
import type { Bench } from './bench.ts'
import { rounded } from './support/spread.ts'

type Redis = Awaited<ReturnType<typeof openRedis>>

const dimensions = 8
const writeObjects = 500
const writesInFlight = 4
const fillMs = 180_000
/** As the controller tells them. */
const objectsAtOnce = 1_000
const million = 1_000_000

const optionsOf = z.object({ objects: z.coerce.number().int().min(1_000).default(million) })

export const bench: Bench = async ({ say, signal, args }) => {
  const { values } = parseArgs({ args: [...args], options: { objects: { type: 'string' } } })
  const { objects } = optionsOf.parse(values)
  await using stack = await startStack({ parts: ['redis', 'weaviate'], log: say, signal })
  const redis = await openRedis({ REDIS_URL: stack.env.REDIS_URL }, say)
  try {
    const settings = z.object(weaviateSettings).parse(stack.env)
    await using store = openWeaviate(settings, 'Rebuilt', dimensions)
    await store.prepare(signal)
    const index = await measureIndex(redis, store, objects, say, signal)
    say(`telling a ledger of ${objects} objects and versions`)
    const told = await measureTelling(redis, objects)
    return { objects, ...index, ...told }
  } finally {
    await closeRedis(redis)
  }
}

/** The stage as the controller runs it: heads by the page, each page told to the ledger. */
async function measureIndex(
  redis: Redis,
  store: VectorStore,
  wanted: number,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<Record<string, number>> {
  say(`writing up to ${wanted} objects, for at most ${fillMs / 1000} s`)
  const written = await fill(store, wanted, say, signal)
  say(`reading ${written} heads`)
  const readMs = await timed(async () => {
    let after: ObjectId | undefined
    do after = (await store.page(after, 2_000, signal)).at(-1)?.id
    while (after !== undefined)
  })
  say(`reading them once more, and telling the ledger`)
  const ledger = await lostLedger(redis, 'index')
  const stageMs = await timed(async () => {
    await restoreIndex({ ledger, store }, async () => undefined, signal)
  })
  const { counts } = await ledger.survey()
  if (counts.processed !== written) throw new Error(`${counts.processed} of ${written} objects were restored`)
  return {
    indexedObjects: written,
    headsPerSecond: rounded((written / readMs) * 1000, 0),
    indexStagePerSecond: rounded((written / stageMs) * 1000, 0),
    indexStageSecondsPerMillion: rounded((stageMs / written) * (million / 1000), 1)
  }
}

/** @returns how many were written. */
async function fill(
  store: VectorStore,
  wanted: number,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<number> {
  const untilMs = performance.now() + fillMs
  let next = 0
  let written = 0
  const write = async (): Promise<void> => {
    while (next < wanted && performance.now() < untilMs) {
      const first = next
      next = Math.min(wanted, first + writeObjects)
      const some = Array.from({ length: next - first }, (_, index) => objectOf(first + index))
      const outcomes = await store.write(some, signal)
      if (outcomes.some(({ kind }) => kind !== 'stored')) throw new Error('an object was not stored')
      written += some.length
      if (written % 50_000 === 0) say(`${written} objects`)
    }
  }
  await Promise.all(Array.from({ length: writesInFlight }, write))
  return written
}

/** What the ledger takes of each stage, and how long it keeps everybody waiting when it is given up. */
async function measureTelling(redis: Redis, objects: number): Promise<Record<string, number>> {
  const ledger = await lostLedger(redis, 'told')
  await redis.config('SET', 'slowlog-log-slower-than', 0)
  await longestScriptMs(redis)
  const cpuBefore = await cpuSeconds(redis)
  const restoreMs = await timed(() => inChunks(objects, numbers => ledger.restore(numbers.map(restoredOf))))
  const cpu = (await cpuSeconds(redis)) - cpuBefore
  const restoreScriptMs = await longestScriptMs(redis)
  const expectMs = await timed(() =>
    inChunks(objects, numbers =>
      ledger.expect(numbers.map(number => ({ ...restoredOf(number), version: number + 2 })))
    )
  )
  const expectScriptMs = await longestScriptMs(redis)
  const { counts, state } = await ledger.survey()
  if (counts.processed !== objects) throw new Error(`${counts.processed} of ${objects} were restored`)
  await ledger.endRebuild({ epoch: 2, defaultLane: 'realtime', partitions: new Map() })
  await longestScriptMs(redis)
  await ledger.distrust(state.ledgerId, 'measured')
  const distrustScriptMs = await longestScriptMs(redis)
  if ((await ledger.open('realtime')).rebuild === undefined) throw new Error('it was not given up')
  return {
    restoredPerSecond: rounded((objects / restoreMs) * 1000, 0),
    restoreCpuMicros: rounded((cpu * million) / objects, 1),
    restoreScriptMs,
    expectedPerSecond: rounded((objects / expectMs) * 1000, 0),
    expectScriptMs,
    distrustScriptMs
  }
}

async function lostLedger(redis: Redis, namespace: string): Promise<RedisLedger> {
  const ledger = new RedisLedger(redis, namespace)
  await ledger.open('realtime', 'lost')
  return ledger
}

async function inChunks(
  total: number,
  tell: (numbers: readonly number[]) => Promise<boolean>
): Promise<void> {
  for (let first = 0; first < total; first += objectsAtOnce) {
    const length = Math.min(objectsAtOnce, total - first)
    await tell(Array.from({ length }, (_, index) => first + index))
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

/** Of the scripts that ran since this was asked last; the log keeps the last 128. */
async function longestScriptMs(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 128)) as unknown as readonly (readonly [
    number,
    number,
    number
  ])[]
  await redis.slowlog('RESET')
  return rounded(Math.max(0, ...entries.map(([, , micros]) => micros)) / 1000, 2)
}

/** What the server worked: unlike a rate, it says something also on a computer that others use. */
async function cpuSeconds(redis: Redis): Promise<number> {
  const told = await redis.info('cpu')
  const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1])
  return read('used_cpu_user') + read('used_cpu_sys')
}

function restoredOf(number: number): RestoredObject {
  return {
    docKey: docKey(`document ${number}`),
    content: digest(`content ${number}`),
    version: number + 1,
    generation: number + 1
  }
}

function objectOf(number: number): IndexObject {
  const docId = `document ${number}`
  const content = digest(`content ${number}`)
  const vector = Float32Array.from({ length: dimensions }, (_, at) => Math.sin(number * dimensions + at))
  return {
    id: objectId(docId, content, 1),
    vector: new Uint8Array(vector.buffer),
    properties: {
      docId,
      sourceId: docId,
      version: 1,
      generation: 1,
      paymentKey: content,
      chunk: 0,
      chunks: 1,
      title: '',
      text: `text ${number}`,
      metadata: '{}'
    }
  }
}

function digest(text: string): Digest {
  return hash('sha256', text, 'hex').slice(0, 24) as Digest
}
