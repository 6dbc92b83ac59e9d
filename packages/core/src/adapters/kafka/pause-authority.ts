// The one place that pauses and resumes, always by partition: a pause of the whole topic would be cleared by the next
// pause of a partition. Reasons are kept here, since KafkaJS forgets every pause with a consumer.
import type { HoldReason } from '../../ports/event-log.ts'

export type Hold = HoldReason | 'unpositioned'

/** A consumer. Throws while it is down. */
export interface Pausable {
  pause(partition: number): void
  resume(partition: number): void
}

export class PauseAuthority {
  readonly #holds = new Map<number, Set<Hold>>()
  #assigned: ReadonlySet<number> = new Set()
  #target: Pausable | undefined

  /** At a join, before the first fetch: everything is paused, `unpositioned` on top of the reasons that stand. */
  assign(target: Pausable, partitions: readonly number[]): void {
    this.#target = target
    this.#assigned = new Set(partitions)
    for (const partition of partitions) {
      this.#holdsOf(partition).add('unpositioned')
      target.pause(partition)
    }
  }

  /** The consumer is gone; reasons stay. */
  unassign(): void {
    this.#target = undefined
    this.#assigned = new Set()
  }

  add(partition: number, hold: Hold): void {
    const holds = this.#holdsOf(partition)
    holds.add(hold)
    if (holds.size === 1) this.#apply(partition, target => target.pause(partition))
  }

  remove(partition: number, hold: Hold): void {
    const holds = this.#holdsOf(partition)
    if (holds.delete(hold) && holds.size === 0) this.#apply(partition, target => target.resume(partition))
  }

  holds(partition: number): ReadonlySet<Hold> {
    return new Set(this.#holds.get(partition))
  }

  isHeld(partition: number): boolean {
    return (this.#holds.get(partition)?.size ?? 0) > 0
  }

  #holdsOf(partition: number): Set<Hold> {
    const found = this.#holds.get(partition) ?? new Set<Hold>()
    this.#holds.set(partition, found)
    return found
  }

  #apply(partition: number, change: (target: Pausable) => void): void {
    if (this.#target === undefined || !this.#assigned.has(partition)) return
    try {
      change(this.#target)
    } catch {
      // The consumer is down: its next join applies all reasons anew.
    }
  }
}
