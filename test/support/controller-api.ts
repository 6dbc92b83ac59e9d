import { Metrics } from '@pointsman/core/runtime/metrics'
import { namesOf } from '@pointsman/core/runtime/names'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { AccessPolicy } from '../../services/controller/src/api/access.ts'
import { buildApi } from '../../services/controller/src/api/build-api.ts'
import { lagMetrics } from '../../services/controller/src/lag/lag-metrics.ts'
import { LagMonitor } from '../../services/controller/src/lag/lag-monitor.ts'
import { HealthBoard } from '../../services/controller/src/status/health-board.ts'
import { MemoryWorld } from './memory-world.ts'

export const local = { host: '127.0.0.1:7070' }
export const json = { ...local, 'content-type': 'application/json' }

export interface ServedApi {
  readonly world: MemoryWorld
  readonly api: FastifyInstance
  readonly board: HealthBoard
}

/** The API of the controller over everything in memory. */
export async function serveApi(access: Partial<AccessPolicy> = {}): Promise<ServedApi> {
  const world = new MemoryWorld()
  await world.drain()
  const { admin, ranges, codec, letters, ledger, store, embedder, clock, spec } = world
  const names = namesOf('test')
  const parts = { admin, ranges, codec, letters, ledger, store, embedder, clock, spec, names }
  const board = new HealthBoard(world.clock, ['kafka'])
  const monitor = new LagMonitor({ ...parts, groups: names.groups })
  const metrics = new Metrics('controller')
  const publish = lagMetrics(metrics)
  publish(await monitor.look(new AbortController().signal))
  const api = await buildApi({
    parts,
    monitor,
    board,
    metrics,
    log: pino({ level: 'silent' }),
    version: '0.0.0',
    usdPerMillionTokens: 1,
    access: { token: undefined, tokenForReading: false, allowedHosts: ['pointsman.internal'], ...access },
    examine: async () => ({ healthy: true, findings: [] }),
    stopping: new AbortController().signal
  })
  return { world, api, board }
}
