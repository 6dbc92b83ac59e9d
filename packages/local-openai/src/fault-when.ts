import { z } from 'zod'

// When a rule plays. What it strikes is named by its route: a request, or something behind the requests, as
// `jobs` (drawn when a job is created), `lines` (of a job) and `files` (drawn when one is uploaded).

export const positive = z.number().int().min(1)
export const fraction = z.number().min(0).max(1)
/** Of the virtual clock. */
export const seconds = z.number().min(0).max(1e9)

const requestRoutes = [
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

/** Routes at which something is created, changed or removed. */
const committingRoutes = ['files.create', 'files.delete', 'batches.create', 'batches.cancel'] as const

export type RouteName = (typeof requestRoutes)[number]

export const anyRoute = z.enum([...requestRoutes, 'any'])
export const committingRoute = z.enum(committingRoutes)

/** Which ones, counted from 1. */
const nthSchema = z.union([
  positive,
  z.array(positive).min(1),
  z.strictObject({ from: positive.default(1), to: positive.optional(), every: positive.default(1) })
])

export type Nth = Readonly<z.output<typeof nthSchema>>

export const when = {
  model: z.string().optional(),
  /** Only requests, or lines, with an input that contains this text. */
  containing: z.string().min(1).optional(),
  /** Which of the matching ones since the rule was set; of lines: their number in the input. */
  nth: nthSchema.optional(),
  /** Which share of the matching ones, drawn with the script's seed. */
  share: fraction.optional(),
  /** How often at most. */
  times: positive.optional(),
  /** Only from so long after the rule was set, in real time. */
  fromMs: z.number().min(0).optional(),
  /** Only for so long from then. */
  forMs: positive.optional(),
  /** Only requests about this file or job. */
  id: z.string().optional(),
  /** Only requests about a job that has in truth this status, or one of these. */
  whileStatus: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** `nth` and `times` are counted for each file or job by itself. */
  perId: z.boolean().optional(),
  /** Only lines of this custom_id, or one of these. */
  customId: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** Only lines of these jobs, counted by their creation since the rule was set. */
  jobs: nthSchema.optional()
}

type Condition = keyof typeof when

const forRequests: readonly Condition[] = [
  'model',
  'containing',
  'nth',
  'share',
  'times',
  'fromMs',
  'forMs',
  'id',
  'whileStatus',
  'perId'
]
const forDraws: readonly Condition[] = ['nth', 'share', 'times', 'fromMs', 'forMs']
const forLines: readonly Condition[] = ['nth', 'share', 'containing', 'customId', 'jobs']

/** The conditions among `given` that mean nothing at the route. */
export function findMisplaced(route: string, given: object): string[] {
  const allowed =
    route === 'lines' ? forLines : /^(jobs|files|webhooks)$/.test(route) ? forDraws : forRequests
  return Object.keys(given).filter(
    name => Object.hasOwn(when, name) && !allowed.some(condition => condition === name)
  )
}

export function isNth(nth: Nth | undefined, number: number): boolean {
  if (nth === undefined) return true
  if (typeof nth === 'number') return number === nth
  if ('from' in nth) {
    const { every, from, to = Number.POSITIVE_INFINITY } = nth
    return number >= from && number <= to && (number - from) % every === 0
  }
  return nth.includes(number)
}

/** @param elapsedMs - since the rule was set. */
export function isWithin(
  { forMs, fromMs = 0 }: { readonly fromMs?: number | undefined; readonly forMs?: number | undefined },
  elapsedMs: number
): boolean {
  return elapsedMs >= fromMs && elapsedMs < fromMs + (forMs ?? Number.POSITIVE_INFINITY)
}

export function isOneOf(wanted: string | readonly string[] | undefined, given: string | undefined): boolean {
  if (wanted === undefined) return true
  return given !== undefined && (typeof wanted === 'string' ? wanted === given : wanted.includes(given))
}
