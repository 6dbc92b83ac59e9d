// The coordinator of one group. A member that was killed stays as a ghost: it keeps its partitions, and the next
// rebalance waits for it, as on a real broker until the session timeout, so that somebody has to evict it.
import type { GroupState } from '../../ports/event-log.ts'

export interface MemoryMember {
  readonly instance: string
  /** Called at every completed rebalance. */
  assign(partitions: readonly number[], memberId: string): void
  /** A rebalance waits: nothing may be delivered until the next `assign`. */
  suspend(): void
}

interface Seat {
  readonly member: MemoryMember
  alive: boolean
  partitions: readonly number[]
}

export class MemoryGroup {
  readonly committed = new Map<number, bigint>()
  readonly #name: string
  readonly #seats = new Map<string, Seat>()
  #partitions: number
  #joins = 0
  #rebalancing = false

  constructor(name: string, partitions: number) {
    this.#name = name
    this.#partitions = partitions
  }

  setPartitions(partitions: number): void {
    this.#partitions = partitions
    this.#rebalance()
  }

  /** @returns the new member's id; `assign` is called when no ghost stands in the way. */
  join(member: MemoryMember): string {
    this.#joins += 1
    const memberId = `${member.instance}-${this.#name}-${this.#joins}`
    this.#seats.set(memberId, { member, alive: true, partitions: [] })
    this.#rebalance()
    return memberId
  }

  leave(memberId: string): void {
    if (this.#seats.delete(memberId)) this.#rebalance()
  }

  /** The member's process is gone, its seat is not. */
  orphan(memberId: string): void {
    const seat = this.#seats.get(memberId)
    if (seat !== undefined) seat.alive = false
  }

  /** A ghost goes; a living member is only made to join again. */
  evict(memberId: string): void {
    const seat = this.#seats.get(memberId)
    if (seat === undefined) return
    this.#seats.delete(memberId)
    if (seat.alive) this.join(seat.member)
    else this.#rebalance()
  }

  isAssigned(memberId: string, partition: number): boolean {
    return !this.#rebalancing && (this.#seats.get(memberId)?.partitions.includes(partition) ?? false)
  }

  describe(): GroupState {
    const members = [...this.#seats].map(([memberId, { partitions }]) => ({ memberId, partitions }))
    const state = members.length === 0 ? 'Empty' : this.#rebalancing ? 'PreparingRebalance' : 'Stable'
    return { state, members }
  }

  #rebalance(): void {
    const seats = [...this.#seats].sort(([, a], [, b]) => (a.member.instance < b.member.instance ? -1 : 1))
    this.#rebalancing = seats.some(([, seat]) => !seat.alive)
    if (this.#rebalancing) {
      for (const [, seat] of seats) if (seat.alive) seat.member.suspend()
      return
    }
    const all = Array.from({ length: this.#partitions }, (_, partition) => partition)
    for (const [index, [, seat]] of seats.entries()) {
      seat.partitions = all.filter(partition => partition % seats.length === index)
    }
    for (const [memberId, seat] of seats) seat.member.assign(seat.partitions, memberId)
  }
}
