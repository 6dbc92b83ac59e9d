import { expect, test, vi } from 'vitest'
import { MemoryBatchLane } from '../../support/memory-batch-lane.ts'
import { aText } from '../../support/memory-lane.ts'

const never = new AbortController().signal

test('who sent a file and is not the owner any more takes it away again', async () => {
  await using world = new MemoryBatchLane()
  const { ledger, provider } = world
  const advance = ledger.advance.bind(ledger)
  let refusals = 0
  vi.spyOn(ledger, 'advance').mockImplementation(async (id, owner, from, to, fields) => {
    if (to !== 'uploaded' || refusals > 0) return advance(id, owner, from, to, fields)
    refusals += 1
    return 'gone'
  })
  const upload = vi.spyOn(provider, 'upload')
  const deleteFile = vi.spyOn(provider, 'deleteFile')
  const late = world.startBatch('one', { ledger })
  await world.emit(aText('a', 1, 'a text'))
  await vi.waitFor(() => expect(deleteFile).toHaveBeenCalledOnce(), { timeout: 4_000 })
  expect(await provider.inputFiles('pointsman', never)).toEqual([])
  await late.stop()
  world.startBatch('two')
  await world.settled()

  expect(upload).toHaveBeenCalledTimes(2)
  expect(world.texts()).toEqual({ a: ['a text'] })
  expect(world.repeatedPayments).toBe(0)
})
