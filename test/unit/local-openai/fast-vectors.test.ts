import { FastVectors } from '@pointsman/local-openai/fast-vectors'
import { openaiModels } from '@pointsman/local-openai/models'
import type { EmbeddingModel } from '@pointsman/local-openai/models'
import { digestText } from '@pointsman/local-openai/paid-input'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const source = new FastVectors()
const anyText = fc.string({ minLength: 1, maxLength: 200 })
const anyModel = fc.constantFrom(...openaiModels)

async function embed(
  vectors: FastVectors,
  model: EmbeddingModel,
  text: string,
  dimensions: number
): Promise<Float32Array> {
  const input = { text, digest: digestText(text), tokens: 1 }
  return (await vectors.embed(model, [input], dimensions)).row(0)
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0)
}

test('a vector depends on model and text alone, and has unit length', async () => {
  const restarted = new FastVectors()
  await fc.assert(
    fc.asyncProperty(anyModel, anyText, async (model, text) => {
      const vector = await embed(source, model, text, model.dimensions)
      expect(vector).toEqual(await embed(restarted, model, text, model.dimensions))
      expect(Math.abs(Math.sqrt(dot(vector, vector)) - 1)).toBeLessThan(1e-6)
    }),
    { numRuns: 50 }
  )
})

test('a shorter vector is the prefix of the native one, brought back to unit length', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyModel,
      anyText,
      fc.integer({ min: 1, max: 1535 }),
      async (model, text, dimensions) => {
        const native = await embed(source, model, text, model.dimensions)
        const short = await embed(source, model, text, dimensions)
        const prefix = native.slice(0, dimensions)
        expect(short).toHaveLength(dimensions)
        expect(Math.abs(Math.sqrt(dot(short, short)) - 1)).toBeLessThan(1e-6)
        expect(Math.abs(dot(short, prefix) / Math.sqrt(dot(prefix, prefix)) - 1)).toBeLessThan(1e-5)
      }
    ),
    { numRuns: 100 }
  )
})

test('base64 holds the very numbers of the row', async () => {
  await fc.assert(
    fc.asyncProperty(anyModel, anyText, fc.constantFrom(7, 1000, undefined), async (model, text, wanted) => {
      const dimensions = wanted ?? model.dimensions
      const input = { text, digest: digestText(text), tokens: 1 }
      const vectors = await source.embed(model, [input], dimensions)
      const target = Buffer.alloc(20_000)
      const written = vectors.writeBase64(0, target, 5)
      const bytes = Buffer.from(target.toString('latin1', 5, 5 + written), 'base64')
      const numbers = Float32Array.from({ length: bytes.length / 4 }, (_, index) =>
        bytes.readFloatLE(index * 4)
      )
      expect(numbers).toEqual(vectors.row(0))
    }),
    { numRuns: 50 }
  )
})

test('vectors of different texts are spread over the whole space', async () => {
  const model = openaiModels[0]!
  const vectors = await Promise.all(
    Array.from({ length: 300 }, (_, index) => embed(source, model, `text ${index}`, model.dimensions))
  )
  const cosines: number[] = []
  for (const [index, a] of vectors.entries()) {
    for (const b of vectors.slice(index + 1)) cosines.push(dot(a, b))
  }
  const mean = cosines.reduce((sum, one) => sum + one, 0) / cosines.length
  const variance = cosines.reduce((sum, one) => sum + (one - mean) ** 2, 0) / cosines.length
  expect(Math.abs(mean)).toBeLessThan(0.002)
  // Independent directions have 1 / sqrt(1536) = 0.0255.
  expect(Math.sqrt(variance)).toBeLessThan(0.03)
  expect(Math.max(...cosines)).toBeLessThan(0.4)
})
