import { parseArgs } from 'node:util'
import { z } from 'zod'
import { latencySchema } from './latency.ts'
import type { Latency } from './latency.ts'
import type { Turnaround } from './batches/turnaround.ts'
import { turnaroundSchema } from './batches/turnaround.ts'
import { tierSchema } from './limits.ts'
import type { LocalOpenaiOptions } from './start-local-openai.ts'

export const usage = `Usage: local-openai [options]

An OpenAI-compatible server of embeddings, files and batches for rehearsal and tests.

  --port N          port; 0, the default, takes a free one
  --host ADDRESS    address to listen on (default 127.0.0.1)
  --vectors V       fast (default): deterministic noise, served as OpenAI's models; or
                    minilm: real vectors, served as all-minilm-l6-v2
  --minilm-dir DIR  where the model's files are (default: the variable MINILM_DIR)
  --threads N       threads for minilm (default: cores - 1)
  --latency L       least time to an answer: 200 (ms), 100..300 (uniform) or
                    lognormal:MEDIAN,P99 (default 0)
  --tier T          rate limits of a usage tier: none, free, 1 to 5 (default none)
  --api-key KEY     let in this key only; may be repeated (default: any key)
  --turnaround T    how long a job takes from its creation: none (default: as long as the
                    computing), plausible (minutes to hours, within the window), 3600 (seconds)
                    or lognormal:MEDIAN,P99 (seconds; jobs beyond the window expire)
  --clock-factor F  how many times as fast as real time files and jobs live: 3600 makes an hour
                    a second, 0 stands until moved by PUT /_local/clock (default 1)
  --data-dir DIR    keep files, jobs and the bill in DIR over restarts (default: a temporary one)
  --state FILE      keep the bill in FILE over restarts
  --seed N          seed of all that is drawn by chance (default 1)
  --json            print one line of JSON when ready
  --help            print this
`

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }
  | { readonly kind: 'serve'; readonly json: boolean; readonly options: LocalOpenaiOptions }

const flags = {
  port: { type: 'string' },
  host: { type: 'string' },
  vectors: { type: 'string' },
  'minilm-dir': { type: 'string' },
  threads: { type: 'string' },
  latency: { type: 'string' },
  tier: { type: 'string' },
  'api-key': { type: 'string', multiple: true },
  turnaround: { type: 'string' },
  'clock-factor': { type: 'string' },
  'data-dir': { type: 'string' },
  state: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' }
} as const

const whole = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number)

const schema = z
  .object({
    port: whole.pipe(z.number().max(65_535)).default(0),
    host: z.string().min(1).default('127.0.0.1'),
    vectors: z.enum(['fast', 'minilm']).default('fast'),
    'minilm-dir': z.string().min(1).optional(),
    threads: whole.pipe(z.number().min(1).max(256)).optional(),
    latency: z.string().transform(parseLatency).optional(),
    tier: tierSchema.optional(),
    'api-key': z.array(z.string().min(1)).optional(),
    turnaround: z.string().transform(parseTurnaround).optional(),
    'clock-factor': z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'must be a number')
      .transform(Number)
      .pipe(z.number().max(1e9))
      .optional(),
    'data-dir': z.string().min(1).optional(),
    state: z.string().min(1).optional(),
    seed: whole.default(1),
    json: z.boolean().default(false)
  })
  .refine(values => values.vectors === 'fast' || values['minilm-dir'] !== undefined, {
    path: ['minilm-dir'],
    message: 'is needed for --vectors minilm; or set MINILM_DIR',
    // Also when another option is wrong: all problems are named at once.
    when: () => true
  })

/** @param minilmDir - where the model's files are, unless the arguments say. */
export function parseCommandLine(args: readonly string[], minilmDir?: string): Command {
  // Not strict, so that every problem is found and not only the first.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: flags,
    strict: false,
    tokens: true
  })
  if (values['help'] === true) return { kind: 'help' }

  const unknown = tokens.filter(token => token.kind === 'option' && !Object.hasOwn(flags, token.name))
  const result = schema.safeParse({ ...(minilmDir && { 'minilm-dir': minilmDir }), ...values })
  const problems = [
    ...unknown.map(token => `${token.kind === 'option' ? token.rawName : ''}: no such option`),
    ...positionals.map(word => `${word}: unexpected`),
    ...(result.error?.issues.map(issue => `--${issue.path.join('.')}: ${issue.message}`) ?? [])
  ]
  if (!result.success || problems.length > 0) return { kind: 'wrong', problems }

  const {
    port,
    host,
    latency,
    tier,
    state,
    turnaround,
    seed,
    json,
    vectors,
    threads,
    'api-key': apiKeys,
    'clock-factor': clockFactor,
    'data-dir': dataDir,
    'minilm-dir': folder = ''
  } = result.data
  const options = {
    port,
    host,
    seed,
    vectors:
      vectors === 'fast'
        ? ({ kind: 'fast' } as const)
        : ({ kind: 'minilm', folder, ...(threads !== undefined && { threads }) } as const),
    ...(latency && { latency }),
    ...(tier && { limits: tier }),
    ...(apiKeys && { apiKeys }),
    ...(turnaround && { turnaround }),
    ...(clockFactor !== undefined && { clockFactor }),
    ...(dataDir !== undefined && { dataDir }),
    ...(state !== undefined && { stateFile: state })
  }
  return { kind: 'serve', json, options }
}

function parseLatency(given: string, context: z.RefinementCtx): Latency {
  const uniform = /^([\d.]+)\.\.([\d.]+)$/.exec(given)
  const lognormal = /^lognormal:([\d.]+),([\d.]+)$/.exec(given)
  const latency = uniform
    ? { kind: 'uniform', minMs: Number(uniform[1]), maxMs: Number(uniform[2]) }
    : lognormal
      ? { kind: 'lognormal', medianMs: Number(lognormal[1]), p99Ms: Number(lognormal[2]) }
      : { kind: 'fixed', ms: given === '' ? Number.NaN : Number(given) }
  const result = latencySchema.safeParse(latency)
  if (result.success) return result.data
  context.addIssue('must be like 200, 100..300 or lognormal:200,900')
  return z.NEVER
}

function parseTurnaround(given: string, context: z.RefinementCtx): Turnaround {
  const lognormal = /^lognormal:([\d.]+),([\d.]+)$/.exec(given)
  const turnaround =
    given === 'none' || given === 'plausible'
      ? { kind: given }
      : lognormal
        ? { kind: 'lognormal', medianSeconds: Number(lognormal[1]), p99Seconds: Number(lognormal[2]) }
        : { kind: 'fixed', seconds: given === '' ? Number.NaN : Number(given) }
  const result = turnaroundSchema.safeParse(turnaround)
  if (result.success) return result.data
  context.addIssue('must be like none, plausible, 3600 or lognormal:2400,72000')
  return z.NEVER
}
