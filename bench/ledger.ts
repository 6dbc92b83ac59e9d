// What the ledger costs: memory for each document it knows and for each that is outstanding, and how many documents a
// second it admits and settles with every write on disk (appendfsync always). One Redis of its own.
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Digest, ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Candidate, Ledger, Part, SettleOutcome, Slice } from '@pointsman/core/ports/ledger'
import type { Bench } from './bench.ts'
import { startStack } from '../tools/stack/start-stack.ts'

type Redis = Awaited<ReturnType<typeof openRedis>>

const documents = 1_000_000
const outstandingDocuments = 200_000
/** What the provider takes in one job. */
const manifestDocuments = 50_000
const sliceDocuments = 256
const partitionCount = 8
/** Calls in flight, as an embedder has them. */
const lanesOfWork = 4
const namespace = 'pointsman'
const version = 1_795_000_000_000

export const bench: Bench = async ({ say, signal }) => {
  await using stack = await startStack({ parts: ['redis'], log: say, signal })
  const redis = await openRedis({ REDIS_URL: stack.env.REDIS_URL }, say)
  try {
    say(`admit and settle ${documents} documents`)
    const settled = await measureSettled(redis, say)
    say(`admit ${outstandingDocuments} documents and leave them outstanding`)
    const bytesPerOutstanding = await measureOutstanding(redis)
    say(`admit ${outstandingDocuments} documents into manifests, and one that is taken over`)
    const bytesPerBatchOutstanding = await measureManifests(redis)
    return { ...settled, bytesPerOutstanding, bytesPerBatchOutstanding, ...(await measureManifest(redis)) }
  } finally {
    await closeRedis(redis)
  }
}

async function measureSettled(redis: Redis, say: (line: string) => void): Promise<Record<string, number>> {
  const run = await openRun(redis)
  const before = await usedMemory(redis)
  const cpuBefore = await cpuSeconds(redis)
  const startedMs = performance.now()
  const admitMs: number[] = []
  await eachSlice(documents, async (slice, number) => {
    const id = `${run.owner}.${number}` as ObligationId
    const callMs = performance.now()
    const outcomes = await admitSlice(run, id, slice)
    admitMs.push(performance.now() - callMs)
    await run.ledger.settle(id, run.owner, outcomes, 0)
    if (number % 500 === 0) say(`${number * sliceDocuments} documents`)
  })
  const seconds = (performance.now() - startedMs) / 1000
  const cpu = (await cpuSeconds(redis)) - cpuBefore
  const after = await usedMemory(redis)

  const { counts } = await run.ledger.survey()
  if (counts.indexed !== documents || counts.processed !== documents) {
    throw new Error(`only ${counts.indexed} of ${documents} documents were indexed`)
  }
  await removeKeys(redis, `{${namespace}}:processed:*`)
  const withoutProcessed = await usedMemory(redis)
  await removeKeys(redis, `{${namespace}}:*`)
  admitMs.sort((a, b) => a - b)
  return {
    documents,
    documentsPerSecond: Math.round(documents / seconds),
    redisCpuMicrosPerDocument: round((cpu * 1e6) / documents),
    admitP50Ms: round(admitMs[Math.floor(admitMs.length * 0.5)] ?? 0),
    admitP99Ms: round(admitMs[Math.floor(admitMs.length * 0.99)] ?? 0),
    ledgerBytesPerDocument: round((after - before) / documents),
    processedBytesPerHash: round((after - withoutProcessed) / documents)
  }
}

async function measureOutstanding(redis: Redis): Promise<number> {
  const run = await openRun(redis)
  const before = await usedMemory(redis)
  await eachSlice(outstandingDocuments, async (slice, number) => {
    await admitSlice(run, `${run.owner}.${number}` as ObligationId, slice)
  })
  const after = await usedMemory(redis)
  await removeKeys(redis, `{${namespace}}:*`)
  return round((after - before) / outstandingDocuments)
}

/** As many documents as `measureOutstanding`, in manifests as large as jobs. */
async function measureManifests(redis: Redis): Promise<number> {
  const run = await openRun(redis)
  const before = await usedMemory(redis)
  await eachSlice(outstandingDocuments, async (slice, number) => {
    const manifest =
      `${run.owner}.m${Math.floor((number * sliceDocuments) / manifestDocuments)}` as ObligationId
    await admitSlice(run, `${run.owner}.${number}` as ObligationId, slice, manifest)
  })
  const after = await usedMemory(redis)
  await removeKeys(redis, `{${namespace}}:*`)
  return round((after - before) / outstandingDocuments)
}

/** One manifest as large as a job, in a ledger that knows nothing else: what it takes, and for how long each transition of it keeps everybody else waiting. */
async function measureManifest(redis: Redis): Promise<Record<string, number>> {
  const run = await openRun(redis)
  const manifest = `${run.owner}.manifest` as ObligationId
  const before = await usedMemory(redis)
  await eachSlice(manifestDocuments, async (slice, number) => {
    await admitSlice(run, `${run.owner}.${number}` as ObligationId, slice, manifest)
  })
  const after = await usedMemory(redis)

  await redis.config('SET', 'slowlog-log-slower-than', 0)
  await redis.slowlog('RESET')
  const { ledger, owner } = run
  await ledger.survey()
  const surveyMs = await longestScriptMs(redis)
  await ledger.parts(manifest)
  const partsPageMs = await longestScriptMs(redis)
  await ledger.release(owner)
  const { owner: heir } = await ledger.register({ instance: 'heir', service: 'bench', leaseMs: 3_600_000 })
  await longestScriptMs(redis)
  const claim = { owner: heir, epoch: 1, lane: 'realtime' as const }
  await ledger.takeover(manifest, claim)
  const manifestTakeoverMs = await longestScriptMs(redis)
  await ledger.switchLanes({
    expectedEpoch: 1,
    epoch: 2,
    lanes: new Map(),
    defaultLane: 'realtime',
    release: 'open'
  })
  const switchMs = await longestScriptMs(redis)
  const taken = await ledger.takeover(manifest, { ...claim, epoch: 2 })
  const orphanTakeoverMs = await longestScriptMs(redis)
  if (taken.kind !== 'taken' || taken.parts.length !== manifestDocuments) {
    throw new Error(`the orphan was ${taken.kind}, or not whole`)
  }
  const named = taken.parts.slice(0, sliceDocuments)
  const to = { id: `${heir}.1` as ObligationId, kind: 'request' as const }
  await ledger.move(manifest, heir, named, to, { reason: '', delayMs: 0, attempts: 0, failures: 0 })
  const moveMs = await longestScriptMs(redis)
  await removeKeys(redis, `{${namespace}}:*`)
  return {
    bytesPerBatchOutstandingAlone: round((after - before) / manifestDocuments),
    surveyMs,
    partsPageMs,
    manifestTakeoverMs,
    switchMs,
    orphanTakeoverMs,
    moveMs
  }
}

/** Of the scripts that ran since this was asked last. */
async function longestScriptMs(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 1000)) as unknown as readonly (readonly [
    number,
    number,
    number
  ])[]
  await redis.slowlog('RESET')
  return round(Math.max(0, ...entries.map(([, , micros]) => micros)) / 1000)
}

interface Run {
  readonly ledger: Ledger
  readonly owner: OwnerId
}

async function openRun(redis: Redis): Promise<Run> {
  const ledger = new RedisLedger(redis, namespace)
  await ledger.open('realtime')
  for (let partition = 0; partition < partitionCount; partition++) await ledger.openPartition(partition, 0n)
  const { owner } = await ledger.register({ instance: 'bench', service: 'bench', leaseMs: 3_600_000 })
  return { ledger, owner }
}

/** Each lane of work has partitions of its own, since slices of one partition are admitted one after the other. */
async function eachSlice(
  total: number,
  work: (slice: Slice, number: number) => Promise<void>
): Promise<void> {
  const slices = Math.ceil(total / sliceDocuments)
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < slices; number += lanesOfWork) {
      const size = Math.min(sliceDocuments, total - number * sliceDocuments)
      const partition = number % partitionCount
      const from = BigInt(Math.floor(number / partitionCount) * sliceDocuments)
      const candidates = Array.from({ length: size }, (_, index) =>
        candidateOf(number * sliceDocuments + index, from + BigInt(index))
      )
      await work({ partition, from, to: from + BigInt(size), candidates }, number)
    }
  }
  await Promise.all(Array.from({ length: lanesOfWork }, (_, first) => lane(first)))
}

function candidateOf(document: number, offset: bigint): Candidate {
  return {
    offset,
    docKey: digest(`document ${document}`),
    version: version + document,
    content: digest(`content ${document}`),
    metadataHash: document,
    tokens: 130
  }
}

function digest(text: string): Digest {
  return hash('sha256', text, 'hex').slice(0, 24) as Digest
}

async function admitSlice(
  run: Run,
  obligation: ObligationId,
  slice: Slice,
  manifest?: ObligationId
): Promise<SettleOutcome[]> {
  const reply = await run.ledger.admit({
    ...(manifest === undefined ? {} : { manifest }),
    epoch: 1,
    lane: 'realtime',
    owner: run.owner,
    obligation,
    slices: [slice]
  })
  if (reply.kind !== 'admitted') throw new Error(`refused: ${reply.kind}`)
  return slice.candidates.flatMap((candidate, index) => {
    const verdict = reply.verdicts[0]?.[index]
    if (verdict?.kind !== 'part') throw new Error(`document ${candidate.offset} is ${verdict?.kind}`)
    const { offset, docKey, content, tokens } = candidate
    const { action, generation, replaces } = verdict
    const { partition } = slice
    const part: Part = {
      partition,
      offset,
      docKey,
      content,
      generation,
      action,
      replaces,
      tokens,
      failures: 0
    }
    return [{ part, settlement: 'indexed' as const }]
  })
}

/** When buffers of answered calls are given back. */
async function usedMemory(redis: Redis): Promise<number> {
  await delay(1000)
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
}

/** What the server worked: unlike the rate, it says something also on a computer that others use. */
async function cpuSeconds(redis: Redis): Promise<number> {
  const told = await redis.info('cpu')
  const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1])
  return read('used_cpu_user') + read('used_cpu_sys')
}

async function removeKeys(redis: Redis, pattern: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: pattern, count: 10_000 })) {
    if (keys.length > 0) await redis.del(...(keys as string[]))
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
