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
import { openHealthServer } from '@pointsman/core/runtime/health-server'
import { openLog } from '@pointsman/core/runtime/log'
import { Metrics } from '@pointsman/core/runtime/metrics'
import { namesOf } from '@pointsman/core/runtime/names'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { runService } from '@pointsman/core/runtime/run-service'
import { type CommandLine, parseCommandLine, usage } from './command-line.ts'
import { type EstimateConfig, loadConfig, loadEstimateConfig, type ProducerConfig } from './config.ts'
import { openEmittedStore, readEmittedStore } from './emitted-store.ts'
import { estimate } from './estimate.ts'
import { DocumentExtractor } from './extract/document-extractor.ts'
import { findMemory } from './find-memory.ts'
import { follow } from './follow.ts'
import { FollowBoard } from './follow-board.ts'
import { ingest, type IngestDeps } from './ingest.ts'
import type { EstimateReport, IngestEvent, IngestReport } from './ingest-report.ts'
import type { KnownLog } from './log-identity.ts'
import { estimateText, eventText, progressText, reportText } from './report-text.ts'
import { openRunLock } from './run-lock.ts'
import { untilAvailable } from './until-available.ts'

const extraction = { deadlineMs: 60_000, maxMemoryBytes: 512 * 1_048_576 }
const plainProgressEverySeconds = 10
/** A file that is followed has to be as it is for so long before it is read. */
const stillMs = 1_000

async function run(config: ProducerConfig, line: CommandLine, signal: AbortSignal): Promise<IngestReport> {
  await using resources = new AsyncDisposableStack()
  const deps = await openDeps(config, teller(line, resources), resources, signal)
  return await ingest(line.paths, deps, line.options, signal)
}

async function runFollow(config: ProducerConfig, line: CommandLine, signal: AbortSignal): Promise<undefined> {
  await using resources = new AsyncDisposableStack()
  // Who started it for somebody at a terminal is gone.
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  const board = new FollowBoard(systemClock)
  await serveHealth(config, board, resources)
  const tell = teller(line, resources)
  const deps = await openDeps(
    config,
    event => {
      board.hear(event)
      tell(event)
    },
    resources,
    signal
  )
  const pace = {
    intervalMs: config.FOLLOW_INTERVAL_MS,
    stillMs: Math.min(config.FOLLOW_INTERVAL_MS, stillMs)
  }
  const show = (report: IngestReport): void => showReport(report, line)
  await follow(line.paths, { ...deps, tell, board, show }, line.options, pace, signal)
}

async function serveHealth(
  { HEALTH_HOST: host, HEALTH_PORT: port }: ProducerConfig,
  board: FollowBoard,
  resources: AsyncDisposableStack
): Promise<void> {
  if (port === 0) return
  const metrics = new Metrics('producer')
  board.observe(metrics)
  resources.use(await openHealthServer({ host, port, metrics, readiness: () => board.readiness() }))
}

async function openDeps(
  config: ProducerConfig,
  tell: (event: IngestEvent) => void,
  resources: AsyncDisposableStack,
  signal: AbortSignal
): Promise<IngestDeps> {
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
  return {
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
}

/** Kafka is asked for what tells whether the log still holds what was sent; without it, that is assumed. */
async function runEstimate(
  config: EstimateConfig,
  line: CommandLine,
  signal: AbortSignal
): Promise<EstimateReport> {
  await using resources = new AsyncDisposableStack()
  const notices: string[] = []
  const log = config.kafka && (await lookAtLog(config.kafka, config, notices, signal))
  const memories = join(config.stateDir, config.POINTSMAN_NAMESPACE)
  const found = log ? { directory: join(memories, log.logId), others: 0 } : findMemory(memories)
  if (log === undefined) {
    const others = found === undefined || found.others === 0 ? '' : ` (${found.others} others are left aside)`
    notices.push(
      found === undefined
        ? 'nothing is remembered as sent: everything counts as new'
        : `Kafka was not asked: compared with what was sent last${others}`
    )
  }
  const deps = {
    store: resources.use(readEmittedStore(found?.directory)),
    extractor: resources.use(new DocumentExtractor(systemClock, extraction)),
    clock: systemClock,
    standardInput: process.stdin,
    tell: teller(line, resources),
    log,
    notices
  }
  return await estimate(line.paths, deps, line.options, signal)
}

async function lookAtLog(
  kafka: NonNullable<EstimateConfig['kafka']>,
  config: EstimateConfig,
  notices: string[],
  signal: AbortSignal
): Promise<KnownLog | undefined> {
  // It says itself, in a notice, what there is to say.
  const log = openLog('producer', 'silent')
  const clients = kafkaClients(kafka, 'producer', log)
  try {
    await using admin = new KafkaLogAdmin(clients, namesOf(config.POINTSMAN_NAMESPACE), log)
    return { logId: await loadClusterId(clients, signal), bounds: await admin.bounds() }
  } catch (error) {
    signal.throwIfAborted()
    notices.push(`Kafka does not answer (${messageOf(error)})`)
    return undefined
  }
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
    if (event.event !== 'progress') {
      const text = eventText(event)
      if (text !== undefined) console.error(text)
      return
    }
    // The next round of who follows begins anew.
    if (event.seconds < shownAtSeconds) shownAtSeconds = 0
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${progressText(event)}`)
    else if (event.seconds - shownAtSeconds >= plainProgressEverySeconds) {
      shownAtSeconds = event.seconds
      console.error(progressText(event))
    }
  }
}

function showReport(report: IngestReport | EstimateReport, { json }: CommandLine): void {
  if (json) return console.log(JSON.stringify(report))
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  console.error(report.event === 'estimate' ? estimateText(report) : reportText(report))
}

function exitCodeOf(failure: unknown): number {
  if (!(failure instanceof Failure)) return 1
  if (failure.code === 'USAGE' || failure.code === 'CONFIG_INVALID') return 2
  return ['RUN_ACTIVE', 'TOPIC_UNFIT', 'SCHEMA_UNKNOWN'].includes(failure.code) ? 3 : 1
}

interface Prepared {
  readonly line: CommandLine
  readonly graceMs: number
  /** @returns what is to be shown at its end. */
  readonly run: (signal: AbortSignal) => Promise<IngestReport | EstimateReport | undefined>
}

/** What is wrong with the command line and with the environment, together. */
function prepare(): Prepared {
  const args = process.argv.slice(2)
  const env = withEnvFile(process.env)
  const isEstimate = args.includes('--estimate')
  const results = [
    () => parseCommandLine(args),
    () => (isEstimate ? loadEstimateConfig(env) : loadConfig(env))
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
  const line = parseCommandLine(args)
  if (line.estimate) {
    const config = loadEstimateConfig(env)
    return { line, graceMs: config.SHUTDOWN_GRACE_MS, run: signal => runEstimate(config, line, signal) }
  }
  const config = loadConfig(env)
  const work = line.follow ? runFollow : run
  return { line, graceMs: config.SHUTDOWN_GRACE_MS, run: signal => work(config, line, signal) }
}

if (process.argv.slice(2).some(argument => argument === '--help' || argument === '-h')) {
  console.log(usage)
  process.exit(0)
}
try {
  const { line, graceMs, run: work } = prepare()
  let exitCode = 0
  const served = await runService(
    async signal => {
      try {
        const report = await work(signal)
        if (report === undefined) return
        showReport(report, line)
        if (report.stopped || (line.strict && report.rejectedTotal > 0)) exitCode = 1
      } catch (error) {
        const isEnd = line.follow && signal.aborted && error === signal.reason
        exitCode = isEnd ? 0 : exitCodeOf(error)
        throw error
      }
    },
    { graceMs, log: console.error }
  )
  process.exit(exitCode === 0 ? served : exitCode)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`${error.message}\n\nproducer --help shows how it is used`)
  process.exit(2)
}
