import { readTraced, writeTraced } from '@pointsman/core/adapters/redis/trace-call'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('a call is read as it was written, with its bigints and maps', () => {
  const call = {
    method: 'switchLanes',
    by: 'a "quoted" name',
    args: [
      { lanes: new Map([[0, { frontier: 2n ** 53n, lane: 'batch' }]]) },
      [undefined, 0, '', false],
      [[], {}]
    ]
  }
  expect(readTraced(writeTraced(call))).toEqual(call)
})

test('whatever a port is told is read as it was written', () => {
  const { tie } = fc.letrec(again => ({
    tie: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      fc.integer(),
      fc.bigInt(),
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.array(again('tie'), { maxLength: 3 }),
      fc.dictionary(fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }), again('tie'), {
        maxKeys: 3,
        noNullPrototype: true
      }),
      fc.uniqueArray(fc.nat(), { maxLength: 3 }).map(keys => new Map(keys.map(key => [key, BigInt(key)])))
    )
  }))
  fc.assert(
    fc.property(tie, value => {
      expect(readTraced(writeTraced(value))).toEqual(value)
    }),
    { numRuns: 60 }
  )
})
