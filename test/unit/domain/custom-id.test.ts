import { formatCustomId, parseCustomId } from '@pointsman/core/domain/custom-id'
import type { Digest } from '@pointsman/core/domain/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const content = '0123456789abcdef01234567' as Digest

test('a line is named after payment key, partition and offset, in at most 64 ASCII characters', () => {
  expect(formatCustomId({ content, partition: 3, offset: 17n })).toBe(`${content}.3.17`)
  const longest = formatCustomId({ content, partition: 2 ** 31 - 1, offset: 2n ** 63n - 1n })
  expect(longest).toMatch(/^[ -~]{55}$/)
})

test('a name says again what it was made of', () => {
  const names = fc.record({
    content: fc.stringMatching(/^[0-9a-f]{24}$/).map(hex => hex as Digest),
    partition: fc.nat(),
    offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
  })
  const same = fc.property(names, name => {
    expect(parseCustomId(formatCustomId(name))).toEqual({ ...name })
  })
  fc.assert(same)
})

test.each([
  '',
  content,
  `${content}.3`,
  `${content}.3.17.4`,
  `${content}.03.17`,
  `${content}.3.-1`,
  `${content}.3.1e5`,
  ` ${content}.3.17`,
  `${content}.3.17\n`,
  `${content.toUpperCase()}.3.17`,
  `${content}0.3.17`,
  'request-1'
])('%j names no line of ours', text => {
  expect(parseCustomId(text)).toBeUndefined()
})
