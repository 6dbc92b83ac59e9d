// Looks at the ledger from outside, past all proxies: what is at risk, and what is left to do. It decides nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import { Failure } from '@pointsman/core/domain/failure'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Ledger, Survey } from '@pointsman/core/ports/ledger'
import type { LedgerSettings } from '@pointsman/core/runtime/settings'
import type { Redis } from 'ioredis'

export class LedgerEye implements AsyncDisposable {
  readonly #redis: Redis
  readonly #settings: LedgerSettings
  #ledger: Ledger | undefined

  private constructor(redis: Redis, settings: LedgerSettings) {
    this.#redis = redis
    this.#settings = settings
  }

  static async open(redisUrl: string, settings: LedgerSettings): Promise<LedgerEye> {
    return new LedgerEye(await openRedis({ REDIS_URL: redisUrl }, () => undefined), settings)
  }

  /** Undefined while it does not answer, or when it was replaced just now. */
  async survey(): Promise<Survey | undefined> {
    try {
      if (this.#ledger === undefined) {
        // Who finds it missing says so: an empty one would be taken for a beginning.
        const ledger = redisLedger(this.#redis, this.#settings, 'chaos', () => undefined)
        await ledger.open('realtime', 'lost')
        this.#ledger = ledger
      }
      return await this.#ledger.survey()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#ledger = undefined
      return undefined
    }
  }

  /** Of most partitions, as far as can be seen now. */
  async laneNow(): Promise<Lane> {
    const lanes = [...((await this.survey())?.progress.values() ?? [])].map(({ lane }) => lane)
    return lanes.filter(lane => lane === 'batch').length * 2 > lanes.length ? 'batch' : 'realtime'
  }

  /** Inputs of realtime requests that are journalled as sent and not answered, by instance. */
  async inputsAtRisk(): Promise<ReadonlyMap<string, number> | undefined> {
    const survey = await this.survey()
    if (survey === undefined) return undefined
    const instanceOf = new Map(survey.instances.map(({ instance, owner }) => [owner, instance]))
    const atRisk = new Map<string, number>()
    for (const { inputsAtRisk, owner } of survey.obligations) {
      const instance = owner === undefined ? undefined : instanceOf.get(owner)
      const name = instance ?? 'nobody'
      atRisk.set(name, (atRisk.get(name) ?? 0) + inputsAtRisk)
    }
    return atRisk
  }

  /** FLUSHALL: all that Redis holds is gone. Waits until Redis can be told. */
  async flush(): Promise<void> {
    for (;;) {
      const isDone = await this.#redis.flushall().then(
        () => true,
        () => false
      )
      if (isDone) return
      await sleep(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeRedis(this.#redis)
  }
}
