// What this adapter takes from inside KafkaJS stands as it was examined.
import { createRequire } from 'node:module'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { examinedVersion, requirePrivate } from '@pointsman/core/adapters/kafka/private-modules'
import { quietIdleConnections } from '@pointsman/core/adapters/kafka/quiet-idle-connections'
import { wakeOnResume } from '@pointsman/core/adapters/kafka/wake-on-resume'

interface Queue {
  readonly throttleCheckTimeoutId: unknown
  readonly pending: object[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  destroy(): void
}

const require = createRequire(import.meta.url)

test('the installed KafkaJS is the one that was examined', () => {
  expect(require('kafkajs/package.json').version).toBe(examinedVersion)
})

test('an idle connection arms no timer, a waiting request does', () => {
  quietIdleConnections()
  quietIdleConnections()
  const RequestQueue = z
    .custom<new (options: object) => Queue>()
    .parse(requirePrivate('network/requestQueue'))
  const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1, logger: { debug: vi.fn() } })
  queue.checkPendingRequests()
  expect(queue.throttleCheckTimeoutId).toBe(null)

  queue.pending.push({})
  queue.scheduleCheckPendingRequests()
  expect(queue.throttleCheckTimeoutId).not.toBe(null)
  queue.destroy()
})

interface Group {
  fetch(nodeId: string): Promise<readonly unknown[]>
  pause(partitions: readonly object[]): void
  resume(partitions: readonly object[]): void
  readonly subscriptionState: { assign(partitions: readonly object[]): void }
  checkForStaleAssignment: () => void
  filterPartitionsByNode: () => readonly object[]
  seekOffsets: () => Promise<void>
}

describe('a consumer of which every partition is paused', () => {
  const partition = [{ topic: 'documents', partitions: [0] }]

  function pausedGroup(maxWaitTimeInMs: number): Group {
    wakeOnResume()
    wakeOnResume()
    const ConsumerGroup = z
      .custom<new (options: object) => Group>()
      .parse(requirePrivate('consumer/consumerGroup'))
    const logger = { namespace: () => logger, debug: vi.fn(), info: vi.fn() }
    const group = new ConsumerGroup({
      logger,
      maxWaitTimeInMs,
      topics: ['documents'],
      topicConfigurations: {},
      cluster: { refreshMetadataIfNecessary: async () => undefined },
      retry: {}
    })
    group.subscriptionState.assign(partition)
    group.pause(partition)
    group.checkForStaleAssignment = vi.fn()
    group.filterPartitionsByNode = () => partition
    group.seekOffsets = vi.fn(async () => undefined)
    return group
  }

  test('fetches again as soon as one is resumed', async () => {
    const group = pausedGroup(3_600_000)
    const looks = [group.fetch('1'), group.fetch('2')]
    await vi.waitFor(() => expect(group.seekOffsets).toHaveBeenCalledTimes(2))
    group.resume(partition)
    expect(await Promise.all(looks)).toEqual([[], []])
  })

  test('does not sleep when one was resumed while it looked', async () => {
    const group = pausedGroup(3_600_000)
    group.seekOffsets = async () => group.resume(partition)
    expect(await group.fetch('1')).toEqual([])
  })

  test('looks again by itself after its time, with seeks and metadata in order', async () => {
    const group = pausedGroup(1)
    expect(await group.fetch('1')).toEqual([])
    expect(group.checkForStaleAssignment).toHaveBeenCalledOnce()
    expect(group.seekOffsets).toHaveBeenCalledExactlyOnceWith(partition)
  })
})
