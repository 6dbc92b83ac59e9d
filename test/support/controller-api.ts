import { Metrics } from '@pointsman/core/runtime/metrics'
import { namesOf } from '@pointsman/core/runtime/names'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { AccessPolicy } from '../../services/controller/src/api/access.ts'
import { buildApi } from '../../services/controller/src/api/build-api.ts'
import { Pace } from '../../services/controller/src/estimate/pace.ts'
import { JobBook } from '../../services/controller/src/jobs/job-book.ts'
import { lagMetrics } from '../../services/controller/src/lag/lag-metrics.ts'
import { LagMonitor } from '../../services/controller/src/lag/lag-monitor.ts'
import { HealthBoard } from '../../services/controller/src/status/health-board.ts'
import { Sweeper, sweepPolicy } from '../../services/controller/src/sweeper/sweeper.ts'
import { Switcher } from '../../services/controller/src/switching/switcher.ts'
import { MemoryWorld } from './memory-world.ts'

export const local = { host: '127.0.0.1:7070' }
export const json = { ...local, 'content-type': 'application/json' }

const jobTerms = { prices: { realtime: 1, batch: 0.5 }, deadlineMs: 26 * 3_600_000 }

export interface ServedApi {
  readonly world: MemoryWorld
  readonly api: FastifyInstance
  readonly board: HealthBoard
}

/** The API of the controller over everything in memory. */
export async function serveApi(access: Partial<AccessPolicy> = {}): Promise<ServedApi> {
  const world = new MemoryWorld()
  await world.drain()
  const { admin, control, ranges, codec, letters, ledger, store, embedder, provider, clock, spec } = world
  const names = namesOf('test')
  const parts = {
    admin,
    control,
    ranges,
    codec,
    letters,
    ledger,
    store,
    embedder,
    provider,
    clock,
    spec,
    names
  }
  const board = new HealthBoard(world.clock, ['kafka'])
  const monitor = new LagMonitor({ ...parts, groups: names.groups })
  const metrics = new Metrics('controller')
  const publish = lagMetrics(metrics, jobTerms.deadlineMs)
  publish(await monitor.look(new AbortController().signal))
  const api = await buildApi({
    parts,
    monitor,
    board,
    metrics,
    log: pino({ level: 'silent' }),
    version: '0.0.0',
    jobs: new JobBook(world.ledger, world.clock),
    switcher: new Switcher({
      parts,
      hit: () => undefined,
      self: 'controller',
      warn: () => undefined,
      onEnd: () => undefined
    }),
    sweeper: new Sweeper({ ...parts, trouble: () => '', onPage: () => undefined }, sweepPolicy(1)),
    jobTerms,
    pace: new Pace(),
    estimateSettings: {
      tokensPerMinute: 1_000_000,
      maxLines: 50_000,
      maxBytes: 100_000_000,
      maxTokens: 480_000,
      maxJobs: 5
    },
    access: { token: undefined, tokenForReading: false, allowedHosts: ['pointsman.internal'], ...access },
    examine: async () => ({ healthy: true, findings: [] }),
    stopping: new AbortController().signal
  })
  return { world, api, board }
}
