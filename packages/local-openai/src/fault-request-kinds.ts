import { z } from 'zod'
import { anyRoute, committingRoute, fraction, positive, when } from './fault-when.ts'

// What may become of a request and of its answer.

const atRoute = { ...when, route: anyRoute.default('embeddings') }

const retrying = {
  /** `Retry-After`: seconds, verbatim text (a date), or null for none. */
  retryAfter: z.union([z.number().min(0), z.string(), z.null()]).optional(),
  /** Sent as `x-should-retry`. */
  shouldRetry: z.boolean().optional()
}

/** Answers instead of the work. */
export const refusals = [
  z.strictObject({
    ...atRoute,
    ...retrying,
    kind: z.literal('rate_limited'),
    limitedBy: z.enum(['tokens', 'requests']).default('tokens')
  }),
  z.strictObject({ ...atRoute, ...retrying, kind: z.literal('slow_down') }),
  z.strictObject({
    ...atRoute,
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
    ...atRoute,
    ...retrying,
    kind: z.literal('http_error'),
    status: z.number().int().min(400).max(599).default(500),
    body: z.enum(['json', 'html', 'empty']).default('json'),
    message: z.string().optional(),
    type: z.string().optional(),
    code: z.string().nullable().default(null),
    param: z.string().nullable().default(null)
  }),
  z.strictObject({ ...atRoute, kind: z.literal('unauthorized') }),
  /** A bad input: 400 for the whole request, naming the input unless told otherwise. */
  z.strictObject({
    ...atRoute,
    route: z.enum(['embeddings', 'any']).default('embeddings'),
    kind: z.literal('poisoned_input'),
    containing: z.string().min(1),
    namesInput: z.boolean().default(true)
  })
] as const

/** What happens on the wire. All but `reset_before` and `hang` before come when the work is done and paid. */
export const wireKinds = [
  z.strictObject({ ...atRoute, kind: z.literal('reset_before') }),
  z.strictObject({
    ...when,
    route: z.literal('embeddings').default('embeddings'),
    kind: z.literal('reset_after_billing')
  }),
  z.strictObject({ ...when, route: committingRoute, kind: z.literal('reset_after_commit') }),
  z.strictObject({
    ...atRoute,
    kind: z.literal('hang'),
    /** The two later ones mean the same: the work is done, and nothing is answered. */
    stage: z.enum(['before', 'after_billing', 'after_commit']).default('before')
  }),
  z.strictObject({ ...atRoute, kind: z.literal('slow_headers'), delayMs: positive }),
  z.strictObject({
    ...atRoute,
    kind: z.literal('slow_body'),
    chunkBytes: positive.default(1024),
    intervalMs: positive.default(100)
  }),
  z.strictObject({ ...atRoute, kind: z.literal('stalled_body'), at: fraction.default(0.5) }),
  z.strictObject({
    ...atRoute,
    kind: z.literal('cut_body'),
    at: fraction.default(0.5),
    /** Instead of `at`. */
    atByte: z.number().int().min(0).optional(),
    /** The answer tells no length and ends as if it were whole, instead of by a reset. */
    clean: z.boolean().default(false)
  }),
  z.strictObject({
    ...atRoute,
    kind: z.literal('wrong_content_type'),
    contentType: z.string().default('text/html; charset=utf-8')
  })
] as const

const ofJob = {
  ...when,
  route: z.enum(['batches.create', 'batches.retrieve', 'batches.cancel']).default('batches.retrieve')
}

/** What a job is shown as, which is not what it is. */
export const viewKinds = [
  /** The files of a job that seems to run are not shown either. */
  z.strictObject({ ...ofJob, kind: z.literal('wrong_status'), shown: z.string().default('paused') }),
  z.strictObject({
    ...ofJob,
    kind: z.literal('missing_file_ids'),
    file: z.enum(['output', 'error', 'both']).default('both'),
    as: z.enum(['null', 'empty', 'absent']).default('null')
  }),
  /** Ids of files that are not there are `""` instead of null. */
  z.strictObject({ ...ofJob, kind: z.literal('empty_file_ids') }),
  z.strictObject({
    ...ofJob,
    kind: z.literal('wrong_counts'),
    total: z.number().int().default(0),
    completed: z.number().int().default(0),
    failed: z.number().int().default(0)
  })
] as const

const refusalSchema = z.discriminatedUnion('kind', refusals)
const viewFaultSchema = z.discriminatedUnion('kind', viewKinds)

export type Refusal = Readonly<z.output<typeof refusalSchema>>
export type ViewFault = Readonly<z.output<typeof viewFaultSchema>>

const refusalKinds: ReadonlySet<string> = new Set(refusals.map(({ shape }) => shape.kind.value))
const viewKindNames: ReadonlySet<string> = new Set(viewKinds.map(({ shape }) => shape.kind.value))

export function isRefusal(rule: { readonly kind: string }): rule is Refusal {
  return refusalKinds.has(rule.kind)
}

export function isViewFault(rule: { readonly kind: string }): rule is ViewFault {
  return viewKindNames.has(rule.kind)
}
