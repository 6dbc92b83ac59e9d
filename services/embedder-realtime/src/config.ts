import { hostname } from 'node:os'
import { parseEnv } from '@pointsman/core/runtime/env'
import { laneSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'

const count = z.coerce.number().int().positive()

const schema = z.object({
  ...laneSettings,
  /** Inputs of one embedding request: the knob of k. */
  EMBED_REQUEST_INPUTS: count.max(2_048).default(256),
  EMBED_REQUEST_TOKENS: count.max(300_000).default(250_000),
  EMBED_MAX_IN_FLIGHT: count.max(256).default(8),
  EMBED_MAX_ATTEMPTS: count.default(5),
  /** How long texts whose attempts all ended unknown rest before they are tried again apart. */
  EMBED_DOUBT_DELAY_MS: count.default(5_000),
  EMBED_TIMEOUT_MS: count.default(60_000)
})

export type EmbedderConfig = Readonly<z.output<typeof schema>> & { readonly instance: string }

/** @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): EmbedderConfig {
  const settings = parseEnv(schema, env)
  return { ...settings, instance: settings.POINTSMAN_INSTANCE ?? `embedder-realtime-${hostname()}` }
}
