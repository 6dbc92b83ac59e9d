// The one place that commits. Invariants: never below what stands (I3 CommitSafe), never for a partition that is not
// assigned, and only as the member and generation at which the assignment was looked up: the broker checks those and
// not who owns a partition, so KafkaJS' own retries, which would use a newer generation, are not used.
import { withDeadline } from './deadline.ts'
import { isMembershipError } from './error-types.ts'
import type { Membership } from './membership.ts'
import { committedOf, selectCommits } from './offsets.ts'
import type { Logger } from '../../runtime/log.ts'

const callMs = 10_000

/** One generation of this member, as the join told it. */
interface Seat {
  readonly membership: Membership
  readonly memberId: string
  readonly partitions: readonly number[]
  /** Committed offsets as the broker has them; one map per generation. */
  readonly committed: Promise<Map<number, bigint | undefined>>
}

export class Committer {
  readonly #group: string
  readonly #topic: string
  readonly #log: Logger
  #seat: Seat | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(group: string, topic: string, log: Logger) {
    this.#group = group
    this.#topic = topic
    this.#log = log
  }

  joined(membership: Membership, partitions: readonly number[], memberId: string): void {
    const committed = this.#read(membership, partitions)
    committed.catch(() => undefined)
    this.#seat = { membership, memberId, partitions, committed }
  }

  left(): void {
    this.#seat = undefined
  }

  /** One at a time, so that no older watermark overtakes a newer one. Never throws. */
  commit(watermarks: ReadonlyMap<number, bigint>): Promise<ReadonlyMap<number, bigint>> {
    const turn = this.#queue.then(() => this.#commit(watermarks))
    this.#queue = turn
    return turn
  }

  /**
   * Writes back what was committed before KafkaJS replaced it by -1 or -2, as it does out of range.
   * @throws {Failure} `LOG_UNAVAILABLE`
   */
  async repair(partition: number): Promise<void> {
    const seat = this.#seat
    if (seat === undefined) return
    const before = (await seat.committed).get(partition)
    if (before === undefined) return
    const now = (await this.#read(seat.membership, [partition])).get(partition)
    if (now !== undefined || this.#seat !== seat) return
    await this.#send(seat, new Map([[partition, before]]))
    this.#log.error({ partition, committed: String(before) }, 'kafka: committed offset was lost; restored')
  }

  async #commit(watermarks: ReadonlyMap<number, bigint>): Promise<ReadonlyMap<number, bigint>> {
    const seat = this.#seat
    if (seat === undefined) return new Map()
    try {
      const committed = await seat.committed
      const { send, stand } = selectCommits(watermarks, seat.partitions, committed)
      if (send.size === 0) return stand
      await this.#send(seat, send)
      for (const [partition, offset] of send) committed.set(partition, offset)
      return new Map([...stand, ...send])
    } catch (error) {
      const level = isMembershipError(error) ? 'debug' : 'warn'
      this.#log[level]({ err: error }, 'kafka: offsets not committed; they will be tried again')
      // What stood is unknown after a failed look at it: look again.
      if (this.#seat === seat) this.joined(seat.membership, seat.partitions, seat.memberId)
      return new Map()
    }
  }

  async #send(seat: Seat, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const { membership, memberId } = seat
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    await this.#call('committing offsets', async () => {
      const [groupGenerationId, coordinator] = await Promise.all([
        membership.generationId(),
        membership.cluster.findGroupCoordinator({ groupId: this.#group })
      ])
      if (this.#seat !== seat) throw new Error('the group was joined anew')
      const topics = [{ topic: this.#topic, partitions }]
      await coordinator.offsetCommit({ groupId: this.#group, groupGenerationId, memberId, topics })
    })
  }

  #read(membership: Membership, partitions: readonly number[]): Promise<Map<number, bigint | undefined>> {
    return this.#call('reading committed offsets', async () => {
      const coordinator = await membership.cluster.findGroupCoordinator({ groupId: this.#group })
      const asked = partitions.map(partition => ({ partition, offset: '' }))
      const topics = [{ topic: this.#topic, partitions: asked }]
      const { responses } = await coordinator.offsetFetch({ groupId: this.#group, topics })
      const answered = responses.flatMap(response => response.partitions)
      return new Map(answered.map(({ partition, offset }) => [partition, committedOf(offset)]))
    })
  }

  #call<Value>(what: string, call: () => Promise<Value>): Promise<Value> {
    return withDeadline(call(), { ms: callMs, what, code: 'LOG_UNAVAILABLE' })
  }
}
