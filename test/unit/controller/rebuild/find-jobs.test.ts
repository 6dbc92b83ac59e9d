// What the provider knows of jobs when the ledger that made them is gone: late lists, late files, late calls.
import type { Document } from '@pointsman/core/domain/document'
import { Failure } from '@pointsman/core/domain/failure'
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import { paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { expect, test } from 'vitest'
import { type FoundJobs, findJobs } from '../../../../services/controller/src/rebuild/find-jobs.ts'
import { documentOf } from '../../../support/memory-world.ts'
import { RebuildWorld } from '../../../support/rebuild-world.ts'

const never = new AbortController().signal

const documents = Array.from({ length: 4 }, (_, index) => documentOf(`d${index}`, `text ${index}`))

const find = async (of: RebuildWorld, deletedInputs = new Map(), parts = of.parts()): Promise<FoundJobs> => {
  await parts.ledger.open('realtime', 'lost')
  return findJobs(
    parts,
    { ledgerIds: new Set(['the lost one']), listGraceMs: 1_000, deletedInputs },
    async () => {},
    never
  )
}

/** The texts that a job is to bring, by the name of its manifest. */
function sourcesOf(of: RebuildWorld, { jobs, sources }: FoundJobs): Readonly<Record<string, string>> {
  const texts = new Map(documents.map(({ text }) => [paymentKey(of.world.spec, textHash(text)), text]))
  return Object.fromEntries(
    [...sources].map(([content, place]) => [
      texts.get(content) ?? content,
      jobs[place]?.manifest ?? 'no manifest'
    ])
  )
}

test('a job that the list shows only when its input was deleted is known by what was read before', async () => {
  const of = new RebuildWorld()
  const batchId = await of.job('1.1.1', documents)
  of.world.provider.server.advance(batchId, 'in_progress')
  of.world.provider.fail('jobs', { kind: 'blind' })
  const found = await find(of)

  expect(of.world.provider.server.inputs.size).toBe(0)
  expect(found.jobs).toMatchObject([{ manifest: '1.1.1', job: { batchId, lines: 4 } }])
  expect(Object.values(sourcesOf(of, found))).toEqual(['1.1.1', '1.1.1', '1.1.1', '1.1.1'])
})

test('what was read before is known also when the search fails and is begun again', async () => {
  const of = new RebuildWorld()
  const { provider } = of.world
  provider.server.advance(await of.job('1.1.1', documents), 'in_progress')
  const away = new Failure('EMBED_UNAVAILABLE', 'away')
  provider.fail('jobs', { kind: 'blind' }, { kind: 'refused', failure: away }, { kind: 'blind' })
  const deletedInputs = new Map<string, readonly Digest[]>()
  await expect(find(of, deletedInputs)).rejects.toBe(away)
  expect(provider.server.inputs.size).toBe(0)

  expect((await find(of, deletedInputs)).sources.size).toBe(4)
})

test('a file without a job is deleted, so that a call that comes late makes nothing', async () => {
  const of = new RebuildWorld()
  const { names, world } = of
  const fileId = await of.upload('1.1.1', documents)
  expect(await find(of)).toEqual({ jobs: [], sources: new Map() })

  const manifest = '1.1.1' as ObligationId
  const key = { namespace: names.namespace, ledger: 'the lost one', manifest, create: 1 }
  await world.provider.create(key, fileId, never)
  world.provider.server.finishAll()
  expect(world.provider.server.jobs.map(({ status }) => status)).toEqual(['failed'])
  expect(world.provider.server.paidTokens).toBe(0)
})

test('a job that has ended and does not name its files yet may bring all of its texts', async () => {
  const of = new RebuildWorld()
  of.world.provider.server.plan({ lateFiles: 5 })
  const batchId = await of.job('1.1.1', documents)
  of.world.provider.server.finishAll()
  const found = await find(of)

  expect(found.jobs).toMatchObject([{ job: { batchId, status: 'completed' } }])
  expect(found.sources.size).toBe(4)
})

test('of a job that has ended only what has come out counts, and goes before what may come', async () => {
  const of = new RebuildWorld()
  const { server } = of.world.provider
  server.plan({ ending: 'expired', share: 0.5 }, {})
  const ended = await of.job('1.1.1', documents)
  server.finishAll()
  await of.job('1.1.2', documents)
  const found = await find(of)

  expect(found.jobs.map(({ job }) => [job.batchId === ended, job.lines])).toEqual([
    [true, 4],
    [false, 4]
  ])
  expect(sourcesOf(of, found)).toEqual({
    'text 0': '1.1.1',
    'text 1': '1.1.1',
    'text 2': '1.1.2',
    'text 3': '1.1.2'
  })
})

test('a file that comes short makes the search begin again, and loses nothing', async () => {
  const of = new RebuildWorld()
  await of.job('1.1.1', documents)
  of.world.provider.fail('contents', { kind: 'cut' })
  await expect(find(of)).rejects.toMatchObject({ code: 'EMBED_UNAVAILABLE' })
  expect((await find(of)).sources.size).toBe(4)
})

test.each([
  ['another namespace', 'of others', 'the lost one'],
  ['another installation with this namespace', 'test', 'theirs']
])('jobs of %s are left alone, and so are their files', async (_, namespace, ledger) => {
  const of = new RebuildWorld()
  const { provider, spec } = of.world
  const manifest = '1.1.1' as ObligationId
  const key = { namespace, ledger, manifest, create: 1 }
  const line = ({ text }: Document, offset: number) => {
    const content: Digest = paymentKey(spec, textHash(text))
    return { content, partition: 0, offset: BigInt(offset), text }
  }
  async function* lines() {
    await Promise.resolve()
    yield* documents.map(line)
  }
  const { fileId } = await provider.upload(key, lines(), never)
  await provider.create(key, fileId, never)

  expect((await find(of)).jobs).toEqual([])
  expect([...provider.server.inputs.keys()]).toEqual([fileId])
})

test('a job that is listed within the grace keeps its file: nobody has to remember what it is about', async () => {
  const of = new RebuildWorld()
  const batchId = await of.job('1.1.1', documents)
  of.world.provider.server.advance(batchId, 'in_progress')
  const parts = of.parts()
  let isListed = false
  const provider = new Proxy(parts.provider, {
    get: (target, name) => {
      if (name === 'jobs' && !isListed) return async () => []
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
  const clock = {
    ...parts.clock,
    sleep: async () => {
      isListed = true
    }
  }
  const found = await find(of, new Map(), { ...parts, clock, provider })
  expect(of.world.provider.server.inputs.size).toBe(1)
  expect(found.jobs).toMatchObject([{ manifest: '1.1.1', job: { batchId, lines: 4 } }])
})
