#!/usr/bin/env node
import '@pointsman/core/runtime/limit-heap'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaGroupReader } from '@pointsman/core/adapters/kafka/group-reader'
import { KafkaRangeReader } from '@pointsman/core/adapters/kafka/range-reader'
import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import { laneOptions } from '@pointsman/core/lane/lane-options'
import { serveLane } from '@pointsman/core/lane/serve-lane'
import { Failure } from '@pointsman/core/domain/failure'
import { systemClock } from '@pointsman/core/runtime/clock'
import { withEnvFile } from '@pointsman/core/runtime/env-file'
import { failpoints } from '@pointsman/core/runtime/failpoint'
import { openLog } from '@pointsman/core/runtime/log'
import { runService } from '@pointsman/core/runtime/run-service'
import { type EmbedderConfig, loadConfig } from './config.ts'
import { observeLane } from './observe-lane.ts'
import { RealtimeLane } from './realtime-lane.ts'

async function run(config: EmbedderConfig, signal: AbortSignal): Promise<void> {
  const { instance } = config
  const log = openLog(instance, config.LOG_LEVEL)
  const warn = (message: string): void => log.warn(message)
  const options = laneOptions(config, instance)
  const { names } = options
  const clients = kafkaClients(config, instance, log)
  await using resources = new AsyncDisposableStack()

  const redis = resources.adopt(await openRedis(config, warn), closeRedis)
  const lane = new RealtimeLane(
    {
      admin: resources.use(new KafkaLogAdmin(clients, names, log)),
      ranges: resources.use(new KafkaRangeReader(clients, names.documents)),
      deadLetters: resources.use(new KafkaDeadLetters(clients, names)),
      openReader: () => new KafkaGroupReader(clients, names.groups.realtime, names.documents, instance, log),
      codec: new KafkaDocumentCodec(config, names.documents),
      ledger: redisLedger(redis, config, instance, warn),
      store: resources.use(openWeaviate(config, names.collection, config.EMBEDDING_DIMENSIONS)),
      embedder: openOpenai(config, { deadlineMs: config.EMBED_TIMEOUT_MS }),
      clock: systemClock,
      hit: failpoints(config.POINTSMAN_FAILPOINT, () => process.kill(process.pid, 'SIGKILL')),
      warn
    },
    {
      ...options,
      requestInputs: config.EMBED_REQUEST_INPUTS,
      requestTokens: config.EMBED_REQUEST_TOKENS,
      maxInFlight: config.EMBED_MAX_IN_FLIGHT,
      maxAttempts: config.EMBED_MAX_ATTEMPTS,
      doubtDelayMs: config.EMBED_DOUBT_DELAY_MS
    }
  )
  log.info({ namespace: names.namespace }, 'starting')
  await serveLane(lane, 'embedder-realtime', config, metrics => observeLane(lane, metrics), signal)
}

try {
  const config = loadConfig(withEnvFile(process.env))
  // A little longer than the work in flight may take, for commits and leaving the group.
  const graceMs = config.SHUTDOWN_GRACE_MS + 10_000
  process.exit(await runService(signal => run(config, signal), { graceMs, log: console.error }))
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  process.exit(2)
}
