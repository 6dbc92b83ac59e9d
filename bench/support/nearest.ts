// Vectors to measure an index with, and the truth about them.
import { seededRandom } from './seeded-random.ts'

/** Unit vectors around centres, as embeddings of texts lie; the same for the same seed. */
export function clusteredVectors(seed: string, count: number, dimensions: number): readonly Float32Array[] {
  const random = seededRandom(seed)
  const centres = Array.from({ length: clusterCount }, () => direction(dimensions, random))
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * clusterCount)] ?? new Float32Array(dimensions)
    const offset = direction(dimensions, random)
    return unit(centre.map((component, index) => component + spread * (offset[index] ?? 0)))
  })
}

const clusterCount = 200
/** Length of the way from a centre, itself of length 1. */
const spread = 0.8

/** Indices of the `limit` vectors nearest to `query` by cosine, nearest first. All are of length 1. */
export function nearestByBruteForce(
  query: Float32Array,
  vectors: readonly Float32Array[],
  limit: number
): readonly number[] {
  return vectors
    .map((vector, index) => [dot(query, vector), index] as const)
    .sort(([a], [b]) => b - a)
    .slice(0, limit)
    .map(([, index]) => index)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(dot(vector, vector))
  return vector.map(component => component / norm)
}

function direction(dimensions: number, random: () => number): Float32Array {
  return unit(Float32Array.from({ length: dimensions }, () => normal(random)))
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
