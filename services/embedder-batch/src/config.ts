import { hostname } from 'node:os'
import { parseEnv } from '@pointsman/core/runtime/env'
import { batchSettings, laneSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'

const count = z.coerce.number().int().positive()
const duration = z.coerce.number().int().nonnegative()

const schema = z.object({
  ...laneSettings,
  ...batchSettings,
  /** Never fewer lines, however badly the last jobs went. */
  BATCH_MIN_LINES: count.default(1_000),
  /** How long the first text of a job waits for company. */
  BATCH_LINGER_MS: duration.default(300_000),
  BATCH_POLL_MIN_MS: count.default(5_000),
  BATCH_POLL_MAX_MS: count.default(60_000),
  /** Rest before a text whose line failed is tried again; doubles with its failures. */
  BATCH_RETRY_DELAY_MS: duration.default(30_000),
  /** Jobs that may come to nothing for a text before it is dead-lettered. */
  BATCH_MAX_FAILURES: count.max(15).default(5)
})

export type BatchConfig = Readonly<z.output<typeof schema>> & { readonly instance: string }

/** @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): BatchConfig {
  const settings = parseEnv(schema, env)
  return { ...settings, instance: settings.POINTSMAN_INSTANCE ?? `embedder-batch-${hostname()}` }
}
