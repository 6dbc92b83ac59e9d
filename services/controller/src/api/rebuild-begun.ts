import { z } from 'zod'
import { shortText } from '../short-text.ts'

// What `pointsman rebuild` and POST /v1/ledger/rebuild exchange.

export const rebuildRequest = z
  .object({
    ledgerId: z
      .string()
      .min(1)
      .max(100)
      .describe('that is distrusted, as `status` and `health` tell it: no other one is replaced by mistake'),
    reason: shortText(200)
  })
  .strict()

export const rebuildBegun = z.object({
  ledgerId: z.string().describe('of the ledger that was replaced, or of the one that is rebuilt already'),
  begun: z.boolean().describe('false: a rebuild was under way already'),
  because: z.string()
})
