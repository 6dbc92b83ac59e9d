#!/usr/bin/env node
import '@pointsman/core/runtime/limit-heap'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaGroupReader } from '@pointsman/core/adapters/kafka/group-reader'
import { KafkaRangeReader } from '@pointsman/core/adapters/kafka/range-reader'
import { openBatchProvider } from '@pointsman/core/adapters/openai/batch-provider'
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
import { usableQueueTokens } from '@pointsman/core/runtime/settings'
import type { BatchOptions } from './batch-deps.ts'
import { BatchLane } from './batch-lane.ts'
import { type BatchConfig, loadConfig } from './config.ts'
import { observeBatch } from './observe-batch.ts'

const hourMs = 3_600_000

async function run(config: BatchConfig, signal: AbortSignal): Promise<void> {
  const { instance } = config
  const log = openLog(instance, config.LOG_LEVEL)
  const warn = (message: string): void => log.warn(message)
  const options = laneOptions(config, instance)
  const { names } = options
  const clients = kafkaClients(config, instance, log)
  await using resources = new AsyncDisposableStack()

  const redis = resources.adopt(await openRedis(config, warn), closeRedis)
  const lane = new BatchLane(
    {
      admin: resources.use(new KafkaLogAdmin(clients, names, log)),
      ranges: resources.use(new KafkaRangeReader(clients, names.documents)),
      deadLetters: resources.use(new KafkaDeadLetters(clients, names)),
      openReader: () => new KafkaGroupReader(clients, names.groups.batch, names.documents, instance, log),
      codec: new KafkaDocumentCodec(config, names.documents),
      ledger: redisLedger(redis, config, instance, warn),
      store: resources.use(openWeaviate(config, names.collection, config.EMBEDDING_DIMENSIONS)),
      provider: await openBatchProvider(config, {
        directory: config.BATCH_SPOOL_DIR,
        deadlineMs: config.BATCH_CALL_TIMEOUT_MS,
        uploadMs: config.BATCH_UPLOAD_TIMEOUT_MS
      }),
      clock: systemClock,
      hit: failpoints(config.POINTSMAN_FAILPOINT, () => process.kill(process.pid, 'SIGKILL')),
      warn
    },
    options,
    batchOptions(config)
  )
  log.info({ namespace: names.namespace }, 'starting')
  await serveLane(lane, 'embedder-batch', config, metrics => observeBatch(lane, metrics), signal)
}

function batchOptions(config: BatchConfig): BatchOptions {
  return {
    minLines: Math.min(config.BATCH_MIN_LINES, config.BATCH_MAX_LINES),
    maxLines: config.BATCH_MAX_LINES,
    maxBytes: config.BATCH_MAX_BYTES,
    maxEnqueuedTokens: usableQueueTokens(config),
    maxJobs: config.BATCH_MAX_JOBS,
    sealAfterMs: config.BATCH_LINGER_MS,
    minPollMs: config.BATCH_POLL_MIN_MS,
    maxPollMs: Math.max(config.BATCH_POLL_MIN_MS, config.BATCH_POLL_MAX_MS),
    deadlineMs: config.BATCH_JOB_DEADLINE_HOURS * hourMs,
    doubtGraceMs: config.BATCH_DOUBT_GRACE_MS,
    retryDelayMs: config.BATCH_RETRY_DELAY_MS,
    maxFailures: config.BATCH_MAX_FAILURES
  }
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
