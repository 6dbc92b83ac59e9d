// The adapter against the local server: everything that OpenAI may do to a call, and what the bill says about it.
import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import type { Embedder } from '@pointsman/core/ports/embedder'
import { afterAll, expect, test } from 'vitest'
import { embedderContract } from '../contract/embedder.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from '../support/local-openai-under-test.ts'

const { signal } = new AbortController()
const opened = new AsyncDisposableStack()
afterAll(() => opened.disposeAsync())

function embedderOn(server: LocalOpenaiUnderTest, other: Record<string, unknown> = {}): Embedder {
  const settings = {
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: server.url,
    EMBEDDING_MODEL: 'text-embedding-3-small',
    EMBEDDING_DIMENSIONS: 256,
    ...other
  }
  return openOpenai(settings, { deadlineMs: 2_000 })
}

embedderContract('openai', async () => embedderOn(opened.use(await openLocalOpenai())))

test.each([
  [{ kind: 'rate_limited' }, 'EMBED_RATE_LIMITED'],
  [{ kind: 'slow_down' }, 'EMBED_RATE_LIMITED'],
  [{ kind: 'insufficient_quota' }, 'EMBED_OUT_OF_FUNDS'],
  [{ kind: 'unauthorized' }, 'EMBED_REFUSED'],
  [{ kind: 'poisoned_input', containing: 'b' }, 'EMBED_INPUT_REJECTED'],
  [{ kind: 'http_error', status: 500 }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'reset_before' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'reset_after_billing' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'hang', stage: 'after_billing' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'stalled_body' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'cut_body' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'truncated_json' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'malformed_json' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'wrong_count' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'duplicate_index' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'missing_index' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'wrong_dimensions' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'nan' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'zero_vector' }, 'EMBED_OUTCOME_UNKNOWN'],
  [{ kind: 'base64_misaligned' }, 'EMBED_OUTCOME_UNKNOWN']
] as const)('%j ends as %s', async (rule, code) => {
  await using server = await openLocalOpenai({ faults: { rules: [rule] } })

  await expect(embedderOn(server).embed(['a', 'b'], signal)).rejects.toMatchObject({ code })
})

test.each(['shuffled', 'floats_despite_base64', 'wrong_content_type'] as const)(
  '%s changes no vector',
  async kind => {
    const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`)
    await using plain = await openLocalOpenai()
    await using faulty = await openLocalOpenai({ faults: { rules: [{ kind }] } })
    const expected = await embedderOn(plain).embed(texts, signal)
    const { vectors } = await embedderOn(faulty).embed(texts, signal)

    expect(vectors.map(vector => Buffer.from(vector))).toEqual(
      expected.vectors.map(vector => Buffer.from(vector))
    )
  }
)

test('a model that the provider does not know is refused by the check', async () => {
  await using server = await openLocalOpenai()
  const embedder = embedderOn(server, { EMBEDDING_MODEL: 'no-such-model' })

  await expect(embedder.check(signal)).rejects.toMatchObject({ code: 'EMBED_REFUSED' })
})
