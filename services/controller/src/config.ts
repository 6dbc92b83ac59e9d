import { isIP } from 'node:net'
import { parseEnv } from '@pointsman/core/runtime/env'
import {
  batchSettings,
  commonSettings,
  kafkaSettings,
  ledgerSettings,
  providerSettings,
  redisSettings,
  registrySettings,
  topicSettings,
  weaviateSettings
} from '@pointsman/core/runtime/settings'
import { z } from 'zod'
import { reckoningSettings } from './estimate/reckoning-settings.ts'

const schema = z
  .object({
    ...commonSettings,
    ...kafkaSettings,
    ...registrySettings,
    ...redisSettings,
    ...ledgerSettings,
    ...weaviateSettings,
    ...providerSettings,
    ...topicSettings,
    ...batchSettings,
    CONTROLLER_HOST: z.string().default('127.0.0.1'),
    /** 0 takes any free port. */
    CONTROLLER_PORT: z.coerce.number().int().min(0).max(65_535).default(7070),
    /** Names under which the controller is reached, besides IP addresses and localhost; comma-separated. */
    CONTROLLER_ALLOWED_HOSTS: z
      .string()
      .default('')
      .transform(list => list.split(',').map(name => name.trim().toLowerCase()))
      .transform(names => names.filter(name => name !== '')),
    /** Between two pages of 500 objects; with 5 seconds, a walk through a million objects takes some three hours. */
    CONTROLLER_SWEEP_PAUSE_MS: z.coerce.number().int().positive().default(5000),
    POINTSMAN_API_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
    ...reckoningSettings,
    SHUTDOWN_GRACE_MS: z.coerce.number().int().positive().default(5000)
  })
  .refine(env => env.POINTSMAN_API_TOKEN !== undefined || isLoopback(env.CONTROLLER_HOST), {
    path: ['POINTSMAN_API_TOKEN'],
    message: 'must be set when CONTROLLER_HOST is not a loopback address'
  })

export type ControllerConfig = Readonly<z.output<typeof schema>>

/** @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): ControllerConfig {
  return parseEnv(schema, env)
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
