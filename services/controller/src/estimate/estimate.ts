import { z } from 'zod'
import type { Reckoning } from './reckon.ts'

/** Of what the producer tells of an estimate, the part that is shown. */
export const estimatedInput = z.looseObject({
  event: z.literal('estimate'),
  documents: z.int().describe('texts read'),
  unchanged: z.int(),
  emitted: z.int().describe('documents that would be sent'),
  chunks: z.int(),
  tombstones: z.int(),
  tokens: z.number(),
  distinct: z.looseObject({ texts: z.int(), tokens: z.int() }),
  rejected: z.array(z.looseObject({ path: z.string(), id: z.string().optional(), reason: z.string() })),
  rejectedTotal: z.int(),
  notices: z.array(z.string()),
  stopped: z.boolean(),
  seconds: z.number()
})

export interface Estimate {
  readonly model: string
  /** As the producer counted it. */
  readonly input: z.output<typeof estimatedInput>
  /** Of the distinct texts, those that the ledger knows to be in the index; null when it was not asked. */
  readonly indexed: { readonly texts: number; readonly tokens: number } | null
  readonly toPay: { readonly texts: number; readonly tokens: number; readonly jobs: number }
  readonly lanes: Reckoning
  /** What could not be taken into account. */
  readonly notices: readonly string[]
}
