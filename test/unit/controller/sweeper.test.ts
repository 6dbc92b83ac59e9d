import type { IndexObject } from '@pointsman/core/ports/vector-store'
import type { ObjectId } from '@pointsman/core/domain/identity'
import { Metrics } from '@pointsman/core/runtime/metrics'
import { docKey } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sweepMetrics } from '../../../services/controller/src/sweeper/sweep-metrics.ts'
import { Sweeper } from '../../../services/controller/src/sweeper/sweeper.ts'
import { documentOf, type MemoryWorld } from '../../support/memory-world.ts'
import {
  expectAllWell,
  forget,
  never,
  stateOf,
  textOf,
  unfindable,
  worldWith
} from '../../support/repair-world.ts'

const policy = { pauseMs: 1, restMs: 1, pageObjects: 2 }

function sweeperOf(world: MemoryWorld, trouble = ''): Sweeper {
  const { clock, ledger, store } = world
  return new Sweeper({ clock, ledger, store, trouble: () => trouble, onPage: () => undefined }, policy)
}

async function walk(sweeper: Sweeper): Promise<void> {
  while ((await sweeper.step(never)) === 'page');
}

function olderObject(world: MemoryWorld, docId: string, generation = 1): IndexObject {
  return world.objectOf(documentOf(docId, `old text ${generation}`), generation)
}

function textsOf(world: MemoryWorld): readonly string[] {
  return [...world.store.objects.values()].map(({ properties }) => properties.text).toSorted()
}

describe('the sweeper removes', () => {
  test('what a writer that woke up too late has left, beside the newest content', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'), textOf('c'))
    await world.store.write([olderObject(world, 'a', 1), olderObject(world, 'a', 2)], never)
    const sweeper = sweeperOf(world)
    await walk(sweeper)
    expect(sweeper.report()).toMatchObject({
      walks: 1,
      endedMs: world.clock.now,
      removed: { outlived: 2, deleted: 0 }
    })
    await expectAllWell(world)
  })

  test('what the index lists, though it does not find it by its document', async () => {
    const world = await worldWith(textOf('a', { version: 3 }), textOf('b'))
    const forgotten = olderObject(world, 'a', 1)
    await world.store.write([forgotten], never)
    const { clock, ledger, store } = unfindable(world, [forgotten.id])
    const trouble = { trouble: () => '', onPage: () => undefined }
    await walk(new Sweeper({ clock, ledger, store, ...trouble }, policy))
    await expectAllWell(world)
  })

  test('objects of a deleted document', async () => {
    const world = await worldWith(textOf('a'), documentOf('a', '', { version: 2, deleted: true }))
    await world.store.write([world.objectOf(textOf('a'), 1)], never)
    const sweeper = sweeperOf(world)
    await walk(sweeper)
    expect(sweeper.report().removed).toEqual({ outlived: 0, deleted: 1 })
    await expectAllWell(world)
  })
})

test('of a document that was given up the sweeper keeps the newest object that it has, and no other', async () => {
  const world = await worldWith(textOf('a', { version: 3 }))
  await world.produce(documentOf('a', 'newer', { version: 5 }))
  await world.drain(() => 'dead')
  await world.store.write([olderObject(world, 'a', 1), olderObject(world, 'a', 2)], never)
  const sweeper = sweeperOf(world)
  await walk(sweeper)
  expect(textsOf(world)).toEqual([textOf('a').text])
  expect(sweeper.report().removed).toEqual({ outlived: 2, deleted: 0 })
})

test('the sweeper corrects what was given up, and is there', async () => {
  const world = await worldWith(textOf('a'))
  await world.produce(documentOf('a', 'newer', { version: 2 }))
  await world.drain(() => 'dead')
  await world.store.write([world.objectOf(documentOf('a', 'newer', { version: 2 }))], never)
  const sweeper = sweeperOf(world)
  await walk(sweeper)
  expect(sweeper.report().corrected).toBe(1)
  expect(await world.ledger.latest([docKey('a')])).toMatchObject([{ version: 2, status: 'indexed' }])
  await walk(sweeper)
  expect(textsOf(world)).toEqual(['newer'])
  await expectAllWell(world)
})

describe('the sweeper leaves alone', () => {
  test.each<readonly [string, (world: MemoryWorld) => Promise<void>]>([
    [
      'what is open: the older object is needed until the newer is there',
      async world => {
        await world.produce(documentOf('a', 'newer', { version: 2 }))
        await world.drain(() => 'open')
      }
    ],
    [
      'what is ahead of the ledger',
      async world => {
        await world.store.write([olderObject(world, 'a', 7)], never)
      }
    ],
    [
      'an older object while that of the newest content is missing',
      async world => {
        await forget(world, 'a')
        await world.store.write([olderObject(world, 'a', 0)], never)
      }
    ],
    [
      'what neither ledger nor log knows: only a repair that was asked for may judge it',
      async world => await world.store.write([world.objectOf(textOf('x'))], never).then(() => undefined)
    ],
    [
      'what was given up in a newer version than its object has',
      async world => {
        await world.produce(documentOf('a', 'newer', { version: 2 }))
        await world.drain(() => 'dead')
      }
    ],
    [
      'what is expected in a newer version than its object has',
      async world => {
        const { latest } = stateOf(world)
        const known = latest.get(docKey('a')) ?? expect.unreachable('a is not known')
        latest.set(docKey('a'), { ...known, version: 9, status: 'expected' })
      }
    ]
  ])('%s', async (_, happen) => {
    const world = await worldWith(textOf('a'))
    await happen(world)
    const objects = [...world.store.objects.keys()]
    const latest = await world.ledger.latest([docKey('a')])
    await walk(sweeperOf(world))
    expect([...world.store.objects.keys()]).toEqual(objects)
    expect(await world.ledger.latest([docKey('a')])).toEqual(latest)
  })

  test('what moves while it looks: the next walk will see', async () => {
    const world = await worldWith(textOf('a', { version: 2 }))
    await world.store.write([olderObject(world, 'a')], never)
    const heads = world.store.heads.bind(world.store)
    world.store.heads = async (docIds, signal) => {
      await world.produce(documentOf('a', 'newer', { version: 3 }))
      await world.drain(() => 'open')
      return await heads(docIds, signal)
    }
    await walk(sweeperOf(world))
    expect(world.store.objects.size).toBe(2)
  })
})

describe('the sweeper rests', () => {
  test('while the ledger is rebuilt', async () => {
    const world = await worldWith(textOf('a', { version: 2 }))
    await world.store.write([olderObject(world, 'a')], never)
    const { ledgerId } = await world.ledger.state()
    await world.ledger.distrust(ledgerId, 'lost')
    await world.ledger.open('realtime')
    const sweeper = sweeperOf(world)
    expect(await sweeper.step(never)).toBe('resting')
    expect(sweeper.report().resting).toBe('the ledger is rebuilt')
    expect(world.store.objects.size).toBe(2)
  })

  test('while a part is not ready, or does not answer, and goes on afterwards where it stood', async () => {
    const world = await worldWith(textOf('a'), textOf('b'), textOf('c'))
    expect(await sweeperOf(world, 'weaviate is away').step(never)).toBe('resting')
    const sweeper = sweeperOf(world)
    expect(await sweeper.step(never)).toBe('page')
    world.store.setDown(true)
    expect(await sweeper.step(never)).toBe('resting')
    expect(sweeper.report()).toMatchObject({ resting: 'the store does not answer', objects: 2 })
    world.store.setDown(false)
    expect(await sweeper.step(never)).toBe('page')
    expect(sweeper.report()).toMatchObject({ resting: '', objects: 3 })
    expect(await sweeper.step(never)).toBe('ended')
  })
})

test('two sweepers at once do no harm, whatever they find, and while documents move', async () => {
  const kinds = ['older', 'deleted', 'given up', 'updated meanwhile'] as const
  const anything = fc.asyncProperty(
    fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 6 }),
    fc.scheduler(),
    async (found, scheduler) => {
      const world = await worldWith(...found.map((_, index) => textOf(`doc-${index}`, { version: 2 })))
      for (const [index, kind] of found.entries()) {
        const docId = `doc-${index}`
        if (kind === 'deleted') await world.produce(documentOf(docId, '', { version: 3, deleted: true }))
        await world.drain()
        if (kind === 'given up') {
          await world.produce(documentOf(docId, 'newest', { version: 3 }))
          await world.drain(() => 'dead')
          await world.store.write([world.objectOf(documentOf(docId, 'newest', { version: 3 }))], never)
        } else await world.store.write([olderObject(world, docId)], never)
      }
      const { clock, ledger, store } = world
      const slow = {
        state: () => ledger.state(),
        latest: scheduler.scheduleFunction(async (keys: Parameters<typeof ledger.latest>[0]) =>
          ledger.latest(keys)
        ),
        correct: scheduler.scheduleFunction(async (all: Parameters<typeof ledger.correct>[0]) =>
          ledger.correct(all)
        )
      }
      const slowStore = {
        page: (after: ObjectId | undefined, limit: number) => store.page(after, limit, never),
        // As if no search found any of them: all are written again, also what was removed in between.
        existing: async (ids: readonly ObjectId[]) => {
          const unseen = ids.flatMap(id => store.objects.get(id) ?? [])
          await scheduler.schedule(Promise.resolve())
          await store.write(unseen, never)
          return new Set(ids)
        },
        heads: scheduler.scheduleFunction(async (docIds: readonly string[]) => store.heads(docIds, never)),
        remove: scheduler.scheduleFunction(async (ids: readonly ObjectId[]) => store.remove(ids, never))
      }
      const sweepers = [1, 2].map(
        () =>
          new Sweeper(
            { clock, ledger: slow, store: slowStore, trouble: () => '', onPage: () => undefined },
            policy
          )
      )
      const update = scheduler.schedule(Promise.resolve()).then(async () => {
        for (const [index, kind] of found.entries()) {
          if (kind !== 'updated meanwhile') continue
          await world.produce(documentOf(`doc-${index}`, 'moved on', { version: 4 }))
        }
        await world.drain()
      })
      await scheduler.waitFor(Promise.all([...sweepers.map(walk), update]))

      for (const sweeper of sweepers) {
        await scheduler.waitFor(walk(sweeper))
        await scheduler.waitFor(walk(sweeper))
      }
      await expectAllWell(world)
    }
  )
  await fc.assert(anything, { numRuns: 40 })
})

test('what the sweeper does is counted', async () => {
  const world = await worldWith(textOf('a', { version: 2 }))
  await world.store.write([olderObject(world, 'a')], never)
  const metrics = new Metrics('controller')
  const { clock, ledger, store } = world
  const sweeper = new Sweeper(
    { clock, ledger, store, trouble: () => '', onPage: sweepMetrics(metrics) },
    policy
  )
  await walk(sweeper)
  const { body } = await metrics.render()
  expect(body).toContain('pointsman_sweeper_removed_total{reason="outlived",service="controller"} 1')
  expect(body).toContain('pointsman_sweeper_walks_total{service="controller"} 1')
  expect(body).toContain('pointsman_sweeper_objects_total{service="controller"} 2')
})
