// Carries out one fault: does it, waits as long as it lasts, and takes it back. What it may cost is noted at that moment.

import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PartHandle, PartName } from '../stack/part.ts'
import { isRealtime, realtimeEmbedders, type ServiceName } from './clients.ts'
import type { Incidents } from './incidents.ts'
import type { Toxic } from './links.ts'
import { fillDisk, pathOnDisk } from './own-disk.ts'
import type { Fault, FaultKind } from './plan.ts'
import type { FaultRule } from './provider.ts'
import type { Supervised } from './supervised.ts'
import type { World } from './world.ts'

export interface StrikeDeps {
  readonly world: World
  readonly folder: string
  readonly incidents: Incidents
  /** Kills the producer that runs now, if one does. */
  readonly killProducer: () => boolean
}

/** @returns false when there was nothing to strike: a process that was between two lives. */
export async function strike(fault: Fault, name: string, deps: StrikeDeps): Promise<boolean> {
  const { incidents, world } = deps
  const { eye, links, provider } = world
  switch (fault.kind) {
    case 'kill-embedder':
    case 'kill-controller': {
      const struck = await serviceOf(world, fault.target).kill()
      if (struck && isRealtime(fault.target)) await incidents.stoodStill(fault.kind, [fault.target])
      return struck
    }
    case 'kill-producer':
      return await untilSo(deps.killProducer)
    case 'freeze': {
      const service = serviceOf(world, fault.target)
      if (!(await service.freeze())) return false
      if (isRealtime(fault.target)) await incidents.stoodStill(fault.kind, [fault.target])
      await sleep(fault.durationMs)
      service.thaw()
      return true
    }
    case 'reset':
    case 'latency':
    case 'bandwidth': {
      const { client, durationMs, server } = fault
      await links.poison(client, server, name, toxics[fault.kind])
      // Repetitions may be lost as well while it lasts; so may the lease be when the ledger is far.
      if (fault.kind === 'reset' && server === 'openai' && isRealtime(client))
        incidents.moved(fault.kind, [client], 2)
      await sleep(durationMs)
      await links.cure(client, server, name)
      return true
    }
    case 'link-down': {
      const { client, durationMs, server } = fault
      await links.cut(client, server)
      if (isRealtime(client) && server === 'openai') await incidents.stoodStill(fault.kind, [client])
      // Its lease may run out, and others take over what it has in flight.
      if (isRealtime(client) && server === 'redis') await incidents.stoodStill(fault.kind, [client])
      await sleep(durationMs)
      await links.mend(client, server)
      return true
    }
    case 'rate-limits':
    case 'server-errors':
    case 'lost-answers':
    case 'failing-lines':
      await provider.strike(name, rulesOf[fault.kind](fault.share))
      await sleep(fault.durationMs)
      await provider.calm(name)
      return true
    case 'broker-restart':
      await world.stack.part('kafka').restart()
      return true
    case 'weaviate-restart':
      await world.stack.part('weaviate').restart()
      return true
    case 'weaviate-kill':
      await world.stack.part('weaviate').kill()
      await world.stack.part('weaviate').restart()
      return true
    case 'redis-kill':
      await world.stack.part('redis').kill()
      await sleep(fault.downMs)
      await world.stack.part('redis').restart()
      // Leases may have run out meanwhile.
      incidents.moved(fault.kind, realtimeEmbedders)
      return true
    case 'redis-rollback':
      await rollBackRedis(world.stack.part('redis'), join(deps.folder, 'stack', 'redis'), fault.byMs)
      incidents.moved(fault.kind, realtimeEmbedders)
      return true
    case 'flush-ledger':
      await eye.flush()
      incidents.moved(fault.kind, realtimeEmbedders)
      return true
    case 'disk-full': {
      const { pid } = serviceOf(world, fault.target)
      if (pid === undefined) return false
      const path = pathOnDisk(pid, join(deps.folder, 'spool', fault.target))
      const full = await fillDisk(path).then(
        () => true,
        () => false
      )
      await sleep(fault.durationMs)
      await rm(path, { force: true }).catch(() => undefined)
      return full
    }
    case 'clock-jump':
      await provider.put('/clock', { advanceSeconds: fault.seconds })
      return true
  }
}

/** A producer runs every few seconds. */
async function untilSo(isSo: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + 15_000
  while (!isSo()) {
    if (performance.now() > deadlineMs) return false
    await sleep(50)
  }
  return true
}

/** A backup is put back that was taken a while ago: its log of writes ends there. */
async function rollBackRedis(redis: PartHandle, data: string, byMs: number): Promise<void> {
  const backup = `${data}.backup`
  await rm(backup, { recursive: true, force: true })
  await cp(data, backup, { recursive: true })
  await sleep(byMs)
  await redis.kill()
  await rm(data, { recursive: true, force: true })
  await rename(backup, data)
  await redis.restart()
}

/** What two faults at once would hinder each other at. Undefined: nothing. */
export function resourceOf(fault: Fault): string | undefined {
  switch (fault.kind) {
    case 'kill-embedder':
    case 'kill-controller':
    case 'freeze':
    case 'disk-full':
      return fault.target
    case 'reset':
    case 'latency':
    case 'bandwidth':
    case 'link-down':
      return `${fault.client} to ${fault.server}`
    case 'broker-restart':
      return 'kafka' satisfies PartName
    case 'weaviate-restart':
    case 'weaviate-kill':
      return 'weaviate' satisfies PartName
    case 'redis-kill':
    case 'redis-rollback':
    case 'flush-ledger':
      return 'redis' satisfies PartName
    case 'kill-producer':
    case 'rate-limits':
    case 'server-errors':
    case 'lost-answers':
    case 'failing-lines':
    case 'clock-jump':
      return undefined
  }
}

/** For the timeline. */
export function sayFault(fault: Fault): string {
  const rest = Object.entries(fault)
    .filter(([field]) => field !== 'kind')
    .map(([field, value]) => (field.endsWith('Ms') ? `${Number(value) / 1000} s` : String(value)))
  return [fault.kind, ...rest].join(' ')
}

const toxics: Readonly<Record<Extract<FaultKind, 'reset' | 'latency' | 'bandwidth'>, Toxic>> = {
  reset: { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } },
  latency: { type: 'latency', stream: 'downstream', attributes: { latency: 400, jitter: 300 } },
  // Kilobytes a second.
  bandwidth: { type: 'bandwidth', stream: 'downstream', attributes: { rate: 40 } }
}

type ProviderFault = Extract<FaultKind, 'rate-limits' | 'server-errors' | 'lost-answers' | 'failing-lines'>

const rulesOf: Readonly<Record<ProviderFault, (share: number) => readonly FaultRule[]>> = {
  'rate-limits': share => [{ kind: 'rate_limited', route: 'any', share, retryAfter: 1 }],
  'server-errors': share => [{ kind: 'http_error', route: 'any', share, status: 503 }],
  'lost-answers': share => [
    { kind: 'reset_after_billing', share, times: 4 },
    { kind: 'reset_after_commit', route: 'batches.create', share },
    { kind: 'reset_after_commit', route: 'files.create', share: share / 2 },
    { kind: 'cut_body', route: 'files.content', share: share / 2 }
  ],
  'failing-lines': share => [
    { kind: 'line_error', share: share / 8 },
    { kind: 'line_missing', share: 0.02 },
    { kind: 'line_duplicated', share: 0.05 },
    { kind: 'job_expires', done: 0.5, share: share / 4 }
  ]
}

function serviceOf(world: World, name: ServiceName): Supervised {
  const service = world.processes.get(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return service
}
