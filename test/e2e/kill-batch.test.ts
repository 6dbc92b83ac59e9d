import type { ManifestState } from '@pointsman/core/ports/ledger'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { describe, expect, inject, test, vi } from 'vitest'
import { openHoldingProxy } from '../support/holding-proxy.ts'
import { auditJobs, filesLeft } from '../support/job-audit.ts'
import { aText, aTombstone } from '../support/memory-lane.ts'
import { RealLane } from '../support/real-lane.ts'

const servers = {
  KAFKA_BROKERS: inject('kafkaBrokers').join(','),
  SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
  REDIS_URL: inject('redisUrl'),
  WEAVIATE_URL: inject('weaviateUrl'),
  WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
  MINILM_DIR: inject('minilmDir')
}

/** Of the batch lane, with four manifests' worth of texts. */
const first = [
  ...Array.from({ length: 350 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`)),
  ...Array.from({ length: 50 }, (_, index) => aText(`twin${index}`, 1, `text number ${index}`))
]
/** While the first are under way: updates, returns to an old text, twins of what is paid for already, deletes. */
const second = [
  ...Array.from({ length: 60 }, (_, index) => aText(`d${index}`, 2, `text number ${index}, changed`)),
  ...Array.from({ length: 20 }, (_, index) => aText(`d${index}`, 3, `text number ${index}`)),
  ...Array.from({ length: 20 }, (_, index) => aText(`later${index}`, 1, `text number ${index + 200}`)),
  ...Array.from({ length: 30 }, (_, index) => aTombstone(`d${index + 300}`, 2))
]

/**
 * The second come when all of the first are admitted: a text that nobody holds any more when it comes again, its only
 * document being updated, is rightly paid for again.
 */
async function emitAll(lane: RealLane): Promise<void> {
  await lane.emit(first)
  await vi.waitFor(async () => expect((await lane.ledger.survey()).counts.admitted).toBe(first.length), {
    timeout: 60_000,
    interval: 20
  })
  await lane.emit(second)
}

/** All that must hold at the end of every story here. */
async function expectAllIsWell(lane: RealLane): Promise<void> {
  await lane.settled()
  await lane.finished()
  expect(await lane.audit()).toEqual({ lost: [], duplicates: [], stale: [], repeatedPayments: 0 })
  expect(await lane.wrong()).toEqual([])
  const { jobs, ...found } = await auditJobs(lane.provider.client())
  expect(found).toEqual({ repeatedJobs: [], strangers: [] })
  expect(jobs).toBeGreaterThan(0)
}

async function expectState(lane: RealLane, state: ManifestState): Promise<void> {
  const { obligations } = await lane.ledger.survey()
  expect(obligations.map(each => each.state)).toContain(state)
}

/** Files of a process that died before it noted them; one that starts sweeps them. */
async function expectNoFilesLeft(lane: RealLane): Promise<void> {
  lane.startEmbedder('sweeper')
  await vi.waitFor(async () => expect(await filesLeft(lane.provider.client())).toEqual([]), {
    timeout: 20_000,
    interval: 100
  })
}

describe.concurrent('kill -9 of the batch embedder', () => {
  const failpoints: readonly Failpoint[] = [
    'ba.fetch',
    'ba.claim',
    'ba.adopt',
    'ba.seal',
    'ba.file',
    'ba.upload',
    'ba.fileid',
    'ba.create',
    'ba.batchid',
    'ba.download',
    'ba.parse',
    'ba.upsert',
    'ba.mark',
    'ba.commit',
    'ba.archive'
  ]

  test.for(failpoints)(
    'at %s: one job a manifest, nothing lost, nothing paid for twice, no file left',
    async (failpoint, { expect }) => {
      await using lane = await RealLane.open(servers, 0, 'batch')
      const updates = emitAll(lane)
      const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: `${failpoint}:2` })
      expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
      lane.startEmbedder('one')
      await updates
      await expectAllIsWell(lane)
      await expectNoFilesLeft(lane)
    }
  )

  test('between create and its answer: the job is found, and none is made beside it', async () => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await using wire = await openHoldingProxy(new URL(lane.provider.url).origin)
    const overWire = { OPENAI_BASE_URL: `${wire.origin}/v1` }
    const made = wire.hold('POST /v1/batches', 'after')
    const updates = emitAll(lane)
    const doomed = lane.startEmbedder('one', overWire)
    const answer = await made
    await expectState(lane, 'submitting')
    doomed.signal('SIGKILL')
    await doomed.ended
    answer.release()
    lane.startEmbedder('one', overWire)
    await updates
    await expectAllIsWell(lane)
    await expectNoFilesLeft(lane)
  })

  test('between its create call and the provider: the late call makes nothing, another makes the job', async ({
    expect
  }) => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await using wire = await openHoldingProxy(new URL(lane.provider.url).origin)
    const overWire = { OPENAI_BASE_URL: `${wire.origin}/v1` }
    const called = wire.hold('POST /v1/batches', 'before')
    const updates = emitAll(lane)
    const doomed = lane.startEmbedder('one', overWire)
    const call = await called
    await expectState(lane, 'submitting')
    doomed.signal('SIGKILL')
    await doomed.ended
    lane.startEmbedder('one', overWire)
    await updates
    await lane.settled()
    const { jobs } = await auditJobs(lane.provider.client())
    const carriedOut = wire.hold('POST /v1/batches', 'after')
    call.release()
    await carriedOut
    expect((await auditJobs(lane.provider.client())).jobs).toBe(jobs)
    await expectAllIsWell(lane)
    await expectNoFilesLeft(lane)
  })

  test('at ba.dead-letter: the letter is written again under its key, and its job is not repeated', async ({
    expect
  }) => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await lane.emit(first)
    // Longer than the provider takes, whatever its producer counted.
    await lane.emitUnaudited([{ ...aText('bad', 1, 'long '.repeat(9_000).trim()), tokens: 1 }])
    const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: 'ba.dead-letter' })
    expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
    lane.startEmbedder('one')
    await expectAllIsWell(lane)
    await expectNoFilesLeft(lane)
    expect(Object.keys(await lane.givenUp())).toEqual(['bad'])
  })
})

test('a create call of which the answer is lost: the embedder itself finds its job', async () => {
  await using lane = await RealLane.open(servers, 0, 'batch')
  await using wire = await openHoldingProxy(new URL(lane.provider.url).origin)
  const made = wire.hold('POST /v1/batches', 'after')
  const updates = emitAll(lane)
  lane.startEmbedder('one', { OPENAI_BASE_URL: `${wire.origin}/v1` })
  const answer = await made
  answer.drop()
  await updates
  await expectAllIsWell(lane)
  await expectNoFilesLeft(lane)
})
