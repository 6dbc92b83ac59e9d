import type { ManifestState } from '@pointsman/core/ports/ledger'
import { describe, expect, test } from 'vitest'
import { batchFailpoints } from '../support/batch-failpoints.ts'
import { emitAll, firstDocuments } from '../support/batch-traffic.ts'
import { expectAllIsWell } from '../support/expect-all-is-well.ts'
import { openHoldingProxy } from '../support/holding-proxy.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { auditJobs } from '../support/job-audit.ts'
import { aText } from '../support/memory-lane.ts'
import { RealLane } from '../support/real-lane.ts'

const servers = injectedServers()

async function expectState(lane: RealLane, state: ManifestState): Promise<void> {
  const { obligations } = await lane.ledger.survey()
  expect(obligations.map(each => each.state)).toContain(state)
}

describe.concurrent('kill -9 of the batch embedder', () => {
  test.for(batchFailpoints)(
    'at %s: one job a manifest, nothing lost, nothing paid for twice, no file left',
    async (failpoint, { expect }) => {
      await using lane = await RealLane.open(servers, 0, 'batch')
      const updates = emitAll(lane)
      const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: `${failpoint}:2` })
      expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
      lane.startEmbedder('one')
      await updates
      await expectAllIsWell(lane)
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
  })

  test('at ba.dead-letter: the letter is written again under its key, and its job is not repeated', async ({
    expect
  }) => {
    await using lane = await RealLane.open(servers, 0, 'batch')
    await lane.emit(firstDocuments)
    // Longer than the provider takes, whatever its producer counted.
    await lane.emitUnaudited([{ ...aText('bad', 1, 'long '.repeat(9_000).trim()), tokens: 1 }])
    const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: 'ba.dead-letter' })
    expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
    lane.startEmbedder('one')
    await expectAllIsWell(lane)
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
})
