// Several controllers on one control log and one ledger, in any interleaving of their calls, killed at any of them, with
// answers that get lost: whatever happens, the history tells what was done, and whoever comes next brings it to an end.
import { setImmediate } from 'node:timers/promises'
import { Failure } from '@pointsman/core/domain/failure'
import type { Lane } from '@pointsman/core/domain/lane'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SwitchRefused } from '../../services/controller/src/switching/switch-refused.ts'
import type { Switcher } from '../../services/controller/src/switching/switcher.ts'
import type { SwitchReport } from '../../services/controller/src/switching/switch-report.ts'
import { documentOf } from '../support/memory-world.ts'
import { never, SwitchingWorld, wishFor } from '../support/switching.ts'

const partitions = 3

const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      target: fc.constantFrom<Lane>('realtime', 'batch'),
      strategy: fc.constantFrom('detach' as const, 'drain' as const, 'force' as const),
      share: fc.constantFrom(1, 1, 0.34),
      // Few, so that some are repeated.
      switchId: fc.constantFrom('a', 'b', 'c', 'd', 'e')
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('step' as const) }) }
)

type Act = typeof act extends fc.Arbitrary<infer Given> ? Given : never

const plan = fc.record({
  /** What each controller is asked, and after how many of its calls it is killed. */
  controllers: fc.array(
    fc.record({ acts: fc.array(act, { minLength: 1, maxLength: 4 }), diesAfter: fc.option(fc.nat(40)) }),
    { minLength: 1, maxLength: 3 }
  ),
  losesAnswer: fc.boolean(),
  isBusy: fc.boolean()
})

test('any controllers, in any order, killed anywhere: one history, and every switch ends', async () => {
  const seen = { completed: 0, aborted: 0, refused: 0, killed: 0 }
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { controllers, losesAnswer, isBusy }) => {
      const astray: unknown[] = []
      const of = await SwitchingWorld.open('realtime', partitions)
      if (isBusy) {
        await of.world.produce(documentOf('a', 'text'))
        await of.world.drain(() => 'open')
      }
      for (const { acts, diesAfter } of controllers) {
        let left = diesAfter ?? Number.POSITIVE_INFINITY
        // Before a call it has not happened, after it its answer does not arrive: a kill may fall between.
        const point = async (): Promise<void> => {
          await scheduler.schedule(Promise.resolve())
          left -= 1
          if (left === 0) seen.killed += 1
          if (left <= 0) await new Promise(() => undefined)
        }
        const controller = of.controller('one of several', { point })
        void (async () => {
          for (const one of acts) await perform(controller, one)
        })().catch((error: unknown) => astray.push(error))
      }
      if (losesAnswer) of.world.control.loseNextAnswer()
      await untilIdle(scheduler)
      expect(astray).toEqual([])

      const switches = await broughtToAnEnd(of)
      judge(switches, await of.lanes(), (await of.world.ledger.state()).epoch)
      for (const { state } of switches) if (state in seen) seen[state as keyof typeof seen] += 1
    }),
    { numRuns: 1_000 }
  )
  // A run in which nothing of it happened would show nothing.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(20)
})

/** Until nothing waits for its turn any more: all are done, or dead. */
async function untilIdle(scheduler: fc.Scheduler): Promise<void> {
  for (;;) {
    await setImmediate()
    if (scheduler.count() === 0) return
    await scheduler.waitNext(1)
  }
}

async function perform(controller: Switcher, one: Act): Promise<void> {
  const by = { actor: 'somebody', reason: 'chance' }
  try {
    if (one.kind === 'request') {
      const { kind: _, target, ...more } = one
      await controller.request(wishFor(target, more), never)
    } else if (one.kind === 'abort') await controller.abort(by, never)
    else if (one.kind === 'rollback') await controller.rollback({ ...by, evenIfUnready: false }, never)
    else await controller.step(never)
  } catch (error) {
    // What is refused changes nothing; the judge sees whether that is so.
    if (!(error instanceof SwitchRefused) && !(error instanceof Failure)) throw error
  }
}

/** A controller that nothing happens to, and time enough for every deadline. */
async function broughtToAnEnd(of: SwitchingWorld): Promise<readonly SwitchReport[]> {
  const last = of.controller('the last')
  await last.step(never)
  of.world.clock.now += 3_600_000
  await last.step(never)
  const { current, switches } = await last.history(1_000, never)
  expect(current).toBeNull()
  expect((await of.world.ledger.state()).draining).toBeUndefined()
  return switches.toReversed()
}

/** The lanes are those of the switches that were completed, one after the other, and of nothing else. */
function judge(switches: readonly SwitchReport[], lanes: readonly Lane[], epoch: number): void {
  const made = switches.filter(({ state }) => state === 'completed')
  const replayed: Lane[] = Array.from({ length: partitions }, () => 'realtime')
  let current = 1
  for (const one of made) {
    expect(one.expectedEpoch).toBe(current)
    expect(one.epoch).toBeGreaterThan(current)
    current = one.epoch
    for (const partition of one.partitions) replayed[partition] = one.target
  }
  expect(epoch).toBe(current)
  expect(lanes).toEqual(replayed)
  expect(new Set(switches.map(({ switchId }) => switchId)).size).toBe(switches.length)
}
