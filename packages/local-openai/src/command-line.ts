import { parseArgs } from 'node:util'
import { z } from 'zod'
import { tierSchema } from './limits.ts'
import { loadFaults, parseLatency, parseTurnaround } from './option-values.ts'
import type { LocalOpenaiOptions } from './start-local-openai.ts'
import { webhookTargetSchema } from './webhooks.ts'

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
  faults: { type: 'string' },
  webhook: { type: 'string' },
  'webhook-secret': { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' }
} as const

const text = z.string('needs a value')
const nonEmpty = text.min(1, 'needs a value')
const whole = text.regex(/^\d+$/, 'must be a whole number').transform(Number)

const schema = z
  .object({
    port: whole.pipe(z.number().max(65_535)).default(0),
    host: nonEmpty.default('127.0.0.1'),
    vectors: z.enum(['fast', 'minilm']).default('fast'),
    'minilm-dir': nonEmpty.optional(),
    threads: whole.pipe(z.number().min(1).max(256)).optional(),
    latency: text.transform(parseLatency).optional(),
    tier: tierSchema.optional(),
    'api-key': z.array(nonEmpty).optional(),
    turnaround: text.transform(parseTurnaround).optional(),
    'clock-factor': text
      .regex(/^\d+(\.\d+)?$/, 'must be a number')
      .transform(Number)
      .pipe(z.number().max(1e9))
      .optional(),
    'data-dir': nonEmpty.optional(),
    state: nonEmpty.optional(),
    faults: nonEmpty.transform(loadFaults).optional(),
    webhook: z.url({ protocol: /^https?$/, error: 'must be a URL of http or https' }).optional(),
    'webhook-secret': webhookTargetSchema.shape.secret.optional(),
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
    faults,
    webhook,
    'webhook-secret': secret,
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
    ...(state !== undefined && { stateFile: state }),
    ...(faults && { faults }),
    ...(webhook !== undefined && { webhook: { url: webhook, ...(secret !== undefined && { secret }) } })
  }
  return { kind: 'serve', json, options }
}
