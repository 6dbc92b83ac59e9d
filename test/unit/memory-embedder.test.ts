import { Failure } from '@pointsman/core/domain/failure'
import { MemoryEmbedder } from '@pointsman/core/adapters/memory/embedder'
import { expect, test } from 'vitest'
import { embedderContract } from '../contract/embedder.ts'

embedderContract('memory', () => Promise.resolve(new MemoryEmbedder()))

const { signal } = new AbortController()

test('answers the same vector for the same model and text, and another for any other', async () => {
  const small = new MemoryEmbedder({ model: 'small' })
  const once = await small.embed(['a', 'b'], signal)
  const again = await new MemoryEmbedder({ model: 'small' }).embed(['b', 'a'], signal)
  const large = await new MemoryEmbedder({ model: 'large' }).embed(['a'], signal)

  expect(again.vectors).toEqual(once.vectors.toReversed())
  expect(once.vectors[0]).not.toEqual(once.vectors[1])
  expect(large.vectors[0]).not.toEqual(once.vectors[0])
})

test('counts what is paid per text', async () => {
  const embedder = new MemoryEmbedder({ tokensOf: text => text.length })
  await embedder.embed(['aa', 'b'], signal)
  await embedder.embed(['aa'], signal)

  expect([...embedder.payments]).toEqual([
    ['aa', 2],
    ['b', 1]
  ])
  expect(embedder.paidTokens).toBe(5)
  expect(embedder.calls).toBe(2)
})

test('fails as scripted, once per call and in order', async () => {
  const embedder = new MemoryEmbedder()
  const limited = new Failure('EMBED_RATE_LIMITED', 'slow down', { retryAfterMs: 70 })
  embedder.fail({ kind: 'refused', failure: limited }, { kind: 'unknown-unpaid' }, { kind: 'unknown-paid' })

  await expect(embedder.embed(['a'], signal)).rejects.toBe(limited)
  await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({ code: 'EMBED_OUTCOME_UNKNOWN' })
  expect(embedder.payments.get('a')).toBeUndefined()
  await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({ code: 'EMBED_OUTCOME_UNKNOWN' })
  expect(embedder.payments.get('a')).toBe(1)
  await expect(embedder.embed(['a'], signal)).resolves.toBeDefined()
})

test('rejects a request with a poisoned text and pays for none of it', async () => {
  const embedder = new MemoryEmbedder()
  embedder.poison('bad')

  await expect(embedder.embed(['good', 'bad'], signal)).rejects.toMatchObject({
    code: 'EMBED_INPUT_REJECTED',
    inputIndex: 1
  })
  expect(embedder.payments.size).toBe(0)
})

test('an abort after payment throws the reason, and is paid for all the same', async () => {
  const stop = new AbortController()
  const reason = new Error('stopping')
  const embedder = new MemoryEmbedder({
    answerAfter: () => {
      stop.abort(reason)
      return Promise.resolve()
    }
  })

  await expect(embedder.embed(['a'], stop.signal)).rejects.toBe(reason)
  expect(embedder.payments.get('a')).toBe(1)
})
