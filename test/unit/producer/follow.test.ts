import { appendFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { Failure } from '@pointsman/core/domain/failure'
import { systemClock } from '@pointsman/core/runtime/clock'
import { describe, expect, test } from 'vitest'
import { FollowedRoot } from '../../../services/producer/src/followed-root.ts'
import { LooseEnds } from '../../../services/producer/src/loose-ends.ts'
import { FollowerUnderTest, intervalMs, stillMs } from '../../support/follower-under-test.ts'

const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`
const never = new AbortController().signal

describe('what changes in a folder that is followed', () => {
  test('files that are there are sent, then those that come, change, move and go; the others are not read', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    for (const name of ['a', 'b', 'c', 'd']) producer.write(`${name}.md`, `text ${name}`)
    await follower.start()
    await follower.settle()
    expect(follower.takeSent()).toEqual({
      'a.md': 'text a',
      'b.md': 'text b',
      'c.md': 'text c',
      'd.md': 'text d'
    })

    producer.write('new/e.md', 'text e')
    producer.write('b.md', 'text b, second edition')
    renameSync(join(producer.root, 'c.md'), join(producer.root, 'moved.md'))
    producer.remove('d.md')
    await follower.settle()

    expect(follower.takeSent()).toEqual({
      'new/e.md': 'text e',
      'b.md': 'text b, second edition',
      'c.md': undefined,
      'moved.md': 'text c',
      'd.md': undefined
    })
    expect(follower.takeReports()).toMatchObject([
      { documents: 4, emitted: 4 },
      { documents: 3, emitted: 3, tombstones: 2, rejectedTotal: 0 }
    ])
  })

  test('while nothing changes it looks at each interval, reads nothing and tells nothing', async () => {
    await using follower = new FollowerUnderTest()
    follower.producer.write('a.md', 'one')
    await follower.start()
    await follower.settle()
    follower.takeReports()
    let rounds = 0
    const { events } = follower
    const told = events.length

    for (let i = 0; i < 3; i += 1) {
      await follower.look()
      expect(follower.clock.sleptMs).toBe(intervalMs)
      rounds += follower.takeReports().length
    }

    expect(rounds).toBe(0)
    expect(events).toHaveLength(told)
  })

  test('a file that is being written is read when it has been still for a moment', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    await follower.start()
    await follower.settle()
    const file = producer.write('a.json', '{"id":"a","te')
    await follower.look()
    appendFileSync(file, 'xt":"wh')
    await follower.look()
    expect(follower.clock.sleptMs).toBe(stillMs)
    appendFileSync(file, 'ole"}')

    await follower.settle()

    expect(follower.takeSent()).toEqual({ a: 'whole' })
    expect(follower.events.filter(({ event }) => event === 'rejected')).toEqual([])
  })

  test('a file that grows without end is read each minute all the same', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    await follower.start()
    await follower.settle()
    let looks = 0
    for (; !('id0' in follower.takeSent()) && looks < 200; looks += 1) {
      appendFileSync(join(producer.root, 'log.jsonl'), line(`id${looks}`, `text ${looks}`))
      await follower.look()
    }
    expect(looks).toBeGreaterThan(50)
    expect(looks).toBeLessThan(100)
    appendFileSync(join(producer.root, 'log.jsonl'), line('last', 'the end'))

    await follower.settle()

    expect(follower.takeSent()).toEqual({ last: 'the end' })
  })

  test('a file that is away for one look only, as when an editor replaces it, is not deleted', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    await follower.start()
    await follower.settle()
    follower.takeSent()
    producer.remove('a.md')
    await follower.look()
    producer.write('a.md', 'one, mended')

    await follower.settle()

    expect(follower.takeSent()).toEqual({ 'a.md': 'one, mended' })
  })
})

describe('records that several files name', () => {
  test('a record that is taken out of one file stays when another has it', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.jsonl', line('x', 'text') + line('y', 'text of y'))
    await follower.start()
    await follower.settle()
    producer.write('b.jsonl', line('x', 'text'))
    await follower.settle()
    follower.takeSent()

    producer.write('a.jsonl', line('y', 'text of y'))
    await follower.settle()
    expect(producer.store.entry('x')).toMatchObject({ path: 'b.jsonl', whole: true })
    producer.store.endReading()
    producer.remove('b.jsonl')
    await follower.settle()

    expect(follower.takeSent()).toEqual({ x: undefined })
  })

  test('a record that moves to another file, in either order, is there in the end', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.jsonl', line('x', 'text') + line('y', 'text of y'))
    producer.write('b.jsonl', line('z', 'text of z'))
    await follower.start()
    await follower.settle()

    producer.write('a.jsonl', line('y', 'text of y'))
    await follower.settle()
    producer.write('b.jsonl', line('z', 'text of z') + line('x', 'text'))
    await follower.settle()
    producer.write('c.jsonl', line('y', 'text of y'))
    await follower.settle()
    producer.remove('a.jsonl')
    await follower.settle()

    for (const [id, path] of [
      ['x', 'b.jsonl'],
      ['y', 'c.jsonl'],
      ['z', 'b.jsonl']
    ] as const)
      expect(producer.store.entry(id)).toMatchObject({ path, whole: true, acked: true })
    producer.store.endReading()
  })
})

describe('what cannot be read', () => {
  test('it is told once, and again when it has changed', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('bad.json', '{')
    symlinkSync('/nowhere/at/all', join(producer.root, 'link.md'))
    await follower.start()
    await follower.settle()
    const rejections = () =>
      follower.takeReports().flatMap(({ rejected }) => rejected.map(({ path }) => path))
    expect(rejections().sort()).toEqual(['bad.json', 'link.md'])

    // Longer than what lies outside a file is given.
    for (let i = 0; i < 30; i += 1) await follower.look()
    expect(rejections()).toEqual([])
    producer.write('bad.json', '{{')
    await follower.settle()
    expect(rejections()).toEqual(['bad.json'])
    producer.write('bad.json', '{"id":"a","text":"good"}')
    await follower.settle()

    expect(follower.takeSent()).toEqual({ a: 'good' })
    expect(rejections()).toEqual([])
  })

  test('a file whose id another folder has is sent when that one is gone, though it has not changed', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    const one = producer.write('one/README.md', 'the first')
    producer.write('one/other.md', 'other')
    producer.write('two/README.md', 'the second')
    const folders = ['one', 'two'].map(name => join(producer.root, name))
    await follower.start(folders)
    await follower.settle()
    expect(follower.takeSent()).toEqual({ 'README.md': 'the first', 'other.md': 'other' })
    rmSync(one)

    await follower.settle()
    for (let i = 0; i < 13; i += 1) await follower.look()

    expect(follower.takeSent()).toEqual({ 'README.md': 'the second' })
  })
})

describe('a folder that is not there', () => {
  test('it is waited for, and said once', async () => {
    await using follower = new FollowerUnderTest()
    const { producer, board } = follower
    const late = join(producer.root, 'late')
    await follower.start([late])
    for (let i = 0; i < 3; i += 1) await follower.look()
    expect(board.readiness()).toEqual({ ready: false, reasons: [`${late}: not found`] })

    producer.write('late/a.md', 'one')
    await follower.settle()

    expect(follower.takeSent()).toEqual({ 'a.md': 'one' })
    expect(board.readiness()).toEqual({ ready: true, reasons: [] })
    expect(follower.events.filter(({ event }) => event === 'waiting')).toHaveLength(1)
    expect(follower.events).toContainEqual({ event: 'resumed', waitedMs: 4 * intervalMs })
  })

  test('nothing is deleted while it is gone, and what is as it was is not sent again', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('disk/a.md', 'one')
    producer.write('disk/b.md', 'two')
    const disk = join(producer.root, 'disk')
    await follower.start([disk])
    await follower.settle()
    follower.takeSent()

    renameSync(disk, join(producer.root, 'elsewhere'))
    for (let i = 0; i < 5; i += 1) await follower.look()
    expect(follower.takeSent()).toEqual({})
    renameSync(join(producer.root, 'elsewhere'), disk)
    await follower.settle()
    producer.remove('disk/b.md')
    await follower.settle()

    expect(follower.takeSent()).toEqual({ 'b.md': undefined })
  })

  test('a folder in which nothing is left keeps its documents, and says so; with something in it they go', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    const files = ['a.md', 'b.md'].map(name => producer.write(name, name))
    await follower.start()
    await follower.settle()
    follower.takeSent()
    follower.takeReports()

    for (const file of files) rmSync(file)
    await follower.settle()
    expect(follower.takeReports()).toMatchObject([
      { kept: 2, tombstones: 0, notices: [expect.stringContaining('is empty where 2 texts were')] }
    ])
    await follower.settle()
    expect(follower.takeReports()).toEqual([])
    producer.write('a.md', 'a.md')
    await follower.settle()

    expect(follower.takeSent()).toEqual({ 'b.md': undefined })
  })

  test('what is not found on another disk at the same place is kept', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.md', 'one')
    using followed = new FollowedRoot(systemClock, 0)
    const root = { origin: producer.root, device: 1, files: undefined }
    const first = await followed.look(root, { only: undefined }, never)
    followed.settle(producer.root, new LooseEnds())
    producer.remove('a.md')
    producer.write('b.md', 'two')

    const second = await followed.look({ ...root, device: 2 }, { only: undefined }, never)

    expect(first).toMatchObject({ followed: { changes: undefined, keep: undefined } })
    expect(second).toMatchObject({
      followed: { changes: undefined, keep: expect.stringContaining('is on another disk') }
    })
  })
})

describe('following', () => {
  test('when the topic was made anew, all is sent again, not only what changed', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.md', 'one')
    producer.write('b.md', 'two')
    let log = new MemoryLog({ partitions: 2 })
    const bounds = () => new MemoryLogAdmin(log).bounds()
    const started = follower.start(undefined, { deps: { log: { bounds } } })
    await started
    await follower.settle()
    producer.store.setFact('ends', JSON.stringify({ 0: '5' }))
    follower.takeSent()
    log = new MemoryLog({ partitions: 2 })
    producer.write('b.md', 'two, mended')

    await follower.settle()

    expect(follower.takeSent()).toEqual({ 'a.md': 'one', 'b.md': 'two, mended' })
  })

  test('a folder is followed once only', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    await follower.start()

    await expect(producer.run()).rejects.toMatchObject({
      code: 'RUN_ACTIVE',
      message: expect.stringContaining('another run is reading or following')
    })
  })

  test('told to stop while the log is away, it ends, and the next start sends what was under way', async () => {
    await using follower = new FollowerUnderTest()
    const { producer } = follower
    producer.write('a.md', 'one')
    const writer = {
      write: () => Promise.reject(new Failure('LOG_UNAVAILABLE', 'no broker answers')),
      [Symbol.asyncDispose]: () => Promise.resolve()
    }
    await follower.start(undefined, { deps: { writer } })
    await follower.look()
    expect(follower.board.readiness()).toEqual({ ready: false, reasons: ['no broker answers'] })

    await follower.stop()
    producer.reopenStore()
    const { sent } = await producer.run()

    expect(follower.takeReports()).toMatchObject([{ stopped: true, emitted: 0 }])
    expect(sent).toMatchObject([{ docId: 'a.md', text: 'one' }])
  })
})
