import { beforeEach, describe, expect, test } from 'vitest'
import { type Pausable, PauseAuthority } from '@pointsman/core/adapters/kafka/pause-authority'

class FakeConsumer implements Pausable {
  readonly paused = new Set<number>()
  down = false

  pause(partition: number): void {
    this.#require()
    this.paused.add(partition)
  }

  resume(partition: number): void {
    this.#require()
    this.paused.delete(partition)
  }

  #require(): void {
    if (this.down) throw new Error('Consumer group was not initialized')
  }
}

describe('pause authority', () => {
  let authority: PauseAuthority
  let consumer: FakeConsumer

  beforeEach(() => {
    authority = new PauseAuthority()
    consumer = new FakeConsumer()
  })

  test('pauses every partition at a join', () => {
    authority.assign(consumer, [0, 1])
    expect([...consumer.paused]).toEqual([0, 1])
  })

  test('resumes when the last reason goes, not before', () => {
    authority.assign(consumer, [0])
    authority.add(0, 'gate')
    authority.remove(0, 'unpositioned')
    expect(consumer.paused.has(0)).toBe(true)

    authority.remove(0, 'gate')
    expect(consumer.paused.has(0)).toBe(false)
    expect(authority.isHeld(0)).toBe(false)
  })

  test('keeps reasons over the death of a consumer', () => {
    authority.assign(consumer, [0])
    authority.add(0, 'other-lane')
    authority.remove(0, 'unpositioned')
    authority.unassign()

    const next = new FakeConsumer()
    authority.assign(next, [0])
    authority.remove(0, 'unpositioned')
    expect(next.paused.has(0)).toBe(true)
    expect([...authority.holds(0)]).toEqual(['other-lane'])
  })

  test('notes reasons while the consumer is down, and does not touch partitions of others', () => {
    authority.assign(consumer, [0])
    consumer.down = true
    authority.remove(0, 'unpositioned')
    authority.add(0, 'gate')
    authority.add(5, 'gate')
    expect([...authority.holds(0)]).toEqual(['gate'])
    expect([...authority.holds(5)]).toEqual(['gate'])

    consumer.down = false
    authority.remove(5, 'gate')
    expect(consumer.paused.has(5)).toBe(false)
  })
})
