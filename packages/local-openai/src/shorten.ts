/** The prefix of a vector, brought back to unit length: what `dimensions` asks for. */
export function shorten(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector
  const prefix = vector.slice(0, dimensions)
  const length = Math.sqrt(prefix.reduce((sum, value) => sum + value * value, 0))
  // A prefix of zeros has no direction; keep the answer a unit vector all the same.
  if (length === 0) prefix[0] = 1
  return length === 0 ? prefix : prefix.map(value => value / length)
}
