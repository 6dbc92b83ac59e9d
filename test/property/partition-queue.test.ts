import type { LogRecord, RecordBatch } from '@pointsman/core/ports/event-log'
import { PartitionQueue } from '@pointsman/core/lane/partition-queue'
import fc from 'fast-check'
import { expect, test } from 'vitest'

type Step =
  | {
      readonly kind: 'fetch'
      readonly records: readonly { readonly hole: number; readonly bytes: number }[]
      readonly tail: number
    }
  | { readonly kind: 'prepare' | 'admit'; readonly count: number }

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('fetch' as const),
      records: fc.array(fc.record({ hole: fc.nat(2), bytes: fc.nat(50) }), { maxLength: 5 }),
      tail: fc.nat(3)
    }),
    fc.record({ kind: fc.constantFrom('prepare' as const, 'admit' as const), count: fc.nat(8) })
  ),
  { maxLength: 60 }
)

function recordAt(offset: bigint, bytes: number): LogRecord {
  return { partition: 0, offset, timestampMs: 0, key: undefined, value: new Uint8Array(bytes) }
}

test('F1 what is offered is contiguous from the head and loses no offset, holes included', () => {
  fc.assert(
    fc.property(steps, history => {
      const queue = new PartitionQueue(0)
      queue.reset(100n)
      let fetched = 100n
      let admitted = 100n
      let bytes = 0

      for (const step of history satisfies readonly Step[]) {
        if (step.kind === 'fetch') {
          const from = fetched
          const records = step.records.map(({ bytes: size, hole }) => {
            const record = recordAt(fetched + BigInt(hole), size)
            fetched = record.offset + 1n
            bytes += size
            return record
          })
          fetched += BigInt(step.tail)
          const batch: RecordBatch = { partition: 0, from, next: fetched, records }
          expect(queue.accepts(batch)).toBe(true)
          if (fetched > from) queue.append(batch)
        } else if (step.kind === 'prepare') {
          const raw = queue.raw(step.count)
          bytes -= raw.reduce((sum, { record }) => sum + (record?.value?.byteLength ?? 0), 0)
          queue.prepared(raw.map(({ next }) => ({ next, candidate: undefined, logged: undefined })))
        } else {
          const entries = queue.ready(step.count)
          const positions = [admitted, ...entries.map(({ next }) => next)]
          expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)))
          expect(queue.head).toBe(admitted)
          queue.drop(entries.length)
          admitted = entries.at(-1)?.next ?? admitted
        }
        expect(queue.bytes).toBe(bytes)
      }

      queue.prepared(
        queue
          .raw(Number.MAX_SAFE_INTEGER)
          .map(({ next }) => ({ next, candidate: undefined, logged: undefined }))
      )
      queue.drop(queue.ready(Number.MAX_SAFE_INTEGER).length)
      expect(queue.head).toBe(fetched)
    })
  )
})

test('a reset forgets everything and makes earlier offers void', () => {
  const queue = new PartitionQueue(0)
  queue.reset(5n)
  const { resets } = queue
  queue.append({ partition: 0, from: 5n, next: 6n, records: [recordAt(5n, 10)] })
  queue.reset(9n)
  expect(queue.resets).toBeGreaterThan(resets)
  expect([queue.head, queue.bytes, queue.raw(10)]).toEqual([9n, 0, []])
  expect(queue.accepts({ partition: 0, from: 6n, next: 7n, records: [] })).toBe(false)
})
