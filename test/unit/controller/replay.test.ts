import { afterEach, expect, test } from 'vitest'
import { json, local, serveApi } from '../../support/controller-api.ts'
import { documentOf } from '../../support/memory-world.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function serve() {
  const { api, world } = await serveApi()
  cleanUps.push(() => api.close())
  const replay = async (payload: object) => {
    const answer = await api.inject({
      method: 'POST',
      url: '/v1/dead-letters/replay',
      headers: json,
      payload
    })
    return answer.json()
  }
  const count = async () => {
    const bounds = [...(await world.admin.bounds()).values()]
    return bounds.reduce((sum, { end }) => sum + Number(end), 0)
  }
  return { api, world, replay, count }
}

test('a letter that was replayed is not produced a second time: not in flight, and not when it is indexed', async () => {
  const { world, replay, count } = await serve()
  await world.produce(documentOf('a', 'poison'))
  await world.drain(() => 'dead')
  expect(await replay({ all: true })).toEqual({ replayed: 1, sent: ['0-0'], skipped: [] })
  const before = await count()

  await world.drain(() => 'open')
  expect(await replay({ all: true })).toMatchObject({
    replayed: 0,
    skipped: [{ id: '0-0', reason: 'under-way' }]
  })
  const { ledger } = world
  for (const { id, owner } of (await ledger.survey()).obligations) {
    const outcomes = (await ledger.parts(id)).map(part => ({ part, settlement: 'indexed' as const }))
    if (owner) await ledger.settle(id, owner, outcomes, 0)
  }
  expect(await replay({ ids: ['0-0'] })).toMatchObject({
    replayed: 0,
    skipped: [{ id: '0-0', docId: 'a', reason: 'indexed', detail: expect.stringContaining('in the index') }]
  })
  expect(await count()).toBe(before)
})

test('what has a newer version by now is named, also when that is dead or a deletion', async () => {
  const { world, replay } = await serve()
  await world.produce(documentOf('a', 'one'), documentOf('b', 'one'), documentOf('c', 'one'))
  await world.drain(() => 'dead')
  await world.produce(
    documentOf('a', 'two', { version: 2 }),
    documentOf('b', '', { version: 2, deleted: true }),
    documentOf('c', 'other', { version: 1 })
  )
  await world.drain(docId => (docId === 'a' ? 'dead' : 'indexed'))

  const { sent, skipped } = await replay({ all: true })

  // Of "a" the letter of the newer version is sent.
  expect(sent).toHaveLength(1)
  expect(
    skipped.map(({ docId, reason }: { docId: string; reason: string }) => [docId, reason]).sort()
  ).toEqual([
    ['a', 'superseded'],
    ['b', 'superseded'],
    ['c', 'superseded']
  ])
  await world.drain()
  const texts = [...world.store.objects.values()].map(({ properties }) => properties.text)
  expect(texts.sort()).toEqual(['other', 'two'])
})

test('of a document that died again and again one letter is sent', async () => {
  const { world, replay } = await serve()
  await world.produce(documentOf('a', 'poison'))
  await world.drain(() => 'dead')
  await replay({ all: true })
  await world.drain(() => 'dead')

  expect(await replay({ all: true })).toEqual({
    replayed: 1,
    sent: ['0-1'],
    skipped: [{ id: '0-0', docId: 'a', reason: 'repeated', detail: 'the same document as letter 0-1' }]
  })
})

test('a record that cannot be read is named and left out', async () => {
  const { world, replay, count } = await serve()
  world.log.append(0, 'broken', Buffer.from('not a document'))
  await world.drain()
  const before = await count()
  expect(await replay({ all: true })).toMatchObject({
    replayed: 0,
    skipped: [{ docId: 'broken', reason: 'unreadable' }]
  })
  expect(await count()).toBe(before)
})

test('letters are selected by document and by what their reason says', async () => {
  const { api, world, replay } = await serve()
  await world.produce(documentOf('a', 'one'), documentOf('b', 'two'))
  await world.drain(() => 'dead')

  const listed = await api.inject({ url: '/v1/dead-letters?docId=b&reason=PLANT', headers: local })
  expect(listed.json().letters).toMatchObject([{ docId: 'b' }])
  expect(await replay({ all: true, reason: 'no such reason' })).toMatchObject({ replayed: 0, skipped: [] })
  expect(await replay({ all: true, docId: 'b' })).toMatchObject({ replayed: 1 })
  await world.drain()
  expect([...world.store.objects.values()].map(({ properties }) => properties.docId)).toEqual(['b'])
})

test('one unknown id refuses the whole call', async () => {
  const { world, replay, count } = await serve()
  await world.produce(documentOf('a', 'one'))
  await world.drain(() => 'dead')
  const before = await count()
  expect(await replay({ ids: ['0-0', '0-9'] })).toMatchObject({ status: 404, code: 'NO_SUCH_LETTER' })
  expect(await count()).toBe(before)
})
