// What every Embedder must do. `open` gives one whose provider answers and knows the model.
import type { Embedder } from '@pointsman/core/ports/embedder'
import { Failure } from '@pointsman/core/domain/failure'
import { vectorFault } from '@pointsman/core/domain/vector-bytes'
import { describe, expect, test } from 'vitest'

export function embedderContract(adapter: string, open: () => Promise<Embedder>): void {
  const signal = (): AbortSignal => new AbortController().signal

  describe(`Embedder contract: ${adapter}`, () => {
    test('answers one usable vector per text, in the order given', async () => {
      const embedder = await open()
      const texts = Array.from({ length: 40 }, (_, index) => `text number ${index}`)

      const { vectors, paidTokens } = await embedder.embed(texts, signal())
      expect(vectors).toHaveLength(texts.length)
      expect(vectors.map(vector => vectorFault(vector, embedder.dimensions))).toEqual(
        texts.map(() => undefined)
      )
      expect(paidTokens).toBeGreaterThanOrEqual(texts.length)

      const backwards = await embedder.embed(texts.toReversed(), signal())
      for (const [index, vector] of backwards.vectors.toReversed().entries()) {
        expect(cosine(vector, vectors[index]!)).toBeGreaterThan(0.99)
      }
    })

    test('answers unit vectors', async () => {
      const embedder = await open()
      const { vectors } = await embedder.embed(['the only text'], signal())

      expect(Math.hypot(...floats(vectors[0]!))).toBeCloseTo(1, 5)
    })

    test('takes any text that is not empty', async () => {
      const embedder = await open()
      const texts = [' ', '\n', 'ä€𝄞', '"\\\u0000', '\ud800 alone']

      const { vectors } = await embedder.embed(texts, signal())
      expect(vectors).toHaveLength(texts.length)
    })

    test('rejects an empty text and names its place', async () => {
      const failure = await failureOf((await open()).embed(['fine', 'fine too', ''], signal()))
      expect(failure).toMatchObject({ code: 'EMBED_INPUT_REJECTED', inputIndex: 2 })
    })

    test('rejects a text of more than 8192 tokens and names its place', async () => {
      const tooLong = 'word '.repeat(8200)
      const failure = await failureOf((await open()).embed(['fine', tooLong], signal()))
      expect(failure).toMatchObject({ code: 'EMBED_INPUT_REJECTED', inputIndex: 1 })
    })

    test('asks to split a request of too many texts or too many tokens', async () => {
      const embedder = await open()
      const tooMany = await failureOf(embedder.embed(Array.from({ length: 2049 }, String), signal()))
      expect(tooMany.code).toBe('EMBED_TOO_LARGE')

      const long = 'word '.repeat(8000)
      const tooMuch = await failureOf(
        embedder.embed(
          Array.from({ length: 38 }, (_, index) => `${index} ${long}`),
          signal()
        )
      )
      expect(tooMuch.code).toBe('EMBED_TOO_LARGE')
    })

    test('sends nothing when it is aborted before', async () => {
      const reason = new Error('stopping')
      await expect((await open()).embed(['a text'], AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    test('passes a check without paying', async () => {
      await expect((await open()).check(signal())).resolves.toBeUndefined()
    })
  })
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof Failure) return error
  throw new Error(`expected a Failure, got ${String(error)}`)
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer)
}

function cosine(a: Uint8Array, b: Uint8Array): number {
  const [left, right] = [floats(a), floats(b)]
  return left.reduce((sum, component, index) => sum + component * right[index]!, 0)
}
