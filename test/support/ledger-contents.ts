// The documents and payment keys of random histories.
import type { Digest } from '@pointsman/core/domain/identity'

/** Tails at the edges of a signed 64-bit number and of a double, all in one bucket; the last is the fifth in another. */
export const contents = [
  'ffffffffffffffff',
  '0000000000000001',
  '7fffffffffffffff',
  '8000000000000000',
  '0020000000000001',
  '0020000000000000',
  '0000000000000000'
]
  .map(tail => `00000000${tail}` as Digest)
  .concat('f00000000020000000000001' as Digest)
const [fifth, twin] = [4, 7]

/** The first two share a bucket, the last two a tail. */
export const docKeys = [
  '000000000000000000000001',
  '000000000000000000000002',
  '812000000000000000000003',
  'ff0000000000000000000003'
] as readonly string[] as readonly Digest[]

/**
 * No document has both of the contents that share a tail: the ledger tells the contents of one document apart by their
 * tails. Different documents have them, also those that share a tail themselves.
 * @returns the place in `contents` of what this document has instead.
 */
export function fittingContent(doc: number, content: number): number {
  if (content !== fifth && content !== twin) return content
  return doc % 2 === 0 ? fifth : twin
}

export function contentOf(doc: number, content: number): Digest {
  return contents[fittingContent(doc, content) % contents.length]!
}
