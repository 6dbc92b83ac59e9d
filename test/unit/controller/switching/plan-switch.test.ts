import type { Lane } from '@pointsman/core/domain/lane'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planRollback, planSwitch } from '../../../../services/controller/src/switching/plan-switch.ts'
import { wishFor } from '../../../support/switching.ts'

function lanesOf(...lanes: readonly Lane[]) {
  const defaultLane: Lane = 'realtime'
  return {
    defaultLane,
    partitions: new Map(lanes.map((lane, partition) => [partition, { lane, frontier: 0n }]))
  }
}

const r = 'realtime' as const
const b = 'batch' as const

describe('planSwitch', () => {
  test('the whole stream: every partition of the other lane moves, and new ones follow', () => {
    const plan = planSwitch(lanesOf(r, b, r), wishFor(b))
    expect([...plan.lanes]).toEqual([
      [0, b],
      [2, b]
    ])
    expect([...plan.before.values()]).toEqual([r, b, r])
    expect(plan.defaultLane).toBe(b)
  })

  test('a share moves the lowest partitions, and the default lane is that of the most', () => {
    const quarter = planSwitch(lanesOf(r, r, r, r), wishFor(b, { share: 0.25 }))
    expect([...quarter.lanes.keys()]).toEqual([0])
    expect(quarter.defaultLane).toBe(r)
    const half = planSwitch(lanesOf(b, r, r, r), wishFor(b, { share: 0.5 }))
    expect([...half.lanes.keys()]).toEqual([1])
    expect(half.defaultLane).toBe(b)
  })

  test('a share is never nothing', () => {
    expect(planSwitch(lanesOf(r, r), wishFor(b, { share: 0.01 })).lanes.size).toBe(1)
  })

  test('what is so already moves nothing', () => {
    expect(planSwitch(lanesOf(b, b), wishFor(b)).lanes.size).toBe(0)
  })

  test.each([
    ['SHARE_FALLS', lanesOf(b, b, b, r), wishFor(b, { share: 0.5 })],
    ['FORCE_NEEDS_ALL', lanesOf(r, r), wishFor(b, { share: 0.5, strategy: 'force' })],
    ['NO_PARTITIONS', lanesOf(), wishFor(b)]
  ])('refused as %s', (code, state, wish) => {
    expect(() => planSwitch(state, wish)).toThrow(expect.objectContaining({ code }))
  })

  test('no partition ever moves away from the target, and the share is met', () => {
    const lane = fc.constantFrom<Lane>(r, b)
    fc.assert(
      fc.property(
        fc.array(lane, { minLength: 1, maxLength: 12 }),
        lane,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (lanes, target, share) => {
          const there = lanes.filter(one => one === target).length
          const wanted = Math.max(1, Math.round(share * lanes.length))
          fc.pre(there <= wanted)
          const plan = planSwitch(lanesOf(...lanes), wishFor(target, { share }))
          expect([...plan.lanes.values()].every(one => one === target)).toBe(true)
          expect([...plan.lanes.keys()].every(partition => lanes[partition] !== target)).toBe(true)
          expect(there + plan.lanes.size).toBe(wanted)
        }
      )
    )
  })
})

describe('planRollback', () => {
  test('a mixture comes back as it was, and partitions that came since keep their lane', () => {
    const before = new Map([
      [0, b],
      [1, r]
    ])
    const plan = planRollback(lanesOf(b, b, b), before, r)
    expect([...plan.lanes]).toEqual([[1, r]])
    expect(plan.defaultLane).toBe(b)
  })
})
