import { Failure } from '@pointsman/core/domain/failure'
import { z } from 'zod'
import type { Parts } from '../parts.ts'
import { shortText } from '../short-text.ts'

export const searchQuery = z.object({
  q: shortText(8000).describe('what to look for; embedding it costs a few tokens'),
  limit: z.coerce.number().int().min(1).max(100).default(10)
})
export type SearchQuery = z.output<typeof searchQuery>

export const searchAnswer = z.object({
  hits: z.array(
    z.object({
      score: z.number().describe('cosine similarity, -1 to 1'),
      docId: z.string(),
      sourceId: z.string(),
      chunk: z.int(),
      chunks: z.int(),
      title: z.string(),
      text: z.string(),
      version: z.number(),
      metadata: z.string()
    })
  ),
  paidTokens: z.number()
})
export type SearchAnswer = z.output<typeof searchAnswer>

/** Nearest documents to a text, best first. @throws {Failure} of the embedder and the store. */
export async function search(
  { embedder, store }: Pick<Parts, 'embedder' | 'store'>,
  { q, limit }: SearchQuery,
  signal: AbortSignal
): Promise<SearchAnswer> {
  const { vectors, paidTokens } = await embedder.embed([q], signal)
  const [vector] = vectors
  if (vector === undefined)
    throw new Failure('EMBED_OUTCOME_UNKNOWN', 'the provider answered without a vector')
  const hits = await store.search(vector, limit, signal)
  return {
    hits: hits.map(({ score, docId, sourceId, chunk, chunks, title, text, version, metadata }) => ({
      score,
      docId,
      sourceId,
      chunk,
      chunks,
      title,
      text,
      version,
      metadata
    })),
    paidTokens
  }
}
