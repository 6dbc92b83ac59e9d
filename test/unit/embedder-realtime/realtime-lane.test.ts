import { Failure } from '@pointsman/core/domain/failure'
import { expect, test, vi } from 'vitest'
import { aText, aTombstone, MemoryLane } from '../../support/memory-lane.ts'

const payments = (lane: MemoryLane): readonly number[] => [...lane.embedder.payments.values()]

test('indexes every document, pays for each text one time, and commits to the end of the log', async () => {
  await using world = new MemoryLane()
  world.start('one')
  const documents = Array.from({ length: 200 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`))
  await world.emit(...documents)
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(200)
  expect(payments(world)).toEqual(Array.from({ length: 200 }, () => 1))
  const { end } = world.log.bounds(0)
  await vi.waitFor(() => expect(world.log.group('pointsman.embedder-realtime').committed.get(0)).toBe(end))
})

test('keeps the newest version alone, through updates, returns to an old text, and deletes', async () => {
  await using world = new MemoryLane()
  world.start('one')
  await world.emit(
    aText('a', 1, 'first'),
    aText('a', 2, 'second'),
    aText('a', 3, 'first'),
    aText('b', 1, 'gone soon'),
    aTombstone('b', 2),
    aText('c', 5, 'newest'),
    aText('c', 4, 'late and old')
  )
  await world.settled()

  expect(world.texts()).toEqual({ a: ['first'], c: ['newest'] })
})

test('does not pay for versions that are superseded before they are sent', async () => {
  await using world = new MemoryLane()
  await world.emit(
    aText('a', 1, 'first'),
    aText('a', 2, 'second'),
    aText('b', 1, 'gone soon'),
    aTombstone('b', 2),
    aText('twin', 1, 'first')
  )
  world.start('one')
  await world.settled()

  expect(world.texts()).toEqual({ a: ['second'], twin: ['first'] })
  expect([...world.embedder.payments.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
    'first',
    'second'
  ])
})

test('pays for a text that many documents have one time, whoever admits them', async () => {
  await using world = new MemoryLane()
  world.start('one')
  world.start('two')
  await world.emit(...Array.from({ length: 100 }, (_, index) => aText(`d${index}`, 1, 'the same words')))
  await world.settled()
  await world.emit(aText('later', 1, 'the same words'))
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(101)
  expect(payments(world)).toEqual([1])
})

test('changes metadata without paying', async () => {
  await using world = new MemoryLane()
  world.start('one')
  await world.emit(aText('a', 1, 'words', '{"tag":1}'))
  await world.settled()
  await world.emit(aText('a', 2, 'words', '{"tag":2}'))
  await world.settled()

  const [object] = [...world.store.objects.values()]
  expect(object?.properties).toMatchObject({ metadata: '{"tag":2}', version: 2 })
  expect(payments(world)).toEqual([1])
})

test('a superseded change of metadata leaves the vector to the newer one', async () => {
  await using world = new MemoryLane()
  const { ledger, store } = world
  world.start('one', { options: { requestInputs: 1 } })
  await world.emit(aText('a', 1, 'words', '{"tag":1}'))
  await world.settled()
  const write = store.write.bind(store)
  // The first change is written only when the second one is admitted, so that it is superseded.
  vi.spyOn(store, 'write').mockImplementation(async (...args) => {
    await vi.waitFor(async () => expect((await ledger.survey()).counts).toMatchObject({ copy: 1, share: 1 }))
    return write(...args)
  })
  await world.emit(aText('a', 2, 'words', '{"tag":2}'), aText('a', 3, 'words', '{"tag":3}'))
  await world.settled()

  expect([...store.objects.values()].map(({ properties }) => properties.metadata)).toEqual(['{"tag":3}'])
  expect(payments(world)).toEqual([1])
})

test('finds a poisoned input by bisection, gives it up with its reason, and indexes its neighbours', async () => {
  await using world = new MemoryLane()
  world.embedder.poison('poison')
  await world.emit(...['x', 'poison', 'y', 'z'].map((text, index) => aText(`d${index}`, 1, text)))
  world.start('one')
  await world.settled()

  expect(Object.keys(world.texts())).toEqual(expect.arrayContaining(['d0', 'd2', 'd3']))
  expect(world.texts()).not.toHaveProperty('d1')
  expect(world.log.letters.map(({ key }) => key)).toEqual(['d1'])
  expect(payments(world)).toEqual([1, 1, 1])
})

test('repeats a refused call without another attempt', async () => {
  await using world = new MemoryLane()
  const refusal = {
    kind: 'refused',
    failure: new Failure('EMBED_RATE_LIMITED', 'slow', { retryAfterMs: 20 })
  } as const
  world.embedder.fail(refusal, refusal)
  const { ledger } = world.start('one')
  const attempt = vi.spyOn(ledger, 'attempt')
  await world.emit(aText('a', 1, 'words'))
  await world.settled()

  expect(attempt).toHaveBeenCalledTimes(1)
  expect(payments(world)).toEqual([1])
})

test('journals another attempt after an unknown outcome, which may cost the request one more time', async () => {
  await using world = new MemoryLane()
  world.embedder.fail({ kind: 'unknown-paid' })
  const { ledger } = world.start('one')
  const attempt = vi.spyOn(ledger, 'attempt')
  await world.emit(aText('a', 1, 'words'))
  await world.settled()

  expect(attempt.mock.calls.map(([, , number]) => number)).toEqual([1, 2])
  expect(payments(world)).toEqual([2])
  expect(world.texts()).toEqual({ a: ['words'] })
})

test('texts whose attempts all end unknown are halved until the cause stands alone and is given up', async () => {
  await using world = new MemoryLane()
  const { embedder } = world
  const cursed = {
    model: embedder.model,
    dimensions: embedder.dimensions,
    check: () => Promise.resolve(),
    embed: (texts: readonly string[], signal: AbortSignal) => {
      if (texts.includes('cursed')) throw new Failure('EMBED_OUTCOME_UNKNOWN', 'no answer')
      return embedder.embed(texts, signal)
    }
  }
  await world.emit(...['x', 'cursed', 'y', 'z'].map((text, index) => aText(`d${index}`, 1, text)))
  world.start('one', { embedder: cursed })
  await world.settled()

  expect(Object.keys(world.texts()).sort()).toEqual(['d0', 'd2', 'd3'])
  expect(world.log.letters.map(({ key, reason }) => [key, reason])).toEqual([['d1', 'no answer']])
  expect(payments(world)).toEqual([1, 1, 1])
})

test('rejects what does not match its hash, is empty or too long before paying', async () => {
  await using world = new MemoryLane()
  world.start('one')
  await world.emit(
    { ...aText('tampered', 1, 'words'), text: 'other words' },
    { ...aText('empty', 1, ' '), tokens: 1 },
    { ...aText('long', 1, 'words'), tokens: 9_000 },
    aText('fine', 1, 'fine words')
  )
  await world.settled()

  expect(world.texts()).toEqual({ fine: ['fine words'] })
  expect(Object.fromEntries(world.log.letters.map(({ key, reason }) => [key, reason]))).toEqual({
    empty: 'the text is empty',
    long: '9000 tokens: an input has 1 to 8191',
    tampered: 'the text does not match its hash'
  })
})

test('stops admitting while the index is down, and goes on by itself', async () => {
  await using world = new MemoryLane()
  const { lane, ledger } = world.start('one')
  await world.emit(aText('a', 1, 'before'))
  await world.settled()
  world.store.setDown(true)
  await world.emit(aText('b', 1, 'during'))
  await vi.waitFor(() => expect(lane.readiness().ready).toBe(false))
  const admit = vi.spyOn(ledger, 'admit')
  await world.emit(aText('c', 1, 'still down'))
  expect(admit).not.toHaveBeenCalled()
  world.store.setDown(false)
  await world.settled()

  expect(Object.keys(world.texts()).sort()).toEqual(['a', 'b', 'c'])
  expect(payments(world)).toEqual([1, 1, 1])
})

test('does not admit while paused, and goes on when resumed', async () => {
  await using world = new MemoryLane()
  await world.ledger.open('realtime')
  await world.ledger.pause(1, 'maintenance', 'test')
  world.start('one')
  await world.emit(aText('a', 1, 'words'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).instances).toHaveLength(1))
  expect((await world.ledger.survey()).counts.admitted).toBe(0)
  await world.ledger.resume(1)
  await world.settled()

  expect(world.texts()).toEqual({ a: ['words'] })
})

test.each(['lost-answer', 'unknown-stored', 'unknown-absent', 'refused'] as const)(
  'writes again after a write that ended %s, and never pays again for it',
  async fault => {
    await using world = new MemoryLane()
    world.store.fail(fault)
    world.start('one')
    await world.emit(aText('a', 1, 'words'), aText('b', 1, 'more words'))
    await world.settled()

    expect(world.texts()).toEqual({ a: ['words'], b: ['more words'] })
    expect(payments(world)).toEqual([1, 1])
  }
)

test('has at most three writes at the index in flight, however many requests are answered', async () => {
  await using world = new MemoryLane()
  const { store } = world
  const write = store.write.bind(store)
  let inFlight = 0
  const seen: number[] = []
  vi.spyOn(store, 'write').mockImplementation(async (...args) => {
    inFlight += 1
    seen.push(inFlight)
    // As long as a round of the event loop, so that all who may begin have begun.
    await new Promise(setImmediate)
    inFlight -= 1
    return await write(...args)
  })
  await world.emit(...Array.from({ length: 40 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)))
  world.start('one', { options: { requestInputs: 2, maxInFlight: 8 } })
  await world.settled()

  expect(Math.max(...seen)).toBe(3)
  expect(Object.keys(world.texts())).toHaveLength(40)
})

test('gives the memory of vectors back when their obligation is finished, and not before', async () => {
  await using world = new MemoryLane()
  world.store.fail('refused', 'unknown-absent')
  const { embedder } = world
  const embed = embedder.embed.bind(embedder)
  const releases: string[][] = []
  vi.spyOn(embedder, 'embed').mockImplementation(async (...args) => {
    const answer = await embed(...args)
    return { ...answer, release: () => void releases.push(Object.keys(world.texts())) }
  })
  world.start('one')
  await world.emit(aText('a', 1, 'words'))
  await world.settled()

  await vi.waitFor(() => expect(releases).toEqual([['a']]))
})

test('gives up a document that the index rejects, and keeps the others', async () => {
  await using world = new MemoryLane()
  world.store.reject('bad')
  world.start('one')
  await world.emit(aText('bad', 1, 'words'), aText('good', 1, 'other words'))
  await world.settled()

  expect(world.texts()).toEqual({ good: ['other words'] })
  expect(world.log.letters.map(({ key }) => key)).toEqual(['bad'])
})

test('parks a partition at an unknown schema, says so, and indexes what came before', async () => {
  await using world = new MemoryLane()
  const { lane } = world.start('one')
  await world.emit(aText('a', 1, 'words'))
  await world.settled()
  const partition = world.log.partitionOf('a')
  world.log.append(partition, 'a', new TextEncoder().encode('{"schema":99,"document":{}}'))
  await vi.waitFor(() => expect(lane.readiness().reasons.join()).toMatch(`partition ${partition}: schema 99`))

  expect(world.texts()).toEqual({ a: ['words'] })
  expect(world.log.letters).toEqual([])
})

test('an instance that stops leaves its partitions and unfinished work to the other', async () => {
  await using world = new MemoryLane()
  const one = world.start('one')
  world.start('two')
  await world.emit(...Array.from({ length: 60 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)))
  await one.stop()
  await world.emit(...Array.from({ length: 60 }, (_, index) => aText(`e${index}`, 1, `more ${index}`)))
  await world.settled()

  expect(Object.keys(world.texts())).toHaveLength(120)
  expect(payments(world)).toEqual(Array.from({ length: 120 }, () => 1))
})
