import type { DocumentCodec, StoredDeadLetter } from '@pointsman/core/ports/event-log'
import { z } from 'zod'

const letterFields = {
  id: z.string(),
  docId: z.string().nullable().describe('the key of the record'),
  partition: z.int(),
  offset: z.int(),
  reason: z.string(),
  attempts: z.int(),
  atMs: z.number()
}

export const letterReport = z.object(letterFields)
export type LetterReport = z.output<typeof letterReport>

export const letterDetail = z.object({
  ...letterFields,
  document: z
    .object({
      docId: z.string(),
      sourceId: z.string(),
      version: z.number(),
      chunk: z.int(),
      chunks: z.int(),
      title: z.string(),
      text: z.string(),
      tokens: z.number(),
      metadata: z.string(),
      deleted: z.boolean()
    })
    .nullable()
    .describe('null when the record cannot be read'),
  unreadable: z.string().nullable()
})
export type LetterDetail = z.output<typeof letterDetail>

export const letterSelection = z.object({
  reason: z.string().min(1).max(200).optional().describe('only those whose reason holds this text'),
  docId: z.string().min(1).max(1000).optional().describe('only those of this document')
})
export type LetterSelection = z.output<typeof letterSelection>

export function isSelected(
  letter: Pick<StoredDeadLetter, 'reason' | 'key'>,
  { reason, docId }: LetterSelection
): boolean {
  return (
    (docId === undefined || letter.key === docId) &&
    (reason === undefined || letter.reason.toLowerCase().includes(reason.toLowerCase()))
  )
}

/**
 * - `unreadable` its record cannot be decoded: nothing would become of it.
 * - `superseded` a newer version of the document has been admitted since.
 * - `under-way`, `indexed` it was sent again before.
 * - `repeated` another letter of the same content is sent.
 */
const skipReason = z.enum(['unreadable', 'superseded', 'under-way', 'indexed', 'repeated'])
export type SkipReason = z.output<typeof skipReason>

export const replayReport = z.object({
  replayed: z.int().nonnegative(),
  sent: z.array(z.string()).describe('ids of the letters whose records were produced again'),
  skipped: z.array(
    z.object({ id: z.string(), docId: z.string().nullable(), reason: skipReason, detail: z.string() })
  )
})
export type ReplayReport = z.output<typeof replayReport>

export const replayRequest = z.union([
  z
    .object({
      ids: z
        .array(z.string().regex(/^\d+-\d+$/))
        .min(1)
        .max(10_000)
    })
    .strict(),
  letterSelection.extend({ all: z.literal(true) }).strict()
])

export function reportLetter({
  id,
  key,
  partition,
  offset,
  reason,
  attempts,
  atMs
}: StoredDeadLetter): LetterReport {
  return { id, docId: key ?? null, partition, offset: Number(offset), reason, attempts, atMs }
}

/** A letter with its document, as far as it can be read. @throws {Failure} `REGISTRY_UNAVAILABLE`. */
export async function detailLetter(
  letter: StoredDeadLetter,
  codec: Pick<DocumentCodec, 'decode'>
): Promise<LetterDetail> {
  const { partition, offset, key, value, atMs: timestampMs } = letter
  const decoded = await codec.decode({ partition, offset, key, value, timestampMs })
  const report = reportLetter(letter)
  if (decoded.kind !== 'document') return { ...report, document: null, unreadable: decoded.reason }
  const { textHash: _, ...document } = decoded.document
  return { ...report, document, unreadable: null }
}
