import { describe, expect, test, vi } from 'vitest'
import { MemoryDeadLetters } from '@pointsman/core/adapters/memory/event-log-dead-letters'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryDocumentWriter } from '@pointsman/core/adapters/memory/event-log-document-writer'
import { MemoryGroupReader } from '@pointsman/core/adapters/memory/event-log-group-reader'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { eventLogContract } from '../contract/event-log.ts'
import type { EventLogUnderTest } from '../support/event-log-under-test.ts'
import { aDocument, aRecord, eventually, lines, Listener, range } from '../support/event-log-under-test.ts'

async function openMemory(): Promise<EventLogUnderTest> {
  const log = new MemoryLog({ partitions: 3 })
  const opened = new AsyncDisposableStack()
  return {
    reader: (group, instance) => opened.use(new MemoryGroupReader(log, group, instance)),
    ranges: () => opened.use(new MemoryRangeReader(log)),
    admin: () => opened.use(new MemoryLogAdmin(log)),
    codec: () => new MemoryDocumentCodec(log),
    writer: codec => opened.use(new MemoryDocumentWriter(log, codec)),
    deadLetters: () => opened.use(new MemoryDeadLetters(log)),
    append: async (partition, records) => {
      const first = log.bounds(partition).end
      for (const { key, value } of records) log.append(partition, key, value)
      return first
    },
    trim: async (partition, start) => log.trim(partition, start),
    [Symbol.asyncDispose]: () => opened.disposeAsync()
  }
}

eventLogContract('memory', openMemory)

describe('memory event log', () => {
  const never = new AbortController().signal
  const starts = new Map([
    [0, 0n],
    [1, 0n]
  ])

  test('a killed member blocks its group until it is evicted', async () => {
    const log = new MemoryLog({ partitions: 2 })
    const dead = new MemoryGroupReader(log, 'g', 'one')
    const before = new Listener(dead, starts)
    await dead.start(before, never)
    dead.kill()

    await using reader = new MemoryGroupReader(log, 'g', 'one')
    const seen = new Listener(reader, starts)
    const started = reader.start(seen, never)
    expect(seen.joins).toEqual([])
    await new MemoryLogAdmin(log).evict('g', before.joins[0]?.memberId ?? '')
    await started
    expect([...reader.assignment()]).toEqual([0, 1])
  })

  test('a crash is told, and the reader comes back under a new id where it stood', async () => {
    const log = new MemoryLog({ partitions: 2 })
    for (const { key, value } of lines(10)) log.append(0, key, value)
    await using reader = new MemoryGroupReader(log, 'g', 'one')
    const seen = new Listener(reader, starts)
    await reader.start(seen, never)
    await vi.waitFor(() => expect(seen.offsets(0)).toHaveLength(10), eventually)

    await reader.crash('planted')
    expect(seen.losses).toEqual(['planted'])
    log.append(0, 'a', undefined)
    await vi.waitFor(() => expect(seen.offsets(0)).toEqual(range(0, 11)), eventually)
    expect(new Set(seen.joins.map(({ memberId }) => memberId)).size).toBe(2)
  })

  test('new partitions reach the members, held', async () => {
    const log = new MemoryLog({ partitions: 2 })
    await using reader = new MemoryGroupReader(log, 'g', 'one')
    const seen = new Listener(reader, starts)
    await reader.start(seen, never)

    log.addPartitions(1)
    expect([...reader.assignment()]).toEqual([0, 1, 2])
    expect([...reader.holds(2)]).toEqual(['unpositioned'])
    expect([...reader.holds(0)]).toEqual([])
  })

  test('an outage fails every call with its own code and ends when it ends', async () => {
    const log = new MemoryLog({ partitions: 1 })
    const codec = new MemoryDocumentCodec(log)
    const writer = new MemoryDocumentWriter(log, codec)
    await using reader = new MemoryGroupReader(log, 'g', 'one')
    const seen = new Listener(reader, starts)
    await reader.start(seen, never)

    log.beginOutage('log')
    log.beginOutage('registry')
    await expect(writer.write([aDocument()], never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    await expect(new MemoryLogAdmin(log).bounds()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
    await expect(codec.prepare(never)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    expect(await reader.commit(new Map([[0, 1n]]))).toEqual(new Map())

    log.append(0, 'a', undefined)
    log.endOutage('log')
    log.endOutage('registry')
    await vi.waitFor(() => expect(seen.offsets(0)).toEqual([0n]), eventually)
    await expect(writer.write([aDocument()], never)).resolves.toBe(undefined)
  })

  test('a topic that would lose documents is refused with every reason', async () => {
    const log = new MemoryLog({ partitions: 1 })
    log.settings.cleanupPolicy = 'compact'
    log.settings.retentionMs = 3_600_000
    await expect(new MemoryLogAdmin(log).prepare(1, never)).rejects.toMatchObject({
      code: 'TOPIC_UNFIT',
      message: expect.stringMatching(/cleanup\.policy.*retention\.ms/)
    })
  })

  test('a schema of the future is unknown, not unreadable', async () => {
    const log = new MemoryLog({ partitions: 1 })
    const value = new TextEncoder().encode(JSON.stringify({ schema: 2, document: {} }))
    const codec = new MemoryDocumentCodec(log)
    expect(await codec.decode(aRecord({ value }))).toMatchObject({ kind: 'unknown-schema' })
  })
})
