import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { freezeProcess } from '../../tools/stack/freeze-process.ts'
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

/** A thousand documents with everything that happens to documents: updates, twins, returns to an old text, deletes. */
const documents = [
  ...Array.from({ length: 700 }, (_, index) =>
    aText(`d${index}`, 1, `text number ${index} of the first version`)
  ),
  ...Array.from({ length: 100 }, (_, index) =>
    aText(`twin${index}`, 1, `text number ${index} of the first version`)
  ),
  ...Array.from({ length: 100 }, (_, index) => aText(`d${index}`, 2, `text number ${index}, changed`)),
  ...Array.from({ length: 50 }, (_, index) =>
    aText(`d${index}`, 3, `text number ${index} of the first version`)
  ),
  ...Array.from({ length: 50 }, (_, index) => aTombstone(`d${index + 600}`, 2))
]

let lane: RealLane

beforeEach(async () => {
  lane = await RealLane.open(servers)
})
afterEach(() => lane[Symbol.asyncDispose]())

describe('kill -9 of the embedder', () => {
  const failpoints: readonly Failpoint[] = [
    'rt.fetch',
    'rt.claim',
    'rt.pay',
    'rt.response',
    'rt.upsert',
    'rt.mark',
    'rt.commit'
  ]

  test.each(failpoints)(
    'at %s loses nothing, doubles nothing, and costs at most the published k',
    async failpoint => {
      await lane.emit(documents)
      const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: `${failpoint}:3` })
      expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
      const k = await lane.inputsAtRisk()
      lane.startEmbedder('one')
      await lane.settled()

      const { repeatedPayments, ...found } = await lane.audit()
      expect(found).toEqual({ lost: [], duplicates: [], stale: [] })
      expect(repeatedPayments).toBeLessThanOrEqual(k)
    }
  )

  test('at rt.dead-letter repeats the letter under its key, and settles it', async () => {
    await lane.provider.put('/faults', { seed: 1, rules: [{ kind: 'poisoned_input', containing: 'poison' }] })
    const good = Array.from({ length: 20 }, (_, index) => aText(`good${index}`, 1, `good text ${index}`))
    await lane.emit(good)
    await lane.emitUnaudited([aText('bad', 1, 'poison in this text')])
    const doomed = lane.startEmbedder('one', { POINTSMAN_FAILPOINT: 'rt.dead-letter' })
    expect(await doomed.ended, doomed.output()).toBe('SIGKILL')
    lane.startEmbedder('one')
    await lane.settled()

    expect(await lane.audit()).toMatchObject({ lost: [], duplicates: [], repeatedPayments: 0 })
    expect((await lane.ledger.survey()).counts.dead).toBe(1)
  })

  test('while requests are paid and unanswered costs at most their inputs', async () => {
    await lane.provider.put('/latency', { kind: 'fixed', ms: 3_000 })
    await lane.emit(documents)
    const doomed = lane.startEmbedder('one')
    await vi.waitFor(async () => expect(await lane.inputsAtRisk()).toBeGreaterThan(200), { timeout: 20_000 })
    doomed.signal('SIGKILL')
    await doomed.ended
    const k = await lane.inputsAtRisk()
    await lane.provider.put('/latency', { kind: 'fixed', ms: 50 })
    lane.startEmbedder('two')
    await lane.settled()

    const { repeatedPayments, ...found } = await lane.audit()
    expect(found).toEqual({ lost: [], duplicates: [], stale: [] })
    expect(repeatedPayments).toBeGreaterThan(0)
    expect(repeatedPayments).toBeLessThanOrEqual(k)
  })

  test('in the middle of its writes leaves nothing stored that no search finds, once the sweeper has come round', async () => {
    await lane.emit(
      Array.from({ length: 2_000 }, (_, index) => aText(`w${index}`, 1, `words of text ${index}`))
    )
    for (const indexed of [200, 600, 1_000]) {
      const doomed = lane.startEmbedder('one')
      await vi.waitFor(
        async () => expect((await lane.ledger.survey()).counts.indexed).toBeGreaterThan(indexed),
        { timeout: 30_000, interval: 20 }
      )
      doomed.signal('SIGKILL')
      await doomed.ended
    }
    lane.startEmbedder('one')
    await lane.settled()

    const { repeatedPayments: _, ...found } = await lane.audit()
    expect(found).toEqual({ lost: [], duplicates: [], stale: [] })
    // What was in doubt is looked at by whoever takes it over. A neighbour of it may have fallen out of reach later.
    await lane.swept()
    expect(await lane.unseen()).toEqual([])
    expect((await lane.audit()).lost).toEqual([])
  })

  test('frozen past its lease: another takes over, and what it does when it wakes is refused', async () => {
    await lane.provider.put('/latency', { kind: 'fixed', ms: 1_000 })
    await lane.emit(documents)
    const frozen = lane.startEmbedder('one')
    await vi.waitFor(async () => expect(await lane.inputsAtRisk()).toBeGreaterThan(100), { timeout: 20_000 })
    await freezeProcess(frozen.pid)
    const k = await lane.inputsAtRisk()
    await lane.provider.put('/latency', { kind: 'fixed', ms: 50 })
    lane.startEmbedder('two')
    await vi.waitFor(
      async () => expect((await lane.ledger.survey()).counts.admitted).toBe(documents.length),
      { timeout: 40_000 }
    )
    frozen.signal('SIGCONT')
    await lane.settled()

    const { repeatedPayments, ...found } = await lane.audit()
    expect(found).toEqual({ lost: [], duplicates: [], stale: [] })
    expect(repeatedPayments).toBeLessThanOrEqual(k)
  })
})

test('SIGTERM settles what is in flight, commits, and leaves nothing to take over', async () => {
  await lane.emit(documents)
  const embedder = lane.startEmbedder('one')
  await vi.waitFor(async () => expect((await lane.ledger.survey()).counts.indexed).toBeGreaterThan(0), {
    timeout: 20_000
  })
  embedder.signal('SIGTERM')
  expect(await embedder.ended, embedder.output()).toBe(0)
  const { instances, obligations } = await lane.ledger.survey()
  expect([instances, obligations]).toEqual([[], []])
  lane.startEmbedder('one')
  await lane.settled()

  expect(await lane.audit()).toEqual({ lost: [], duplicates: [], stale: [], repeatedPayments: 0 })
})
