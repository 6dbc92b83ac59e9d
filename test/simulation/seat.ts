// The place of a process in its consumer group. The group does not see whether a process is paused or dead: it finds out
// when no heartbeat has come for a while, and gives the partitions to others.
import type { MemoryGroup, MemoryMember } from '@pointsman/core/adapters/memory/event-log-group'
import type { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryGroupReader } from '@pointsman/core/adapters/memory/event-log-group-reader'
import type { GroupReader } from '@pointsman/core/ports/event-log'
import type { Life } from './host.ts'
import type { World } from './world.ts'

const sessionMs = 2_500

export class Seat {
  readonly #world: World
  readonly life: Life
  /** Of the present life in the ledger. */
  #reader: MemoryGroupReader | undefined
  #group: MemoryGroup | undefined
  #memberId = ''
  #isExpelled = false

  constructor(world: World, life: Life) {
    this.#world = world
    this.life = life
  }

  /** The reader of this process; commits go by `wired`. */
  open(groupName: string, wired: (reader: GroupReader) => GroupReader): GroupReader {
    const group = this.#world.log.group(groupName)
    this.#group = group
    this.#isExpelled = false
    const reader = new MemoryGroupReader(this.#logAsSeen(group), groupName, this.life.name)
    this.#reader = reader
    return wired(reader)
  }

  die(): void {
    const memberId = this.#memberId
    this.#reader?.kill()
    this.#world.schedule.after(sessionMs, () => this.#group?.evict(memberId))
  }

  /** Nothing is heard of it for a while. */
  silence(): void {
    this.#world.schedule.after(sessionMs, () => {
      if (!this.life.isPaused) return
      this.#isExpelled = true
      this.#world.story.note('a paused process was expelled from its group')
      this.#group?.leave(this.#memberId)
    })
  }

  /** It goes on, and hears after a moment that it is not a member any more. */
  speak(): void {
    if (!this.#isExpelled) return
    this.#isExpelled = false
    this.life.after(this.#world.random.between(5, 300), () => this.rejoin('its session has ended'))
  }

  rejoin(reason: string): void {
    // Its own end may come first.
    this.#reader?.crash(reason).catch(() => undefined)
  }

  /** The log with the clock of this process, and a group that reaches it only when it is up. */
  #logAsSeen(group: MemoryGroup): MemoryLog {
    const { log } = this.#world
    const seen = this.#groupAsSeen(group)
    return new Proxy(log, {
      get: (target, key) => {
        if (key === 'clock') return this.life.clock
        if (key === 'group') return () => seen
        return bound(target, key)
      }
    })
  }

  #groupAsSeen(group: MemoryGroup): MemoryGroup {
    const join = (member: MemoryMember): string => {
      const { instance } = member
      this.#memberId = group.join({
        instance,
        assign: (partitions, memberId) => {
          this.#memberId = memberId
          this.life.reach(() => member.assign(partitions, memberId))
        },
        suspend: () => this.life.reach(() => member.suspend())
      })
      return this.#memberId
    }
    return new Proxy(group, {
      get: (target, key) => (key === 'join' ? join : bound(target, key))
    })
  }
}

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target)
  return typeof value === 'function' ? (...args: unknown[]) => Reflect.apply(value, target, args) : value
}
