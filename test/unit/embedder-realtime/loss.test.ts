import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { expect, test, vi } from 'vitest'
import { loseLedgerAt, startKeeper } from '../../support/memory-keeper.ts'
import { aText, aTombstone, MemoryLane } from '../../support/memory-lane.ts'

const failpoints: readonly Failpoint[] = [
  'rt.fetch',
  'rt.claim',
  'rt.pay',
  'rt.response',
  'rt.upsert',
  'rt.mark',
  'rt.commit'
]
const patience = { timeout: 8_000, interval: 10 }

const documents = [
  ...Array.from({ length: 40 }, (_, index) => aText(`d${index}`, 1, `text ${index}`)),
  aText('twin', 1, 'text 3'),
  aText('old', 1, 'first'),
  aText('old', 2, 'second'),
  aText('gone', 1, 'gone soon'),
  aTombstone('gone', 2)
]
const indexed = {
  ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index}`, [`text ${index}`]])),
  twin: ['text 3'],
  old: ['second']
}

function repeatedPayments(world: MemoryLane): number {
  return [...world.embedder.payments.values()].reduce((sum, times) => sum + times - 1, 0)
}

test.concurrent.each(failpoints)(
  'an instance whose ledger is lost at %s goes on in the rebuilt one, and pays again for no more than was in flight',
  async failpoint => {
    await using world = new MemoryLane()
    const loss = loseLedgerAt(world, failpoint)
    const { lane } = world.start('one', { hit: loss.hit })
    await world.emit(...documents)
    await vi.waitFor(() => expect(loss.happened()).toBe(true), patience)
    await using _keeper = await startKeeper(world, 'realtime')
    await world.settled()

    expect(world.texts()).toEqual(indexed)
    expect(repeatedPayments(world)).toBeLessThanOrEqual(loss.inputsAtRisk())
    expect((await world.ledger.state()).epoch).toBe(2)
    await vi.waitFor(() => expect(lane.readiness()).toEqual({ ready: true, reasons: [] }), patience)
    await world.emit(aText('later', 1, 'after the loss'))
    await world.settled()
    expect(world.texts()).toEqual({ ...indexed, later: ['after the loss'] })
  }
)
