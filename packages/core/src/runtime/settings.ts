// Settings that services share, as zod shapes to be spread into a service's own schema. Names are those of
// docs/architecture.md; every default is here and nowhere else.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const list = z.string().transform(text =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
)
const count = z.coerce.number().int().positive()

export const kafkaSettings = {
  KAFKA_BROKERS: list.refine(brokers => brokers.length > 0, 'must name at least one host:port'),
  KAFKA_TLS: z.stringbool().default(false),
  KAFKA_TLS_CA_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional()
}

export const registrySettings = {
  SCHEMA_REGISTRY_URL: z.url({ protocol: /^https?$/ }),
  SCHEMA_REGISTRY_USERNAME: z.string().optional(),
  SCHEMA_REGISTRY_PASSWORD: z.string().optional()
}

/** TLS and user name come with the URL: rediss://user:password@host:port/db. */
export const redisSettings = { REDIS_URL: z.url({ protocol: /^rediss?$/ }) }

export const weaviateSettings = {
  WEAVIATE_URL: z.url({ protocol: /^https?$/ }),
  WEAVIATE_GRPC_URL: z.url({ protocol: /^https?$/ }),
  WEAVIATE_API_KEY: z.string().optional(),
  /** Fixed when the collection is made: shards = cores of the Weaviate server. */
  WEAVIATE_SHARDS: count.default(2),
  WEAVIATE_EF_CONSTRUCTION: count.default(64),
  WEAVIATE_MAX_CONNECTIONS: count.default(16),
  WEAVIATE_QUANTIZATION: z.enum(['rq8', 'none']).default('rq8')
}

export const providerSettings = {
  OPENAI_API_KEY: z.string().min(1, 'must not be empty'),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).default('https://api.openai.com/v1'),
  EMBEDDING_MODEL: z.string().default('text-embedding-3-small'),
  EMBEDDING_DIMENSIONS: count.default(1536)
}

export const commonSettings = {
  POINTSMAN_NAMESPACE: z
    .string()
    .regex(
      /^[a-zA-Z][a-zA-Z0-9._-]{0,63}$/,
      'must be a letter followed by up to 63 letters, digits, . _ or -'
    )
    .default('pointsman'),
  POINTSMAN_INSTANCE: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Tests only: the name of a failpoint at which the process dies. */
  POINTSMAN_FAILPOINT: z.string().optional()
}

/** Of the jobs of the batch lane: for the lane itself, and for what the controller says of them. */
export const batchSettings = {
  /** Below what the provider takes, since large uploads fail more often. */
  BATCH_MAX_LINES: count
    .max(50_000, 'must be at most 50000, which is what the provider takes')
    .default(50_000),
  BATCH_MAX_BYTES: count
    .max(200_000_000, 'must be at most 200000000, which is what the provider takes')
    .default(100_000_000),
  /** The provider's limit of enqueued tokens for the model; four fifths of it are used. */
  BATCH_ENQUEUED_TOKENS: count.default(3_000_000),
  /** Jobs at the provider at once. */
  BATCH_MAX_JOBS: count.default(5),
  /** Longer than the provider's own 24 hours: a job that has not ended by then is cancelled. */
  BATCH_JOB_DEADLINE_HOURS: z.coerce.number().positive().default(26),
  /** After a create call without an answer, or a loss of the ledger: how long the provider's list may lag behind. */
  BATCH_DOUBT_GRACE_MS: z.coerce.number().int().nonnegative().default(60_000),
  /** For files on their way; a cache, which may be lost. */
  BATCH_SPOOL_DIR: z.string().default(join(tmpdir(), 'pointsman-spool')),
  BATCH_CALL_TIMEOUT_MS: count.default(60_000),
  BATCH_UPLOAD_TIMEOUT_MS: count.default(1_800_000)
}

/** Of the provider's queue: the rest is for what it counts otherwise than we do. */
const queueShare = 0.8

/** Tokens that may be enqueued at the provider over all jobs. */
export function usableQueueTokens({ BATCH_ENQUEUED_TOKENS }: BatchSettings): number {
  return BATCH_ENQUEUED_TOKENS * queueShare
}

/** Lane of all partitions when the ledger is made; a switch changes it from then on. */
export const ledgerSettings = {
  POINTSMAN_INITIAL_MODE: z.enum(['realtime', 'batch']).default('realtime'),
  /** Tests only: the namespace, whose ledger then writes down every transition. */
  POINTSMAN_LEDGER_TRACE: z.string().optional()
}

/** Partitions of the documents topic when it is made. */
export const topicSettings = { DOCUMENTS_PARTITIONS: count.default(8) }

export const healthSettings = {
  HEALTH_HOST: z.string().default('127.0.0.1'),
  /** 0 turns health and metrics off. */
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0)
}

/** What every embedder is told, whatever its lane. */
export const laneSettings = {
  ...commonSettings,
  ...kafkaSettings,
  ...registrySettings,
  ...redisSettings,
  ...weaviateSettings,
  ...providerSettings,
  ...topicSettings,
  ...ledgerSettings,
  /** How long the first document of an admission waits for company. */
  EMBED_LINGER_MS: z.coerce.number().int().nonnegative().default(20),
  /** How long after its last sign of life others may take over what an instance left. */
  INSTANCE_LEASE_MS: count.min(2_000).default(10_000),
  SHUTDOWN_GRACE_MS: count.default(8_000),
  ...healthSettings
}

/** What the adapters are told; shapes of the parsed settings above. */
export type KafkaSettings = z.output<z.ZodObject<typeof kafkaSettings>>
export type RegistrySettings = z.output<z.ZodObject<typeof registrySettings>>
export type RedisSettings = z.output<z.ZodObject<typeof redisSettings>>
export type LedgerSettings = Pick<
  z.output<z.ZodObject<typeof commonSettings & typeof ledgerSettings>>,
  'POINTSMAN_NAMESPACE' | 'POINTSMAN_LEDGER_TRACE'
>
export type WeaviateSettings = z.output<z.ZodObject<typeof weaviateSettings>>
export type ProviderSettings = z.output<z.ZodObject<typeof providerSettings>>
/** What every embedder is told. */
export type LaneSettings = Readonly<z.output<z.ZodObject<typeof laneSettings>>>
export type BatchSettings = z.output<z.ZodObject<typeof batchSettings>>
