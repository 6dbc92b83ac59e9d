// One measurement of the batch lane, in three parts that do not overlap: all documents go into jobs, all jobs run while
// nobody is timed, all results are harvested.
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { namesOf } from '@pointsman/core/runtime/names'
import { setTimeout as delay } from 'node:timers/promises'
import { turnaroundSeconds } from './batch-task.ts'
import { CpuMeter } from './cpu-meter.ts'
import { type LaneRun, openLaneRun } from './lane-run.ts'
import type { LaneWorld } from './lane-world.ts'
import { describe, type Measurement } from './measurement.ts'
import { RssByDocuments } from './rss-by-documents.ts'
import { peakRssMbOf } from './support/process-usage.ts'
import { sparkline } from './support/sparkline.ts'

export interface BatchOptions {
  readonly namespace: string
  readonly documents: number
  readonly nodeOptions: readonly string[]
}

export interface BatchMeasurement {
  /** From the first admission to the last submission. */
  readonly admit: Measurement
  /** From the end of all jobs until everything is stored and settled. */
  readonly harvest: Measurement
  readonly jobs: number
  readonly rss: {
    /** The highest that the system saw, over all three parts. */
    readonly maxMb: number
    readonly admitMb: readonly number[]
    readonly harvestMb: readonly number[]
    /** Of the harvest. */
    readonly flatness: number
  }
  /** What the ledger holds more for each document when all are outstanding in manifests. */
  readonly ledgerBytesPerOutstanding: number
  readonly paidTokens: number
  readonly necessaryTokens: number
}

/** The provider limits nothing here; a manifest that is not full waits this long for more. */
const env = {
  BATCH_ENQUEUED_TOKENS: '1000000000',
  BATCH_LINGER_MS: '5000',
  BATCH_POLL_MIN_MS: '500',
  BATCH_POLL_MAX_MS: '500'
}
/** For what is given back after calls that were answered. */
const settleMs = 1_000
const lastSeconds = 1

/** @throws when the index does not hold every document once. */
export async function measureBatch(
  world: LaneWorld,
  { documents, namespace, nodeOptions }: BatchOptions,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<BatchMeasurement> {
  const billBefore = await world.provider.bill()
  await using run = await openLaneRun(
    world,
    { lane: 'batch', documents, namespace, nodeOptions, env },
    signal
  )
  const usedBefore = await usedMemory(world)
  const admitRss = new RssByDocuments(run.pid, documents)
  const admit = await measured(world, run, documents, async () => {
    await run.resume()
    await run.until(async () => (await submitted(run, admitRss)) === documents, signal)
  })
  say(`  admitted and submitted: ${describe(admit)}`)
  const ledgerBytesPerOutstanding = ((await usedMemory(world)) - usedBefore) / documents
  const jobs = (await run.ledger.survey()).obligations.length

  await world.provider.advanceJobs(turnaroundSeconds - lastSeconds)
  say(`  ${jobs} jobs have run`)
  const harvestRss = new RssByDocuments(run.pid, documents)
  const before = (await run.ledger.survey()).counts.indexed
  const harvest = await measured(world, run, documents, async () => {
    await world.provider.advanceJobs(2 * lastSeconds)
    await run.until(async () => {
      harvestRss.note((await run.ledger.survey()).counts.indexed - before)
      return await run.isSettled()
    }, signal)
  })
  say(`  harvested: ${describe(harvest)}`)
  const rss = {
    maxMb: peakRssMbOf(run.pid) ?? Number.NaN,
    admitMb: admitRss.curveMb,
    harvestMb: harvestRss.curveMb,
    flatness: harvestRss.flatness
  }
  say(`  embedder RSS ${sparkline([...rss.admitMb, ...rss.harvestMb])} max ${Math.round(rss.maxMb)} MB`)
  const paidTokens = (await world.provider.bill()).batch - billBefore.batch
  await world.checkAndDrop(namesOf(namespace).collection, documents, signal)
  const necessaryTokens = run.tokens
  return { admit, harvest, jobs, rss, ledgerBytesPerOutstanding, paidTokens, necessaryTokens }
}

async function measured(
  world: LaneWorld,
  { pid }: LaneRun,
  documents: number,
  work: () => Promise<void>
): Promise<Measurement> {
  const meter = new CpuMeter(world)
  meter.start(pid)
  const began = performance.now()
  await work()
  const ms = performance.now() - began
  meter.stop()
  return { documentsPerSecond: (documents * 1_000) / ms, cpuUs: meter.perDocument(documents) }
}

/** @returns how many documents are in jobs that the provider has. */
async function submitted({ ledger }: LaneRun, rss: RssByDocuments): Promise<number> {
  const { counts, obligations } = await ledger.survey()
  rss.note(counts.admitted)
  const inJobs = obligations.filter(({ state }) => state === 'submitted')
  return inJobs.reduce((sum, { job }) => sum + (job?.lines ?? 0), 0)
}

async function usedMemory({ env: { REDIS_URL } }: LaneWorld): Promise<number> {
  await delay(settleMs)
  const redis = await openRedis({ REDIS_URL }, text => console.error(text))
  try {
    return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
  } finally {
    await closeRedis(redis)
  }
}
