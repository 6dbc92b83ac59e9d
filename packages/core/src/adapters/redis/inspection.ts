import type { Redis } from 'ioredis'
import { Failure } from '../../domain/failure.ts'
import type { Inspection } from '../../ports/inspection.ts'
import { messageOf } from '../../runtime/message-of.ts'

const settings = ['appendonly', 'appendfsync', 'maxmemory-policy', 'maxmemory'] as const

/** Tells `redis_version` and, where the user may ask, `appendonly`, `appendfsync`, `maxmemory-policy`, `maxmemory`. */
export class RedisInspection implements Inspection {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  async inspect(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    signal.throwIfAborted()
    const told = new Map<string, string>()
    const version = /^redis_version:(.+?)\r?$/m.exec(await this.#info())?.[1]
    if (version !== undefined) told.set('redis_version', version)
    for (const name of settings) {
      const value = await this.#setting(name)
      if (value !== undefined) told.set(name, value)
    }
    return told
  }

  async #info(): Promise<string> {
    try {
      return await this.#redis.info('server')
    } catch (error) {
      const reason = messageOf(error)
      throw new Failure('LEDGER_UNAVAILABLE', `Redis does not answer: ${reason}`, { cause: error })
    }
  }

  /** Managed servers refuse CONFIG: then the setting is not known, which is no failure. */
  async #setting(name: string): Promise<string | undefined> {
    const answer: unknown = await this.#redis.config('GET', name).catch(() => undefined)
    const value: unknown = Array.isArray(answer) ? answer[1] : undefined
    return typeof value === 'string' ? value : undefined
  }
}
