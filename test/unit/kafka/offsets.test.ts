import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { committedOf, isInside, selectCommits, spansOf } from '@pointsman/core/adapters/kafka/offsets'

describe('offsets', () => {
  test('what brokers store for "none" is no committed offset', () => {
    expect(['-2', '-1', '0', '7'].map(committedOf)).toEqual([undefined, undefined, 0n, 7n])
  })

  test('the end of the log is inside it: there the next record will be', () => {
    const bounds = { start: 3n, end: 5n }
    expect([2n, 3n, 5n, 6n].map(position => isInside(position, bounds))).toEqual([false, true, true, false])
  })

  test('only what is assigned, looked up, and above what stands is committed', () => {
    const watermarks = new Map([
      [0, 5n],
      [1, 5n],
      [2, 5n],
      [3, 5n],
      [4, 5n]
    ])
    const committed = new Map([
      [0, 4n],
      [1, 5n],
      [2, undefined],
      [3, 9n]
    ])
    const { send, stand } = selectCommits(watermarks, [0, 1, 2, 4], committed)
    expect([...send]).toEqual([
      [0, 5n],
      [2, 5n]
    ])
    expect([...stand]).toEqual([[1, 5n]])
  })

  test('a commit never falls', () => {
    const partition = fc.nat({ max: 4 })
    const offset = fc.bigInt({ min: 0n, max: 20n })
    const offsets = fc.array(fc.tuple(partition, offset)).map(pairs => new Map(pairs))
    fc.assert(
      fc.property(offsets, offsets, fc.array(partition), (watermarks, committed, assigned) => {
        const { send } = selectCommits(watermarks, assigned, committed)
        for (const [at, sent] of send) {
          expect(assigned).toContain(at)
          expect(sent > (committed.get(at) ?? -1n)).toBe(true)
        }
      })
    )
  })

  test('spans cover every offset, in order, and bridge small gaps alone', () => {
    const offsets = fc
      .uniqueArray(fc.bigInt({ min: 0n, max: 200n }))
      .map(each => each.sort((a, b) => Number(a - b)))
    fc.assert(
      fc.property(offsets, fc.bigInt({ min: 0n, max: 9n }), (wanted, near) => {
        const spans = spansOf(wanted, near)
        for (const each of wanted) expect(spans.some(({ from, to }) => from <= each && each < to)).toBe(true)
        for (const [index, { from }] of spans.entries()) {
          const before = spans[index - 1]
          if (before !== undefined) expect(from - before.to > near).toBe(true)
        }
      })
    )
  })
})
