import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText, aTombstone } from '../../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 10 }

function texts(count: number): ReturnType<typeof aText>[] {
  return Array.from({ length: count }, (_, index) => aText(`d${index}`, 1, `text ${index}`))
}

function textsById(count: number): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, [`text ${index}`]]))
}

test.concurrent('documents are embedded by jobs, each text is paid for once, and nothing is left at the provider', async () => {
  await using world = new MemoryBatchLane()
  world.startBatch('one')
  await world.emit(...texts(50))
  await world.settled()

  expect(world.texts()).toEqual(textsById(50))
  expect(world.repeatedPayments).toBe(0)
  await vi.waitFor(async () => {
    const { obligations } = await world.ledger.survey()
    expect(obligations).toEqual([])
  }, patience)
  expect(world.provider.server.inputs.size + world.provider.server.results.size).toBe(0)
  const past = await world.ledger.pastJobs(100)
  expect(past.reduce((sum, { lines }) => sum + lines, 0)).toBe(50)
  expect(past.every(({ lines }) => lines <= 20)).toBe(true)
  const { counts } = await world.ledger.survey()
  expect(counts.paidTokens).toBe(world.provider.server.paidTokens)
  expect(counts.necessaryTokens).toBe(world.provider.server.paidTokens)
})

test.concurrent('a text of many documents is paid for once, before, during and after its job', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.startBatch('one')
  await world.emit(aText('a', 1, 'same'), aText('b', 1, 'same'))
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await world.emit(aText('c', 1, 'same'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.share).toBe(2), patience)
  world.provider.server.finishAll()
  await world.settled()
  await world.emit(aText('d', 1, 'same'))
  await world.settled()

  expect(world.texts()).toEqual({ a: ['same'], b: ['same'], c: ['same'], d: ['same'] })
  expect(world.provider.server.payments).toEqual(new Map([['same', 1]]))
})

test.concurrent('pages of one job are indexed side by side, and who joins meanwhile is served once', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  await world.emit(...texts(1_000))
  world.startBatch('one', { options: { maxLines: 1_000, sealAfterMs: 500 } })
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await world.emit(aText('early', 1, 'text 3'), aText('late', 1, 'text 990'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.share).toBe(2), patience)

  let atOnce = 0
  let most = 0
  const written: string[] = []
  const write = world.store.write.bind(world.store)
  vi.spyOn(world.store, 'write').mockImplementation(async (objects, signal) => {
    atOnce += 1
    most = Math.max(most, atOnce)
    written.push(...objects.map(({ properties }) => properties.docId))
    // Others get their turn.
    await new Promise(resolve => setImmediate(resolve))
    atOnce -= 1
    return write(objects, signal)
  })
  world.provider.server.finishAll()
  await world.settled()

  expect(most).toBe(3)
  expect(written).toHaveLength(1_002)
  expect(world.texts()).toEqual({ ...textsById(1_000), early: ['text 3'], late: ['text 990'] })
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('a newer version, a tombstone and an old text that comes back overtake a job', async () => {
  await using world = new MemoryBatchLane({ pace: { kind: 'manual' } })
  world.startBatch('one')
  await world.emit(aText('updated', 1, 'old'), aText('deleted', 1, 'short lived'), aText('back', 1, 'first'))
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(1), patience)
  await world.emit(aText('updated', 2, 'new'), aTombstone('deleted', 2), aText('back', 2, 'second'))
  await vi.waitFor(() => expect(world.provider.server.jobs).toHaveLength(2), patience)
  await world.emit(aText('back', 3, 'first'))
  await vi.waitFor(async () => expect((await world.ledger.survey()).counts.share).toBe(1), patience)
  // The later job ends first: the late results of the earlier one must not win.
  world.provider.server.advance(world.provider.server.jobs[1]!.batchId, 'completed')
  await vi.waitFor(() => expect(world.texts()['updated']).toEqual(['new']), patience)
  world.provider.server.finishAll()
  await world.settled()

  expect(world.texts()).toEqual({ updated: ['new'], back: ['first'] })
  expect(world.repeatedPayments).toBe(0)
})

test.concurrent('what was superseded before its manifest was sealed is not paid for', async () => {
  await using world = new MemoryBatchLane()
  world.startBatch('one', { options: { sealAfterMs: 300 } })
  await world.emit(aText('a', 1, 'first'), aText('a', 2, 'second'))
  await world.settled()

  expect(world.texts()).toEqual({ a: ['second'] })
  expect([...world.provider.server.payments.keys()]).toEqual(['second'])
})

test.concurrent('what needs no payment does not wait for a job', async () => {
  await using world = new MemoryBatchLane()
  world.startBatch('one')
  await world.emit(aText('kept', 1, 'text'), aText('removed', 1, 'other'))
  await world.settled()
  const jobs = world.provider.server.jobs.length
  await world.emit(
    aText('copied', 1, 'text'),
    aText('kept', 2, 'text', '{"lang":"en"}'),
    aTombstone('removed', 2)
  )
  await world.settled()

  expect(world.texts()).toEqual({ kept: ['text'], copied: ['text'] })
  expect(world.provider.server.jobs).toHaveLength(jobs)
})

test.concurrent('lines that failed or expired are tried again, and given up when jobs came to nothing too often', async () => {
  await using world = new MemoryBatchLane()
  const fails = new Set(['text 3', 'text 4'])
  let tries = 0
  const line = ({ text }: { text: string }): 'failed' | undefined => {
    if (text === 'text 4') tries += 1
    return text === 'text 3' || (fails.has(text) && tries < 2) ? 'failed' : undefined
  }
  world.provider.server.plan(
    { ending: 'expired', share: 0.6, line },
    ...Array.from({ length: 9 }, () => ({ line }))
  )
  world.startBatch('one')
  await world.emit(...texts(10))
  await world.settled()

  const { d3, ...others } = textsById(10)
  expect(d3).toEqual(['text 3'])
  expect(world.texts()).toEqual(others)
  expect(world.repeatedPayments).toBe(0)
  const letters = await world.deadLetters.list(10, new AbortController().signal)
  expect(letters.map(({ key, attempts }) => ({ key, attempts }))).toEqual([{ key: 'd3', attempts: 3 }])
  expect(letters[0]?.reason).toMatch(/3 jobs came to nothing/)
})

test.concurrent.each(['wrong-length', 'not-finite', 'zero', 'empty', 'rejected'] as const)(
  'a line that is %s is given up at once with its reason, and is not paid for again',
  async fault => {
    await using world = new MemoryBatchLane()
    world.provider.server.plan({ line: ({ text }) => (text === 'text 2' ? fault : undefined) })
    world.startBatch('one')
    await world.emit(...texts(5))
    await world.settled()

    const { d2, ...others } = textsById(5)
    expect(d2).toEqual(['text 2'])
    expect(world.texts()).toEqual(others)
    expect(world.repeatedPayments).toBe(0)
    const letters = await world.deadLetters.list(10, new AbortController().signal)
    expect(letters.map(({ key }) => key)).toEqual(['d2'])
    expect(letters[0]?.reason.length).toBeGreaterThan(10)
  }
)

test.concurrent('a paid line that is in no file is paid for once more, and no other', async () => {
  await using world = new MemoryBatchLane()
  world.provider.server.plan({
    line: ({ text }) => (text === 'text 1' ? 'lost' : text === 'text 2' ? 'repeated' : undefined),
    strangers: 3
  })
  const { warnings } = world.startBatch('one')
  await world.emit(...texts(6))
  await world.settled()

  expect(world.texts()).toEqual(textsById(6))
  expect(world.repeatedPayments).toBe(1)
  expect(warnings.join('\n')).toMatch(/3 name nothing of ours, 1 repeat/)
})
