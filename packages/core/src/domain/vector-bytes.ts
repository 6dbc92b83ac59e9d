/**
 * What is wrong with the bytes of a vector, or undefined. Looks at bits, so that no vector becomes an array of
 * numbers: a float32 whose exponent is all ones is infinite or not a number.
 * @param bytes - `dimensions` little-endian float32 values; the host is little-endian too, as all hosts of Node are
 *   that matter here.
 */
export function vectorFault(bytes: Uint8Array, dimensions: number): string | undefined {
  if (bytes.byteLength !== dimensions * 4) {
    return `has ${bytes.byteLength} bytes, not the ${dimensions * 4} of ${dimensions} dimensions`
  }
  const words = float32Words(bytes)
  let anyBit = 0
  // Counted, not iterated: every vector passes here twice, and an iterator takes ten times as long.
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0
    if ((word & 0x7f800000) === 0x7f800000) return 'has a component that is not finite'
    anyBit |= word & 0x7fffffff
  }
  return anyBit === 0 ? 'is all zero' : undefined
}

/** The bit patterns of the components; a view where alignment allows it. */
function float32Words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.byteLength / 4)
}
