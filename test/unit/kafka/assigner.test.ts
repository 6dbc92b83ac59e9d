import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deal } from '@pointsman/core/adapters/kafka/assigner'

describe('assigner', () => {
  const counts = fc.record({ members: fc.integer({ min: 1, max: 9 }), partitions: fc.nat({ max: 40 }) })
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

  test('gives every partition to one member, as evenly as can be', () => {
    fc.assert(
      fc.property(counts, ({ members, partitions }) => {
        const seats = numbers(members).map(n => ({ memberId: `m${n}`, instance: `i${n}` }))
        const dealt = [...deal(seats, new Map([['t', numbers(partitions)]])).values()].map(
          each => each['t'] ?? []
        )
        expect(dealt.flat().sort((a, b) => a - b)).toEqual(numbers(partitions))
        const sizes = dealt.map(each => each.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      })
    )
  })

  test('gives an instance the same partitions whatever its member id and whoever deals', () => {
    const partitions = new Map([['t', numbers(7)]])
    const layout = (ids: readonly string[]): unknown => {
      const seats = ids.map((memberId, index) => ({ memberId, instance: `i${index}` }))
      const dealt = deal(seats, partitions)
      return seats.map(({ memberId }) => dealt.get(memberId))
    }
    expect(layout(['z', 'a', 'm'])).toEqual(layout(['b', 'y', 'c']))
  })

  test('tells instances of one name apart', () => {
    const seats = ['a', 'b'].map(memberId => ({ memberId, instance: 'same' }))
    const dealt = deal(seats, new Map([['t', [0, 1]]]))
    expect([dealt.get('a'), dealt.get('b')]).toEqual([{ t: [0] }, { t: [1] }])
  })
})
