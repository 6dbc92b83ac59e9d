import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as pass } from 'node:timers/promises'
import type { ManifestState } from '@pointsman/core/ports/ledger'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freezeProcess } from '../../tools/stack/freeze-process.ts'
import { reservePortBlock } from '../../tools/stack/ports.ts'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { batchFailpoints } from '../support/batch-failpoints.ts'
import { admitted, emitAll, firstDocuments, laterDocuments } from '../support/batch-traffic.ts'
import { expectAllIsWell } from '../support/expect-all-is-well.ts'
import { type HoldingProxy, openHoldingProxy } from '../support/holding-proxy.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { aText, aTombstone } from '../support/memory-lane.ts'
import { startOwnServers } from '../support/own-servers.ts'
import { RealLane } from '../support/real-lane.ts'

const servers = injectedServers()
/** Those that come and go: a Redis and a Weaviate of our own. */
let own: Stack

beforeAll(async () => {
  own = await startOwnServers('redis', 'weaviate')
}, 180_000)
afterAll(() => own[Symbol.asyncDispose]())

/** Waits until so many manifests are in that state. */
async function inState(lane: RealLane, state: ManifestState, manifests = 1): Promise<void> {
  await vi.waitFor(
    async () => {
      const { obligations } = await lane.ledger.survey()
      expect(obligations.filter(each => each.state === state).length, lane.said).toBeGreaterThanOrEqual(
        manifests
      )
    },
    { timeout: 40_000, interval: 20 }
  )
}

async function indexedSome(lane: RealLane, documents: number): Promise<void> {
  await vi.waitFor(
    async () => expect((await lane.ledger.survey()).counts.indexed, lane.said).toBeGreaterThan(documents),
    { timeout: 40_000, interval: 20 }
  )
}

/** Jobs that are made from now on run until `letJobsEnd`. */
async function holdJobs({ provider }: RealLane): Promise<void> {
  await provider.put('/turnaround', { kind: 'fixed', seconds: 7_200 })
}

async function letJobsEnd({ provider }: RealLane): Promise<void> {
  await provider.put('/turnaround', { kind: 'none' })
  await provider.put('/clock', { advanceSeconds: 8_000 })
}

test.concurrent('Weaviate is down for two minutes during the harvest: it goes on, and nothing is paid for twice', {
  timeout: 300_000
}, async () => {
  const { WEAVIATE_GRPC_URL, WEAVIATE_URL } = own.env
  await using lane = await RealLane.open({ ...servers, WEAVIATE_GRPC_URL, WEAVIATE_URL }, 0, 'batch')
  await holdJobs(lane)
  const embedder = lane.startEmbedder('one')
  await lane.emit(firstDocuments)
  await admitted(lane, firstDocuments.length)
  await letJobsEnd(lane)
  await indexedSome(lane, 50)
  await own.part('weaviate').kill()
  expect((await lane.ledger.survey()).counts.indexed).toBeLessThan(firstDocuments.length)
  await lane.emit(laterDocuments)
  // The length of the outage is what is shown here, not something that is waited for.
  await pass(120_000)
  await own.part('weaviate').restart()
  await lane.settled(120_000)
  await expectAllIsWell(lane)
  embedder.signal('SIGTERM')
  expect(await embedder.ended, embedder.output()).toBe(0)
})

test.concurrent('one of two instances dies at every failpoint in turn, under steady traffic', {
  timeout: 300_000
}, async () => {
  await using lane = await RealLane.open(servers, 0, 'batch')
  const traffic = new AbortController()
  const emitted = emitSteadily(lane, traffic.signal)
  lane.startEmbedder('steady')
  for (const failpoint of batchFailpoints) {
    const doomed = lane.startEmbedder('doomed', { POINTSMAN_FAILPOINT: `${failpoint}:2` })
    expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
  }
  traffic.abort()
  await emitted
  await expectAllIsWell(lane)
})

/** Rounds of new texts, twins of texts that stay, updates and deletes, each when the one before is admitted. */
async function emitSteadily(lane: RealLane, signal: AbortSignal): Promise<void> {
  let documents = 0
  for (let round = 1; !signal.aborted; round += 1) {
    const records = [
      ...Array.from({ length: 20 }, (_, index) => aText(`stays${round}-${index}`, 1, `${round}, ${index}`)),
      ...Array.from({ length: 10 }, (_, index) =>
        aText(`twin${round}-${index}`, 1, `${round - 1}, ${index}`)
      ),
      ...Array.from({ length: 10 }, (_, index) => aText(`changes${index}`, round, `new ${round}, ${index}`)),
      ...Array.from({ length: 5 }, (_, index) =>
        aText(`goes${round}-${index}`, 1, `short ${round}, ${index}`)
      ),
      ...Array.from({ length: 5 }, (_, index) => aTombstone(`goes${round - 2}-${index}`, 2))
    ]
    await lane.emit(records)
    documents += records.length
    await admitted(lane, documents)
  }
}

test.concurrent('Redis is restarted while jobs run and results come in', async () => {
  await using lane = await RealLane.open({ ...servers, REDIS_URL: own.env.REDIS_URL }, 0, 'batch')
  const embedder = lane.startEmbedder('one')
  const updates = emitAll(lane)
  await indexedSome(lane, 50)
  expect((await lane.ledger.survey()).counts.indexed).toBeLessThan(firstDocuments.length)
  await own.part('redis').kill()
  await own.part('redis').restart()
  await updates
  await expectAllIsWell(lane)
  embedder.signal('SIGTERM')
  expect(await embedder.ended, embedder.output()).toBe(0)
})

test.concurrent('the disk of the embedder is wiped while a job runs, and it goes on on another machine', async () => {
  await using lane = await RealLane.open(servers, 0, 'batch')
  await holdJobs(lane)
  const embedder = lane.startEmbedder('one')
  const updates = emitAll(lane)
  await inState(lane, 'submitted', 2)
  await rm(lane.spoolDir, { recursive: true })
  embedder.signal('SIGKILL')
  await embedder.ended
  lane.startEmbedder('other', { BATCH_SPOOL_DIR: `${lane.spoolDir}/elsewhere` })
  await letJobsEnd(lane)
  await updates
  await expectAllIsWell(lane)
})

test.concurrent('the disk of the embedder is wiped under it: it goes on', async () => {
  await using lane = await RealLane.open(servers, 0, 'batch')
  await holdJobs(lane)
  lane.startEmbedder('one')
  const updates = emitAll(lane)
  await inState(lane, 'submitted', 2)
  await rm(lane.spoolDir, { recursive: true })
  await letJobsEnd(lane)
  await updates
  await expectAllIsWell(lane)
})

/** How an embedder gets into a phase, and what is let go once it was told to stop. */
const phases: Readonly<
  Record<string, (lane: RealLane, wire: HoldingProxy, emitted: Promise<void>) => Promise<() => void>>
> = {
  'fills a manifest': async lane => {
    await admitted(lane, firstDocuments.length)
    await inState(lane, 'open')
    return () => undefined
  },
  uploads: async (_lane, wire) => {
    const call = await wire.hold('POST /v1/files', 'after')
    return () => call.drop()
  },
  'makes a job, which is answered in time': async (_lane, wire) => {
    const call = await wire.hold('POST /v1/batches', 'after')
    return () => call.release()
  },
  'makes a job, which is not answered': async (_lane, wire) => {
    await wire.hold('POST /v1/batches', 'after')
    return () => undefined
  },
  'waits for a job': async lane => {
    await holdJobs(lane)
    await inState(lane, 'submitted')
    return () => undefined
  },
  harvests: async lane => {
    await indexedSome(lane, 20)
    return () => undefined
  }
}

test.concurrent.for(Object.entries(phases))(
  'SIGTERM while it %s: it ends in order, and nothing is lost',
  async ([phase, reach]) => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await using wire = await openHoldingProxy(new URL(lane.provider.url).origin)
    const embedder = lane.startEmbedder('one', {
      OPENAI_BASE_URL: `${wire.origin}/v1`,
      SHUTDOWN_GRACE_MS: '3000'
    })
    const reached = reach(lane, wire, lane.emit(firstDocuments))
    const letGo = await reached
    embedder.signal('SIGTERM')
    letGo()
    expect(await embedder.ended, `${phase}: ${embedder.output()}`).toBe(0)
    expect((await lane.ledger.survey()).instances).toEqual([])

    await letJobsEnd(lane)
    lane.startEmbedder('one')
    await admitted(lane, firstDocuments.length)
    await lane.emit(laterDocuments)
    await expectAllIsWell(lane)
  }
)

/** Where an instance is when it is frozen, and what of its call reaches its goal once another has taken over. */
const pauses: Readonly<
  Record<string, (lane: RealLane, wire: HoldingProxy) => Promise<(() => void) | undefined>>
> = {
  'while its jobs run': async lane => {
    await inState(lane, 'submitted', 2)
    return undefined
  },
  'while it harvests': async lane => {
    await inState(lane, 'submitted', 2)
    await letJobsEnd(lane)
    await indexedSome(lane, 20)
    return undefined
  },
  'between its create call and the provider': async (_lane, wire) => {
    const call = await wire.hold('POST /v1/batches', 'before')
    return () => call.release()
  },
  'between its job and the answer': async (_lane, wire) => {
    const call = await wire.hold('POST /v1/batches', 'after')
    return () => call.release()
  }
}

test.concurrent.for(Object.entries(pauses))(
  'frozen past its lease %s: another takes over, and when it wakes there is one job a manifest',
  async ([phase, reach]) => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await using wire = await openHoldingProxy(new URL(lane.provider.url).origin)
    await holdJobs(lane)
    const frozen = lane.startEmbedder('one', { OPENAI_BASE_URL: `${wire.origin}/v1` })
    const updates = emitAll(lane)
    const letGo = await reach(lane, wire)
    await freezeProcess(frozen.pid)
    lane.startEmbedder('two')
    await ownedBy(lane, 'two')
    letGo?.()
    await letJobsEnd(lane)
    // What it was about to write and to settle is old by then.
    if (phase === 'while it harvests') await updates.then(() => lane.settled())
    frozen.signal('SIGCONT')
    await updates
    await expectAllIsWell(lane)
  }
)

/** Waits until all that is promised is promised by that instance. */
async function ownedBy(lane: RealLane, instance: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { instances, obligations } = await lane.ledger.survey()
      const lives = instances.filter(each => each.instance === instance).map(({ owner }) => owner)
      expect(
        obligations.filter(({ owner }) => owner === undefined || !lives.includes(owner)),
        lane.said
      ).toEqual([])
    },
    { timeout: 40_000, interval: 20 }
  )
}

/** A disk of four megabytes that only this process has, where its spool is. It is gone with it. */
const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const mount = 'mount -t tmpfs -o size=4m tmpfs "$BATCH_SPOOL_DIR" && exec "$@"'
const ownDisk = ['unshare', '--mount', ...asRoot, 'sh', '-c', mount, 'sh']

test.concurrent('a full disk stops admission and not the process, which goes on when there is room', async () => {
  await using lane = await RealLane.open(servers, 0, 'batch')
  await using ports = await reservePortBlock()
  const health = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${ports.first}${path}`)).text()
  const embedder = lane.startEmbedder('one', { HEALTH_PORT: String(ports.first) }, 'batch', ownDisk)
  await vi.waitFor(async () => expect(await health('/readyz'), lane.said).toMatch(/"ready"/), {
    timeout: 20_000
  })
  const filler = `/proc/${embedder.pid}/root${lane.spoolDir}/filler`
  await expect(writeFile(filler, Buffer.alloc(8_000_000, 'x'))).rejects.toThrow('ENOSPC')

  await lane.emit(firstDocuments)
  await vi.waitFor(async () => expect(await health('/readyz'), lane.said).toMatch(/spool: .*ENOSPC/), {
    timeout: 20_000
  })
  await lane.emit(Array.from({ length: 100 }, (_, index) => aText(`more${index}`, 1, `one more, ${index}`)))
  const counted = await lastingCount(async () => (await lane.ledger.survey()).counts.admitted)
  expect(counted).toBeLessThan(firstDocuments.length)
  expect(await health('/healthz')).toContain('alive')

  await rm(filler)
  await expectAllIsWell(lane)
  embedder.signal('SIGTERM')
  expect(await embedder.ended, embedder.output()).toBe(0)
})

/** A count that has not changed for two seconds. */
async function lastingCount(count: () => Promise<number>): Promise<number> {
  const counts: number[] = []
  await vi.waitFor(
    async () => {
      counts.push(await count())
      expect(new Set(counts.slice(-20)).size + (counts.length < 20 ? 1 : 0)).toBe(1)
    },
    { timeout: 20_000, interval: 100 }
  )
  return counts.at(-1) ?? Number.NaN
}
