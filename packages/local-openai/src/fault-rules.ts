import { z } from 'zod'

// What can go wrong on purpose. A rule says when (route, model, containing, nth, share, times) and what (kind and
// its parameters). Kinds that refuse and the `_before` ones cost nothing; all others play on a paid request.

const positive = z.number().int().min(1)
const fraction = z.number().min(0).max(1)

const routeNames = [
  'embeddings',
  'models',
  'files.create',
  'files.list',
  'files.retrieve',
  'files.delete',
  'files.content',
  'batches.create',
  'batches.list',
  'batches.retrieve',
  'batches.cancel'
] as const

export type RouteName = (typeof routeNames)[number]

const when = {
  route: z.enum([...routeNames, 'any']).default('embeddings'),
  model: z.string().optional(),
  /** Only requests with an input that contains this text. */
  containing: z.string().min(1).optional(),
  /** Which of the matching requests, counted from 1 since the rule was set. */
  nth: z
    .union([
      positive,
      z.array(positive).min(1),
      z.strictObject({ from: positive.default(1), to: positive.optional(), every: positive.default(1) })
    ])
    .optional(),
  /** Which share of the matching requests, drawn with the script's seed. */
  share: fraction.optional(),
  /** How often at most. */
  times: positive.optional()
}

const retrying = {
  /** `Retry-After`: seconds, verbatim text (a date), or null for none. */
  retryAfter: z.union([z.number().min(0), z.string(), z.null()]).optional(),
  /** Sent as `x-should-retry`. */
  shouldRetry: z.boolean().optional()
}

function simple<const Kind extends string>(kind: Kind) {
  return z.strictObject({ ...when, kind: z.literal(kind) })
}

const refusals = [
  z.strictObject({
    ...when,
    ...retrying,
    kind: z.literal('rate_limited'),
    limitedBy: z.enum(['tokens', 'requests']).default('tokens')
  }),
  z.strictObject({ ...when, ...retrying, kind: z.literal('slow_down') }),
  z.strictObject({
    ...when,
    ...retrying,
    kind: z.literal('insufficient_quota'),
    code: z
      .enum([
        'insufficient_quota',
        'credit_balance_exhausted',
        'organization_spend_limit_exceeded',
        'project_spend_limit_exceeded'
      ])
      .default('insufficient_quota')
  }),
  z.strictObject({
    ...when,
    ...retrying,
    kind: z.literal('http_error'),
    status: z.number().int().min(400).max(599).default(500),
    body: z.enum(['json', 'html', 'empty']).default('json'),
    message: z.string().optional(),
    type: z.string().optional(),
    code: z.string().nullable().default(null),
    param: z.string().nullable().default(null)
  }),
  simple('unauthorized'),
  /** A bad input: 400 for the whole request, naming the input unless told otherwise. */
  z.strictObject({
    ...when,
    kind: z.literal('poisoned_input'),
    containing: z.string().min(1),
    namesInput: z.boolean().default(true)
  })
] as const

const refusalSchema = z.discriminatedUnion('kind', refusals)

const ruleSchema = z
  .discriminatedUnion('kind', [
    ...refusals,
    simple('reset_before'),
    simple('reset_after_billing'),
    z.strictObject({
      ...when,
      kind: z.literal('hang'),
      stage: z.enum(['before', 'after_billing']).default('before')
    }),
    z.strictObject({ ...when, kind: z.literal('slow_headers'), delayMs: positive }),
    z.strictObject({
      ...when,
      kind: z.literal('slow_body'),
      chunkBytes: positive.default(1024),
      intervalMs: positive.default(100)
    }),
    z.strictObject({ ...when, kind: z.literal('stalled_body'), at: fraction.default(0.5) }),
    z.strictObject({ ...when, kind: z.literal('cut_body'), at: fraction.default(0.5) }),
    z.strictObject({ ...when, kind: z.literal('truncated_json'), at: fraction.default(0.5) }),
    simple('malformed_json'),
    z.strictObject({
      ...when,
      kind: z.literal('wrong_content_type'),
      contentType: z.string().default('text/html; charset=utf-8')
    }),
    z.strictObject({ ...when, kind: z.literal('wrong_count'), by: z.number().int().default(-1) }),
    simple('shuffled'),
    simple('duplicate_index'),
    simple('missing_index'),
    z.strictObject({ ...when, kind: z.literal('wrong_dimensions'), by: z.number().int().default(-1) }),
    simple('nan'),
    simple('zero_vector'),
    simple('base64_misaligned'),
    simple('floats_despite_base64'),
    z.strictObject({ ...when, kind: z.literal('understated_usage'), factor: fraction.default(0.5) })
  ])
  .refine(rule => rule.route === 'embeddings' || isRefusal(rule) || rule.kind === 'reset_before', {
    path: ['route'],
    message: 'this kind is for embeddings only'
  })

export type FaultRule = Readonly<z.output<typeof ruleSchema>>
export type Refusal = Readonly<z.output<typeof refusalSchema>>

/** `{seed?, rules}`: the first rule that fires for a request decides. */
export const faultScriptSchema = z.strictObject({
  seed: z.number().int().default(1),
  rules: z.array(ruleSchema)
})

export type FaultPlan = z.input<typeof faultScriptSchema>

const refusalKinds: ReadonlySet<string> = new Set(refusals.map(refusal => refusal.shape.kind.value))

export function isRefusal(rule: { readonly kind: string }): rule is Refusal {
  return refusalKinds.has(rule.kind)
}
