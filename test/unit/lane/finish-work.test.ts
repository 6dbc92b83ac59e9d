import type { Digest } from '@pointsman/core/domain/identity'
import { finishWork } from '@pointsman/core/lane/finish-work'
import type { StreamDeps } from '@pointsman/core/lane/lane-stream'
import { Disowned } from '@pointsman/core/lane/vector-source'
import type { Item } from '@pointsman/core/lane/work'
import { expect, test, vi } from 'vitest'
import { aText, MemoryLane } from '../../support/memory-lane.ts'
import { aSource, plainLane } from '../../support/plain-lane.ts'

const never = new AbortController().signal

test('what its source gave away is left alone, also by who joined it meanwhile, and the source is released', async () => {
  await using world = new MemoryLane()
  const { ledger } = world
  const released = vi.fn<() => void>()
  const obtain = vi.fn<() => Promise<object>>(async () => {
    await world.emit(aText('twin', 1, 'words'))
    await vi.waitFor(async () => expect((await ledger.survey()).counts.share).toBe(1))
    return {}
  })
  world.startLane(
    plainLane(() => ({ sourceOf: () => aSource(obtain, released) })),
    'one',
    {}
  )
  await world.emit(aText('a', 1, 'words'))
  await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1))

  expect(obtain).toHaveBeenCalledTimes(1)
  const [obligation] = (await ledger.survey()).obligations
  expect([...obligation!.parts.values()].reduce((sum, parts) => sum + parts, 0)).toBe(2)
  expect(world.store.objects.size).toBe(0)
})

test('who joins while the vector is obtained is served with it, without asking the source again', async () => {
  await using world = new MemoryLane()
  const { ledger } = world
  const plain = aSource()
  const obtain = vi.fn<typeof plain.obtain>(async (wanted, signal) => {
    await world.emit(aText('twin', 1, 'words'))
    await vi.waitFor(async () => expect((await ledger.survey()).counts.share).toBe(1))
    return plain.obtain(wanted, signal)
  })
  world.startLane(
    plainLane(() => ({ sourceOf: () => ({ ...plain, obtain }) })),
    'one',
    {}
  )
  await world.emit(aText('a', 1, 'words'))
  await vi.waitFor(() => expect(world.texts()).toEqual({ a: ['words'], twin: ['words'] }))
  await world.settled()

  expect(obtain).toHaveBeenCalledTimes(1)
})

test('a text that its source calls dead becomes a dead letter with the reason', async () => {
  await using world = new MemoryLane()
  const source = aSource(async wanted => ({ dead: new Map(wanted.map(content => [content, 'unfit'])) }))
  world.startLane(
    plainLane(() => ({ sourceOf: () => source })),
    'one',
    {}
  )
  await world.emit(aText('a', 1, 'words'))
  await world.settled()

  expect(world.log.letters.map(({ key, reason }) => [key, reason])).toEqual([['a', 'unfit']])
})

test('an obligation that is somebody else’s by now is left to him', async () => {
  await using world = new MemoryLane()
  const released = vi.fn<() => void>()
  const source = aSource(() => Promise.reject(new Disowned('not ours any more')), released)
  const { warnings } = world.startLane(
    plainLane(() => ({ sourceOf: () => source })),
    'one',
    {}
  )
  await world.emit(aText('a', 1, 'words'))
  await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1))

  expect(warnings).toContain('not ours any more')
})

test('work that waited asks only for newer contents, not what stands in the index', async () => {
  await using world = new MemoryLane()
  const { ledger, store } = world
  const items: Item[] = []
  let deps: StreamDeps | undefined
  const idle = plainLane(given => {
    deps = given
    return {
      admitted: admitted => {
        items.push(...admitted)
        return []
      }
    }
  })
  world.startLane(idle, 'one', {})
  await world.emit(aText('a', 1, 'first'), aText('b', 1, 'other'))
  await vi.waitFor(() => expect(items).toHaveLength(2))
  await world.emit(aText('a', 2, 'second'))
  await vi.waitFor(() => expect(items).toHaveLength(3))
  const existing = vi.spyOn(store, 'existing')
  const vectors = vi.spyOn(store, 'vectors')
  const asked: Digest[] = []
  const plain = aSource()
  const source = aSource(async wanted => {
    asked.push(...wanted)
    return plain.obtain(new Map(wanted.map(content => [content, []])), never)
  })
  for (const { id, owner } of (await ledger.survey()).obligations) {
    const held = await ledger.parts(id)
    const own = items.filter(({ part }) =>
      held.some(({ offset, partition }) => offset === part.offset && partition === part.partition)
    )
    await finishWork(
      { obligation: id, owner: owner!, attempts: 0, items: own, lookUp: 'latest' },
      source,
      deps!,
      never
    )
  }
  await world.settled()

  expect(world.texts()).toEqual({ a: ['second'], b: ['other'] })
  expect(asked).toHaveLength(2)
  expect([existing, vectors].map(spy => spy.mock.calls.length)).toEqual([0, 0])
})
