import { hostname } from 'node:os'
import {
  commonSettings,
  kafkaSettings,
  providerSettings,
  redisSettings,
  registrySettings,
  topicSettings,
  weaviateSettings
} from '@pointsman/core/runtime/settings'
import { parseEnv } from '@pointsman/core/runtime/env'
import { z } from 'zod'

const count = z.coerce.number().int().positive()

const schema = z.object({
  ...commonSettings,
  ...kafkaSettings,
  ...registrySettings,
  ...redisSettings,
  ...weaviateSettings,
  ...providerSettings,
  ...topicSettings,
  /** Inputs of one embedding request: the knob of k. */
  EMBED_REQUEST_INPUTS: count.max(2_048).default(256),
  EMBED_REQUEST_TOKENS: count.max(300_000).default(250_000),
  EMBED_MAX_IN_FLIGHT: count.max(256).default(8),
  EMBED_MAX_ATTEMPTS: count.default(5),
  /** How long texts whose attempts all ended unknown rest before they are tried again apart. */
  EMBED_DOUBT_DELAY_MS: count.default(5_000),
  EMBED_TIMEOUT_MS: count.default(60_000),
  EMBED_LINGER_MS: z.coerce.number().int().nonnegative().default(20),
  INSTANCE_LEASE_MS: count.min(2_000).default(10_000),
  SHUTDOWN_GRACE_MS: count.default(8_000),
  HEALTH_HOST: z.string().default('127.0.0.1'),
  /** 0 turns health and metrics off. */
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Tests only: the name of a failpoint at which the process dies. */
  POINTSMAN_FAILPOINT: z.string().optional()
})

export type EmbedderConfig = Readonly<z.output<typeof schema>> & { readonly instance: string }

/** @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): EmbedderConfig {
  const settings = parseEnv(schema, env)
  return { ...settings, instance: settings.POINTSMAN_INSTANCE ?? `embedder-realtime-${hostname()}` }
}
