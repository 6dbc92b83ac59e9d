import { join } from 'node:path'
import { parseEnv } from '@pointsman/core/runtime/env'
import {
  commonSettings,
  healthSettings,
  kafkaSettings,
  registrySettings,
  topicSettings
} from '@pointsman/core/runtime/settings'
import type { KafkaSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'

const schema = z.object({
  ...commonSettings,
  ...kafkaSettings,
  ...registrySettings,
  ...topicSettings,
  /** Where it is remembered what was sent. */
  POINTSMAN_STATE_DIR: z.string().optional(),
  XDG_STATE_HOME: z.string().optional(),
  HOME: z.string().optional(),
  ...healthSettings,
  /** Between two looks at the files that are followed. */
  FOLLOW_INTERVAL_MS: z.coerce.number().int().min(100).max(86_400_000).default(5_000),
  SHUTDOWN_GRACE_MS: z.coerce.number().int().positive().default(10_000)
})

export type ProducerConfig = Readonly<z.output<typeof schema>> & { readonly stateDir: string }

/** @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): ProducerConfig {
  const settings = parseEnv(schema, env)
  return { ...settings, stateDir: stateDirOf(settings) }
}

export interface EstimateConfig {
  readonly stateDir: string
  readonly POINTSMAN_NAMESPACE: string
  readonly LOG_LEVEL: ProducerConfig['LOG_LEVEL']
  readonly SHUTDOWN_GRACE_MS: number
  /** Undefined when it is not said where Kafka is. */
  readonly kafka: KafkaSettings | undefined
}

/** An estimate needs no server. @throws {Failure} `CONFIG_INVALID`, naming every problem at once. */
export function loadEstimateConfig(env: Readonly<Record<string, string | undefined>>): EstimateConfig {
  const settings = parseEnv(schema.partial({ KAFKA_BROKERS: true, SCHEMA_REGISTRY_URL: true }), env)
  const { KAFKA_BROKERS, POINTSMAN_NAMESPACE, LOG_LEVEL, SHUTDOWN_GRACE_MS } = settings
  return {
    stateDir: stateDirOf(settings),
    POINTSMAN_NAMESPACE,
    LOG_LEVEL,
    SHUTDOWN_GRACE_MS,
    kafka: KAFKA_BROKERS === undefined ? undefined : { ...settings, KAFKA_BROKERS }
  }
}

/** Not below the working directory: a run from another one would remember nothing, and miss what was removed. */
function stateDirOf({
  POINTSMAN_STATE_DIR,
  XDG_STATE_HOME,
  HOME
}: Pick<z.output<typeof schema>, 'POINTSMAN_STATE_DIR' | 'XDG_STATE_HOME' | 'HOME'>): string {
  if (POINTSMAN_STATE_DIR !== undefined) return POINTSMAN_STATE_DIR
  return join(XDG_STATE_HOME ?? join(HOME ?? '.', '.local', 'state'), 'pointsman')
}
