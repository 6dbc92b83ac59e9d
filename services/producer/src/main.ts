#!/usr/bin/env node
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { loadClusterId } from '@pointsman/core/adapters/kafka/cluster-id'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { Failure } from '@pointsman/core/domain/failure'
import { systemClock } from '@pointsman/core/runtime/clock'
import { withEnvFile } from '@pointsman/core/runtime/env-file'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import { runService } from '@pointsman/core/runtime/run-service'
import { type CommandLine, parseCommandLine, usage } from './command-line.ts'
import { loadConfig, type ProducerConfig } from './config.ts'
import { openEmittedStore } from './emitted-store.ts'
import { DocumentExtractor } from './extract/document-extractor.ts'
import { ingest } from './ingest.ts'
import type { IngestEvent, IngestReport } from './ingest-report.ts'
import { eventText, progressText, reportText } from './report-text.ts'
import { openRunLock } from './run-lock.ts'
import { untilAvailable } from './until-available.ts'

const extraction = { deadlineMs: 60_000, maxMemoryBytes: 512 * 1_048_576 }
const plainProgressEverySeconds = 10

async function run(config: ProducerConfig, line: CommandLine, signal: AbortSignal): Promise<IngestReport> {
  await using resources = new AsyncDisposableStack()
  const tell = teller(line, resources)
  const waiting = { clock: systemClock, tell }
  const log = openLog('producer', config.LOG_LEVEL)
  const names = namesOf(config.POINTSMAN_NAMESPACE)
  const clients = kafkaClients(config, config.POINTSMAN_INSTANCE ?? 'producer', log)
  const admin = resources.use(new KafkaLogAdmin(clients, names, log))
  const codec = new KafkaDocumentCodec(config, names.documents)
  const logId = await untilAvailable(() => loadClusterId(clients, signal), waiting, signal)
  await untilAvailable(() => admin.prepare(config.DOCUMENTS_PARTITIONS, signal), waiting, signal)
  await untilAvailable(() => codec.prepare(signal), waiting, signal)

  // A memory of its own for each cluster: what one was told to delete, another may still hold.
  const stateDir = join(config.stateDir, names.namespace, logId)
  const deps = {
    writer: resources.use(new KafkaDocumentWriter(clients, names.documents, codec)),
    log: admin,
    logId,
    store: resources.use(openEmittedStore(stateDir)),
    lock: (origin: string) => openRunLock(stateDir, origin),
    extractor: resources.use(new DocumentExtractor(systemClock, extraction)),
    clock: systemClock,
    standardInput: process.stdin,
    tell
  }
  return await ingest(line.paths, deps, line.options, signal)
}

function teller(
  { json, rejectedTo }: CommandLine,
  resources: AsyncDisposableStack
): (event: IngestEvent) => void {
  const rejects = rejectedTo === undefined ? undefined : resources.adopt(openSync(rejectedTo, 'w'), closeSync)
  let shownAtSeconds = 0
  return event => {
    if (event.event === 'rejected') {
      if (rejects !== undefined) writeSync(rejects, `${JSON.stringify(event)}\n`)
      return
    }
    if (json) return console.log(JSON.stringify(event))
    if (event.event !== 'progress') return console.error(eventText(event))
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${progressText(event)}`)
    else if (event.seconds - shownAtSeconds >= plainProgressEverySeconds) {
      shownAtSeconds = event.seconds
      console.error(progressText(event))
    }
  }
}

function show(report: IngestReport, { json }: CommandLine): void {
  if (json) return console.log(JSON.stringify(report))
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  console.error(reportText(report))
}

function exitCodeOf(failure: unknown): number {
  if (!(failure instanceof Failure)) return 1
  if (failure.code === 'USAGE' || failure.code === 'CONFIG_INVALID') return 2
  return ['RUN_ACTIVE', 'TOPIC_UNFIT', 'SCHEMA_UNKNOWN'].includes(failure.code) ? 3 : 1
}

/** What is wrong with the command line and with the environment, together. */
function prepare(): { readonly line: CommandLine; readonly config: ProducerConfig } {
  const results = [
    () => parseCommandLine(process.argv.slice(2)),
    () => loadConfig(withEnvFile(process.env))
  ] as const
  const problems = results.flatMap(attempt => {
    try {
      attempt()
      return []
    } catch (error) {
      if (error instanceof Failure) return [error.message]
      throw error
    }
  })
  if (problems.length > 0) throw new Failure('USAGE', problems.join('\n'))
  return { line: results[0](), config: results[1]() }
}

if (process.argv.slice(2).some(argument => argument === '--help' || argument === '-h')) {
  console.log(usage)
  process.exit(0)
}
try {
  const { line, config } = prepare()
  let exitCode = 0
  const served = await runService(
    async signal => {
      try {
        const report = await run(config, line, signal)
        show(report, line)
        if (report.stopped || (line.strict && report.rejectedTotal > 0)) exitCode = 1
      } catch (error) {
        exitCode = exitCodeOf(error)
        throw error
      }
    },
    { graceMs: config.SHUTDOWN_GRACE_MS, log: console.error }
  )
  process.exit(exitCode === 0 ? served : exitCode)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`${error.message}\n\nproducer --help shows how it is used`)
  process.exit(2)
}
