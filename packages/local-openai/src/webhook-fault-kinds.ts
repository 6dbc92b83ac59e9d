import { z } from 'zod'
import { when } from './fault-when.ts'

// What may become of the news of a job's end. Drawn when there is some to send.

const ofNews = { ...when, route: z.literal('webhooks').default('webhooks') }

export const webhookKinds = [
  z.strictObject({ ...ofNews, kind: z.literal('webhook_lost') }),
  /** Comes twice under the same id. */
  z.strictObject({ ...ofNews, kind: z.literal('webhook_doubled') }),
  /** Comes after the next one. */
  z.strictObject({ ...ofNews, kind: z.literal('webhook_late') }),
  z.strictObject({ ...ofNews, kind: z.literal('webhook_badly_signed') })
] as const
