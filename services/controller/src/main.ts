#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaControlLog } from '@pointsman/core/adapters/kafka/control-log'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { KafkaRangeReader } from '@pointsman/core/adapters/kafka/range-reader'
import { openBatchProvider } from '@pointsman/core/adapters/openai/batch-provider'
import { openOpenai } from '@pointsman/core/adapters/openai/embedder'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisInspection } from '@pointsman/core/adapters/redis/inspection'
import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import { WeaviateInspection } from '@pointsman/core/adapters/weaviate/inspection'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import { Failure, policyOf } from '@pointsman/core/domain/failure'
import { systemClock } from '@pointsman/core/runtime/clock'
import { withEnvFile } from '@pointsman/core/runtime/env-file'
import { failpoints } from '@pointsman/core/runtime/failpoint'
import { openLog } from '@pointsman/core/runtime/log'
import { Metrics } from '@pointsman/core/runtime/metrics'
import { namesOf } from '@pointsman/core/runtime/names'
import { runService } from '@pointsman/core/runtime/run-service'
import { type ControllerConfig, loadConfig } from './config.ts'
import { control } from './control.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

async function run(config: ControllerConfig, signal: AbortSignal): Promise<void> {
  const instance = config.POINTSMAN_INSTANCE ?? 'controller'
  const log = openLog(instance, config.LOG_LEVEL)
  const warn = (message: string): void => log.warn(message)
  const names = namesOf(config.POINTSMAN_NAMESPACE)
  const clients = kafkaClients(config, instance, log)
  await using resources = new AsyncDisposableStack()

  const redis = resources.adopt(await openRedis(config, warn), closeRedis)
  await control(
    {
      parts: {
        admin: resources.use(new KafkaLogAdmin(clients, names, log)),
        ranges: resources.use(new KafkaRangeReader(clients, names.documents)),
        letters: resources.use(new KafkaDeadLetters(clients, names)),
        control: resources.use(new KafkaControlLog(clients, names)),
        codec: new KafkaDocumentCodec(config, names.documents),
        ledger: redisLedger(redis, config, instance, warn),
        store: resources.use(openWeaviate(config, names.collection, config.EMBEDDING_DIMENSIONS)),
        embedder: openOpenai(config),
        provider: await openBatchProvider(config, {
          directory: config.BATCH_SPOOL_DIR,
          deadlineMs: config.BATCH_CALL_TIMEOUT_MS,
          uploadMs: config.BATCH_UPLOAD_TIMEOUT_MS
        }),
        clock: systemClock,
        names,
        spec: { model: config.EMBEDDING_MODEL, dimensions: config.EMBEDDING_DIMENSIONS }
      },
      config,
      inspections: {
        redis: new RedisInspection(redis),
        weaviate: new WeaviateInspection(config, names.collection)
      },
      metrics: new Metrics('controller'),
      log,
      version: String(version),
      instance,
      hit: failpoints(config.POINTSMAN_FAILPOINT, () => process.kill(process.pid, 'SIGKILL')),
      onListening: url => log.info({ url, namespace: names.namespace }, 'answering')
    },
    signal
  )
}

let exitCode: number
try {
  const config = loadConfig(withEnvFile(process.env))
  const outcome = { unfit: false }
  const ended = await runService(
    async signal => {
      try {
        await run(config, signal)
      } catch (error) {
        outcome.unfit = error instanceof Failure && policyOf(error)[0] === 'fatal'
        throw error
      }
    },
    { graceMs: config.SHUTDOWN_GRACE_MS, log: console.error }
  )
  exitCode = outcome.unfit ? 2 : ended
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  exitCode = 2
}
// Not process.exitCode: an abandoned run may still hold sockets open.
process.exit(exitCode)
