import { z } from 'zod'
import { anyRoute, fraction, when } from './fault-when.ts'

// What may be wrong in a paid answer of the embeddings endpoint: in that of a request, or of a job's line.

const embedded = { ...when, route: z.enum(['embeddings', 'lines']).default('embeddings') }
const anyBody = { ...when, route: z.enum([...anyRoute.options, 'lines']).default('embeddings') }

function simple<const Kind extends string>(kind: Kind) {
  return z.strictObject({ ...embedded, kind: z.literal(kind) })
}

export const answerKinds = [
  z.strictObject({ ...anyBody, kind: z.literal('truncated_json'), at: fraction.default(0.5) }),
  z.strictObject({ ...anyBody, kind: z.literal('malformed_json') }),
  z.strictObject({ ...embedded, kind: z.literal('wrong_count'), by: z.number().int().default(-1) }),
  simple('shuffled'),
  simple('duplicate_index'),
  simple('missing_index'),
  z.strictObject({ ...embedded, kind: z.literal('wrong_dimensions'), by: z.number().int().default(-1) }),
  simple('nan'),
  simple('zero_vector'),
  simple('base64_misaligned'),
  simple('floats_despite_base64'),
  z.strictObject({ ...embedded, kind: z.literal('understated_usage'), factor: fraction.default(0.5) })
] as const

const answerFaultSchema = z.discriminatedUnion('kind', answerKinds)

export type AnswerFault = Readonly<z.output<typeof answerFaultSchema>>
