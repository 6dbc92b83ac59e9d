import { expect, test, vi } from 'vitest'
import { Slots } from '@pointsman/core/lane/slots'

const never = new AbortController().signal

test('work runs only while it holds a place, in order of asking', async () => {
  const slots = new Slots(2)
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const begun: number[] = []
  const works = ends.map(({ promise }, index) =>
    slots.use(async () => {
      begun.push(index)
      await promise
    }, never)
  )
  await vi.waitFor(() => expect(begun).toEqual([0, 1]))

  ends[1]?.resolve()
  await works[1]
  await vi.waitFor(() => expect(begun).toEqual([0, 1, 2]))
  for (const { resolve } of ends) resolve()
  await Promise.all(works)
  expect(slots.free).toBe(2)
})

test('work that fails gives its place back, and so does who stops waiting', async () => {
  const slots = new Slots(1)
  await expect(slots.use(() => Promise.reject(new Error('failed')), never)).rejects.toThrow('failed')
  const end = Promise.withResolvers<void>()
  const working = slots.use(() => end.promise, never)
  const stop = new AbortController()
  const waiting = slots.use(() => Promise.resolve(), stop.signal)
  stop.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  end.resolve()
  await working
  expect(slots.free).toBe(1)
})
