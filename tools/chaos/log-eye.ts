// Raw reads of Kafka: ends, committed offsets, dead letters, and what the control log says. KafkaJS alone, but for how the
// records of the control log are written.

import { KafkaControlLog } from '@pointsman/core/adapters/kafka/control-log'
import type { NewClient } from '@pointsman/core/adapters/kafka/client'
import { KafkaDeadLetters } from '@pointsman/core/adapters/kafka/dead-letters'
import type { StoredControlRecord } from '@pointsman/core/ports/control-log'
import type { Names } from '@pointsman/core/runtime/names'
import type { Admin } from 'kafkajs'

export type Offsets = ReadonlyMap<number, bigint>

const mostLetters = 100_000

export class LogEye implements AsyncDisposable {
  readonly #names: Names
  readonly #admin: Admin
  readonly #newClient: NewClient

  private constructor(names: Names, admin: Admin, newClient: NewClient) {
    this.#names = names
    this.#admin = admin
    this.#newClient = newClient
  }

  static async open(newClient: NewClient, names: Names): Promise<LogEye> {
    const admin = newClient().admin()
    await admin.connect()
    return new LogEye(names, admin, newClient)
  }

  async ends(): Promise<Offsets> {
    const ends = await this.#admin.fetchTopicOffsets(this.#names.documents)
    return new Map(ends.map(({ high, partition }) => [partition, BigInt(high)]))
  }

  /** Of each group, partitions that it has committed. */
  async committed(): Promise<readonly { readonly group: string; readonly offsets: Offsets }[]> {
    const { documents, groups } = this.#names
    return await Promise.all(
      Object.values(groups).map(async group => {
        const topics = await this.#admin.fetchOffsets({ groupId: group, topics: [documents] })
        const known = topics
          .flatMap(({ partitions }) => partitions)
          .filter(({ offset }) => Number(offset) >= 0)
        return { group, offsets: new Map(known.map(({ offset, partition }) => [partition, BigInt(offset)])) }
      })
    )
  }

  /** Reason by document. */
  async deadLetters(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    await using letters = new KafkaDeadLetters(this.#newClient, this.#names)
    const stored = await letters.list(mostLetters, signal)
    return new Map(stored.map(({ key = '', reason }) => [key, reason]))
  }

  async control(signal: AbortSignal): Promise<readonly StoredControlRecord[]> {
    await using log = new KafkaControlLog(this.#newClient, this.#names)
    return await log.read(0n, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect()
  }
}
