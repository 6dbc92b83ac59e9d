import { vectorFault } from '@pointsman/core/domain/vector-bytes'
import { expect, test } from 'vitest'

function bytesOf(...components: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(components).buffer)
}

test('a finite vector of the right length has no fault', () => {
  expect(vectorFault(bytesOf(0.5, -0.5), 2)).toBeUndefined()
})

test.each([
  ['has 4 bytes', bytesOf(1), 2],
  ['not finite', bytesOf(1, Number.NaN), 2],
  ['not finite', bytesOf(Number.NEGATIVE_INFINITY, 1), 2],
  ['all zero', bytesOf(0, -0), 2]
] as const)('names what %s', (fault, bytes, dimensions) => {
  expect(vectorFault(bytes, dimensions)).toContain(fault)
})

test('bytes that begin anywhere in a larger buffer are read, as those of small decoded answers do', () => {
  const odd = Buffer.concat([Buffer.from([7]), bytesOf(1, 2)]).subarray(1)
  expect(odd.byteOffset % 4).not.toBe(0)
  expect(vectorFault(odd, 2)).toBeUndefined()
})
