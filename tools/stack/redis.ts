import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { Redis } from 'ioredis'
import type { PartPlan } from './part.ts'

export interface RedisSettings {
  readonly server: string
  readonly folder: string
  readonly port: number
}

export function redisUrl(port: number): string {
  return `redis://127.0.0.1:${port}`
}

/** The durability that the ledger is designed for: an answered write is on disk, and nothing is ever evicted. */
export function redisPlan({ server, folder, port }: RedisSettings): PartPlan {
  const options = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction'
  }
  return {
    name: 'redis',
    ports: { listener: port },
    file: server,
    args: Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    env: {},
    cwd: folder,
    prepare: async () => {
      await mkdir(folder, { recursive: true })
    },
    probe: () => probeRedis(port)
  }
}

export async function probeRedis(port: number): Promise<void> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    commandTimeout: 5000,
    // A loading server answers LOADING to the write below, and it is asked again.
    enableReadyCheck: false
  })
  redis.on('error', () => {})
  const key = `probe-${randomUUID()}`
  try {
    await redis.connect()
    await redis.set(key, key, 'EX', 60)
    if ((await redis.get(key)) !== key) throw new Error('another value came back')
    await redis.del(key)
  } finally {
    redis.disconnect()
  }
}
