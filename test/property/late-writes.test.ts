// An object that is written after a newer content of its document was finished: its writer removes it, and no sweeper is
// needed for that while the writer lives.
import { docKey } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { aText, aTombstone, MemoryLane } from '../support/memory-lane.ts'

const patience = { timeout: 8_000, interval: 5 }

test('what was superseded while it was written is gone at the end', async () => {
  const change = fc.constantFrom('updated', 'deleted')
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async changes => {
      await using world = new MemoryLane()
      const held = Promise.withResolvers<void>()
      const write = vi.fn<typeof world.store.write>(async (objects, signal) => {
        if (objects.some(({ properties }) => properties.text.startsWith('old'))) await held.promise
        return world.store.write(objects, signal)
      })
      const store = new Proxy(world.store, {
        get(target, name) {
          if (name === 'write') return write
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? member.bind(target) : member
        }
      })
      world.start('one', { store })
      const ids = changes.map((_, index) => `d${index}`)
      await world.emit(...ids.map(id => aText(id, 1, `old ${id}`)))
      await vi.waitFor(() => expect(write).toHaveBeenCalled(), patience)
      await world.emit(
        ...ids.map((id, index) =>
          changes[index] === 'deleted' ? aTombstone(id, 2) : aText(id, 2, `new ${id}`)
        )
      )
      await vi.waitFor(async () => {
        const latest = await world.ledger.latest(ids.map(id => docKey(id)))
        for (const one of latest) expect(one).toMatchObject({ version: 2, status: 'indexed' })
      }, patience)
      held.resolve()
      await world.settled()

      const wanted = ids.filter((_, index) => changes[index] === 'updated')
      await vi.waitFor(() => {
        expect(world.texts()).toEqual(Object.fromEntries(wanted.map(id => [id, [`new ${id}`]])))
      }, patience)
    }),
    { numRuns: 4, interruptAfterTimeLimit: 7_000 }
  )
})

test('what was replaced or deleted is gone when that is settled', async () => {
  const step = fc.record({ document: fc.nat(2), text: fc.option(fc.nat(3), { nil: undefined, freq: 4 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async steps => {
      await using world = new MemoryLane()
      world.start('one')
      const wanted = new Map<string, readonly string[]>()
      for (const [index, { document, text }] of steps.entries()) {
        const id = `d${document}`
        const [version, written] = [index + 1, `text ${text}`]
        await world.emit(text === undefined ? aTombstone(id, version) : aText(id, version, written))
        await world.settled()
        if (text === undefined) wanted.delete(id)
        else wanted.set(id, [written])
        expect(world.texts()).toEqual(Object.fromEntries(wanted))
      }
    }),
    { numRuns: 8, interruptAfterTimeLimit: 7_000 }
  )
})
