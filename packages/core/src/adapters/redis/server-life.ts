// One life of a Redis server, and whether what it answers outlives it. A server that was started anew, or that took over
// from another one, may have lost what was answered before; nothing in its data tells.
import type { Redis } from 'ioredis'
import { Failure } from '../../domain/failure.ts'
import { messageOf } from '../../runtime/message-of.ts'

/** Settings without which an answered write may be lost, or evicted. */
const durable = { appendonly: 'yes', appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no' } as const
const wanted = { ...durable, 'maxmemory-policy': 'noeviction' } as const
const neverPromoted = /^0+$/
/** Managed servers refuse CONFIG, and users may be forbidden INFO: then something is not known, which is no failure. */
const untold = /^(NOPERM|ERR unknown)/

export interface ServerLife {
  /** Undefined when the server does not tell: then nobody notices by it that the server was started anew. */
  readonly runId: string | undefined
  readonly isReplica: boolean
  /** A replica before: what its master answered last may be missing. */
  readonly wasPromoted: boolean
  /** Every answered write is on disk. Undefined when the server does not tell. */
  readonly isDurable: boolean | undefined
  /** Settings that may lose or evict what was answered, in words. */
  readonly flaws: readonly string[]
}

/** @throws {Failure} `LEDGER_UNAVAILABLE`. */
export async function inspectServerLife(redis: Redis): Promise<ServerLife> {
  const server = await infoOf(redis, 'server')
  const replication = await infoOf(redis, 'replication')
  const settings = new Map<string, string | undefined>()
  for (const name of Object.keys(wanted)) settings.set(name, await settingOf(redis, name))
  return {
    runId: server.get('run_id'),
    isReplica: (replication.get('role') ?? 'master') !== 'master',
    wasPromoted: !neverPromoted.test(replication.get('master_replid2') ?? '0'),
    isDurable: Object.keys(durable).some(name => settings.get(name) === undefined)
      ? undefined
      : Object.entries(durable).every(([name, needed]) => settings.get(name) === needed),
    flaws: Object.entries(wanted).flatMap(([name, needed]) => {
      const value = settings.get(name) ?? needed
      return value === needed ? [] : [`${name} is ${value}; the ledger needs ${needed}`]
    })
  }
}

async function infoOf(redis: Redis, section: string): Promise<ReadonlyMap<string, string>> {
  const text = (await ifTold(() => redis.info(section))) ?? ''
  return new Map(
    [...text.matchAll(/^([^#:\s]+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value])
  )
}

async function settingOf(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await ifTold(() => redis.config('GET', name))
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined
  return typeof value === 'string' ? value : undefined
}

async function ifTold<Told>(ask: () => Promise<Told>): Promise<Told | undefined> {
  try {
    return await ask()
  } catch (error) {
    const reason = messageOf(error)
    if (untold.test(reason)) return undefined
    throw new Failure('LEDGER_UNAVAILABLE', `redis: ${reason}`, { cause: error })
  }
}
