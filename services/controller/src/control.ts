// The controller: makes what is missing, watches all parts, and answers. It goes on answering when a part is away,
// and recovers by itself; it refuses to run on parts that are unfit.

import type { Inspection } from '@pointsman/core/ports/inspection'
import type { HitFailpoint } from '@pointsman/core/runtime/failpoint'
import type { Logger } from '@pointsman/core/runtime/log'
import type { Metrics } from '@pointsman/core/runtime/metrics'
import { buildApi } from './api/build-api.ts'
import { type ControllerConfig, isLoopback } from './config.ts'
import { examine } from './doctor/examine.ts'
import { estimateSettingsOf } from './estimate/estimate-basis.ts'
import { Pace } from './estimate/pace.ts'
import type { JobTerms } from './jobs/describe-jobs.ts'
import { JobBook } from './jobs/job-book.ts'
import { lagMetrics } from './lag/lag-metrics.ts'
import { defaultLagPolicy, LagMonitor, type LagView } from './lag/lag-monitor.ts'
import type { Parts } from './parts.ts'
import { LedgerKeeper } from './rebuild/ledger-keeper.ts'
import { openLedger } from './rebuild/open-ledger.ts'
import { switchMetrics } from './switching/switch-metrics.ts'
import { Switcher } from './switching/switcher.ts'
import { sweepMetrics } from './sweeper/sweep-metrics.ts'
import { Sweeper, sweepPolicy } from './sweeper/sweeper.ts'
import { HealthBoard } from './status/health-board.ts'
import { pricesOf } from './status/token-price.ts'
import { type WatchedPart, watchPart } from './status/watch-part.ts'

export interface ControlDeps {
  readonly parts: Parts
  readonly config: ControllerConfig
  readonly inspections: { readonly redis: Inspection; readonly weaviate: Inspection }
  readonly metrics: Metrics
  readonly log: Logger
  readonly version: string
  /** Names this controller in the history of switches. */
  readonly instance: string
  readonly hit: HitFailpoint
  /** Told the address as soon as the controller answers. */
  readonly onListening: (url: string) => void
}

/** Runs until the signal aborts. @throws {Failure} with what an operator must change before it can run. */
export async function control(deps: ControlDeps, signal: AbortSignal): Promise<void> {
  const { parts, config, metrics, log, version } = deps
  const watched = watchedParts(parts, config)
  const board = new HealthBoard(
    parts.clock,
    watched.map(({ name }) => name)
  )
  const jobTerms: JobTerms = {
    prices: pricesOf(parts.spec.model, config.EMBEDDING_USD_PER_MILLION_TOKENS),
    deadlineMs: config.BATCH_JOB_DEADLINE_HOURS * 3_600_000
  }
  const lagDeps = { ...parts, groups: parts.names.groups }
  const monitor = new LagMonitor(lagDeps, { ...defaultLagPolicy, jobDeadlineMs: jobTerms.deadlineMs })
  const pace = new Pace()
  const publish = lagMetrics(metrics, jobTerms.deadlineMs)
  const onView = (view: LagView): void => {
    publish(view)
    pace.note(view)
  }
  const countSwitch = switchMetrics(metrics)
  const switcher = new Switcher({
    parts,
    hit: deps.hit,
    self: deps.instance,
    warn: message => log.warn(message),
    onEnd: report => {
      countSwitch(report)
      log.info({ switch: report }, 'switch ended')
    }
  })
  const keeper = new LedgerKeeper({
    parts,
    hit: deps.hit,
    listGraceMs: config.BATCH_DOUBT_GRACE_MS,
    initialMode: config.POINTSMAN_INITIAL_MODE,
    warn: message => log.warn(message),
    info: message => log.info(message)
  })
  const sweeper = new Sweeper(
    { ...parts, trouble: () => board.trouble('ledger', 'weaviate'), onPage: sweepMetrics(metrics) },
    sweepPolicy(config.CONTROLLER_SWEEP_PAUSE_MS)
  )
  await using resources = new AsyncDisposableStack()

  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const api = await buildApi({
    parts,
    monitor,
    board,
    metrics,
    log,
    version,
    jobs: new JobBook(parts.ledger, parts.clock),
    switcher,
    sweeper,
    jobTerms,
    pace,
    estimateSettings: estimateSettingsOf(config),
    access: {
      token: config.POINTSMAN_API_TOKEN,
      tokenForReading: !isLoopback(config.CONTROLLER_HOST),
      allowedHosts: [config.CONTROLLER_HOST.toLowerCase(), ...config.CONTROLLER_ALLOWED_HOSTS]
    },
    examine: asked => examine({ parts, config, inspections: deps.inspections }, asked),
    stopping: stop
  })
  resources.defer(() => api.close())
  deps.onListening(await api.listen({ host: config.CONTROLLER_HOST, port: config.CONTROLLER_PORT }))

  const onChange = (name: string, state: string, reason: string): void => {
    if (state === 'ready') log.info({ part: name }, 'part is ready')
    else log.warn({ part: name, state, reason }, 'part is not ready')
  }
  const loops = [
    ...watched.map(part => watchPart(part, { board, clock: parts.clock, onChange }, stop)),
    monitor.run(
      { view: onView, failure: error => log.debug({ reason: error.message }, 'no lag reading') },
      stop
    ),
    switcher.run(stop),
    keeper.run(stop),
    sweeper.run(stop)
  ]
  try {
    await Promise.all(loops)
  } finally {
    failed.abort()
    await Promise.allSettled(loops)
  }
}

function watchedParts(parts: Parts, config: ControllerConfig): readonly WatchedPart[] {
  const { admin, codec, ledger, store, embedder } = parts
  return [
    {
      name: 'kafka',
      prepare: signal => admin.prepare(config.DOCUMENTS_PARTITIONS, signal),
      check: () => admin.bounds(),
      checkEveryMs: 5000,
      unfitAtStart: 'refuse'
    },
    {
      name: 'schema-registry',
      prepare: signal => codec.prepare(signal),
      check: signal => codec.prepare(signal),
      checkEveryMs: 15_000,
      unfitAtStart: 'refuse'
    },
    {
      name: 'ledger',
      prepare: signal => openLedger(parts, config.POINTSMAN_INITIAL_MODE, signal),
      check: () => ledger.state(),
      checkEveryMs: 2000,
      unfitAtStart: 'refuse'
    },
    {
      name: 'weaviate',
      prepare: signal => store.prepare(signal),
      check: signal => store.check(signal),
      checkEveryMs: 5000,
      unfitAtStart: 'refuse'
    },
    {
      // A wrong key does not stop what the controller is for: looking.
      name: 'provider',
      prepare: signal => embedder.check(signal),
      check: signal => embedder.check(signal),
      checkEveryMs: 60_000,
      unfitAtStart: 'report'
    }
  ]
}
