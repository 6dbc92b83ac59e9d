import type { z } from 'zod'
import { Failure } from '../domain/failure.ts'

/**
 * Reads settings from the environment. Names every problem at once, and never the values: they may be secrets.
 * @throws {Failure} `CONFIG_INVALID`
 */
export function parseEnv<Schema extends z.ZodType>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>
): z.output<Schema> {
  // Compose files write `KEY=` for "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = schema.safeParse(given)
  if (result.success) return result.data

  const problems = result.error.issues.map(issue => `  ${issue.path.join('.')}: ${explain(issue)}`)
  throw new Failure('CONFIG_INVALID', `invalid configuration\n${[...new Set(problems)].join('\n')}`)
}

function explain(issue: z.core.$ZodIssue): string {
  const missing = issue.code === 'invalid_type' && issue.message.includes('received undefined')
  return missing ? 'is not set' : issue.message
}
