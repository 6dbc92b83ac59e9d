import { z } from 'zod'

/** What costs and durations are reckoned from where nothing better is known. */
export const reckoningSettings = {
  /** Realtime price, for models that are not in the price list; a job costs half. */
  EMBEDDING_USD_PER_MILLION_TOKENS: z.coerce.number().nonnegative().optional(),
  /** What the provider allows, for estimates before anything was measured; that of its first paid tier. */
  EMBEDDING_TOKENS_PER_MINUTE: z.coerce.number().positive().default(1_000_000)
}

export type ReckoningSettings = z.output<z.ZodObject<typeof reckoningSettings>>
