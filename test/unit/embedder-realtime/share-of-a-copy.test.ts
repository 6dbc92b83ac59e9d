import { expect, test } from 'vitest'
import { aText, MemoryLane } from '../../support/memory-lane.ts'

test('copies a vector also for a version that outran, in one admission, the one that was to copy it', async () => {
  await using world = new MemoryLane()
  world.start('one')
  await world.emit(aText('first', 1, 'the same words'))
  await world.settled()

  await world.emit(aText('b', 1, 'the same words', '{"n":1}'), aText('b', 2, 'the same words', '{"n":2}'))
  await world.settled()

  expect(world.texts()).toEqual({ first: ['the same words'], b: ['the same words'] })
  expect(world.embedder.payments.get('the same words')).toBe(1)
})
