// Found by the simulation (seed 1208): metadata were once updated in place, under the id of the object that stood there.
import { MemoryGroupReader } from '@pointsman/core/adapters/memory/event-log-group-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { expect, test, vi } from 'vitest'
import { aText, MemoryLane } from '../../support/memory-lane.ts'

/** A process that can be frozen: from then on its calls leave it when it wakes up. */
class Freezer {
  readonly #awake = Promise.withResolvers<undefined>()
  isFrozen = false

  wake(): void {
    this.#awake.resolve(undefined)
  }

  around<Port extends object>(port: Port, freezesAt?: keyof Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          this.isFrozen ||= key === freezesAt
          return this.isFrozen
            ? this.#awake.promise.then(() => value.apply(target, args))
            : value.apply(target, args)
        }
      }
    })
  }
}

test('a write that lands after its owner was given up puts no older metadata back', async () => {
  await using world = new MemoryLane()
  const write = vi.spyOn(world.store, 'write')
  const freezer = new Freezer()
  const readers: MemoryGroupReader[] = []
  world.start('one', {
    store: freezer.around(world.store, 'write'),
    ledger: freezer.around(new MemoryLedger(world.ledgerServer)),
    openReader: () => {
      const reader = new MemoryGroupReader(world.log, 'pointsman.embedder-realtime', 'one')
      readers.push(reader)
      return reader
    },
    options: { leaseMs: 200 }
  })
  await world.emit(aText('a', 1, 'words', '{"tag":1}'))
  await vi.waitFor(() => expect(freezer.isFrozen).toBe(true))
  for (const reader of readers) reader.kill()
  world.start('one')
  await world.settled()
  await world.emit(aText('a', 2, 'words', '{"tag":2}'))
  await world.settled()
  const before = write.mock.calls.length
  freezer.wake()

  await vi.waitFor(() => expect(write.mock.calls.length).toBeGreaterThan(before))
  const shown = (): readonly string[] =>
    [...world.store.objects.values()].map(({ properties }) => properties.metadata)
  expect(shown()).toContain('{"tag":2}')
  // It is told that the work is not its own any more, and takes its object back.
  await vi.waitFor(() => expect(shown()).toEqual(['{"tag":2}']))
})
