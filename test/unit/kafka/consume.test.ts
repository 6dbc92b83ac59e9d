import { describe, expect, test, vi } from 'vitest'
import { takeBatch } from '@pointsman/core/adapters/kafka/consume'
import { at, type Position } from '@pointsman/core/adapters/kafka/offsets'
import { PauseAuthority } from '@pointsman/core/adapters/kafka/pause-authority'

// The parts of KafkaJS' payload that are used, as its source makes them.
function payload(
  fetchedOffset: string,
  offsets: readonly number[],
  flags: { stale?: boolean; running?: boolean } = {}
) {
  const messages = offsets.map(offset => ({
    offset: String(offset),
    timestamp: '1',
    key: null,
    value: Buffer.from('v'),
    attributes: 0,
    headers: {}
  }))
  const resolved: string[] = []
  return {
    resolved,
    batch: {
      topic: 't',
      partition: 3,
      highWatermark: '99',
      fetchedOffset,
      messages,
      isEmpty: () => messages.length === 0,
      firstOffset: () => messages[0]?.offset ?? null,
      lastOffset: () => messages.at(-1)?.offset ?? '-1',
      offsetLag: () => '0',
      offsetLagLow: () => '0'
    },
    resolveOffset: (offset: string) => void resolved.push(offset),
    heartbeat: async () => undefined,
    pause: () => () => undefined,
    commitOffsetsIfNecessary: async () => undefined,
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => flags.running ?? true,
    isStale: () => flags.stale ?? false
  }
}

function deps(position: bigint | undefined) {
  const positions = new Map<number, Position>()
  if (position !== undefined) positions.set(3, at(position))
  return {
    authority: new PauseAuthority(),
    positions,
    events: { assigned: vi.fn(), batch: vi.fn(() => true), outside: vi.fn(), lost: vi.fn() },
    astray: vi.fn(),
    failed: vi.fn()
  }
}

describe('a fetched batch', () => {
  test('reaches the listener from the position told to the one after its last record, and is resolved', () => {
    const given = payload('5', [5, 8])
    const world = deps(5n)
    takeBatch(given, world)
    expect(world.events.batch).toHaveBeenCalledWith(
      expect.objectContaining({ partition: 3, from: 5n, next: 9n })
    )
    expect(given.resolved).toEqual(['8'])
    expect(world.positions.get(3)).toEqual(at(9n))
  })

  test('fetched at another position than expected is dropped and reported', () => {
    const given = payload('0', [5])
    const world = deps(5n)
    takeBatch(given, world)
    expect(world.astray).toHaveBeenCalledWith(3)
    expect(world.events.batch).not.toHaveBeenCalled()
    expect(given.resolved).toEqual([])
  })

  test('without any known position is dropped', () => {
    const world = deps(undefined)
    takeBatch(payload('0', [0]), world)
    expect(world.events.batch).not.toHaveBeenCalled()
  })

  test.each([{ stale: true }, { running: false }])('is dropped silently when %o', flags => {
    const world = deps(5n)
    takeBatch(payload('0', [5], flags), world)
    expect(world.astray).not.toHaveBeenCalled()
    expect(world.events.batch).not.toHaveBeenCalled()
  })

  test('of a held partition is dropped: a pause does not stop a handler that was called already', () => {
    const world = deps(5n)
    world.authority.add(3, 'gate')
    takeBatch(payload('5', [5]), world)
    expect(world.events.batch).not.toHaveBeenCalled()
  })

  test('that is refused, or that the listener chokes on, stays unresolved', () => {
    const refused = deps(5n)
    refused.events.batch.mockReturnValue(false)
    const given = payload('5', [5])
    takeBatch(given, refused)
    expect([given.resolved, refused.positions.get(3)]).toEqual([[], at(5n)])

    const choked = deps(5n)
    choked.events.batch.mockImplementation(() => {
      throw new Error('planted')
    })
    takeBatch(given, choked)
    expect(given.resolved).toEqual([])
    expect(choked.failed).toHaveBeenCalledWith(3, expect.any(Error))
  })

  test('leaves the position that the listener asked for meanwhile', () => {
    const world = deps(5n)
    world.events.batch.mockImplementation(() => {
      world.positions.set(3, at(2n))
      return true
    })
    const given = payload('5', [5])
    takeBatch(given, world)
    expect([given.resolved, world.positions.get(3)]).toEqual([[], at(2n)])
  })

  test('after records that nobody sees goes on from the position told', () => {
    const world = deps(5n)
    world.positions.set(3, { told: 5n, fetchAt: 7n })
    takeBatch(payload('7', [7]), world)
    expect(world.events.batch).toHaveBeenCalledWith(expect.objectContaining({ from: 5n, next: 8n }))
  })
})
