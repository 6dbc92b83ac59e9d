// A KafkaJS consumer of which every partition is paused sleeps `maxWaitTimeInMs` between two looks, and nothing wakes it: a
// lane that takes over would begin that much late, 100 ms at worst. The override sleeps as long, until a partition is resumed.
import { z } from 'zod'
import { requirePrivate } from './private-modules.ts'

interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

interface ConsumerGroup {
  readonly maxWaitTime: number
  readonly cluster: { refreshMetadataIfNecessary(): Promise<void> }
  readonly subscriptionState: {
    active(): readonly TopicPartitions[]
    assigned(): readonly TopicPartitions[]
  }
  checkForStaleAssignment(): void
  filterPartitionsByNode(nodeId: string, assigned: readonly TopicPartitions[]): readonly TopicPartitions[]
  seekOffsets(assigned: readonly TopicPartitions[]): Promise<void>
  recoverFromFetch(error: unknown): Promise<void>
}

type Fetch = (this: ConsumerGroup, nodeId: string) => Promise<readonly unknown[]>
type Resume = (this: ConsumerGroup, partitions: readonly TopicPartitions[]) => void

const overridden = new WeakSet<Fetch>()
const sleepers = new WeakMap<ConsumerGroup, Set<() => void>>()

/** Idempotent. */
export function wakeOnResume(): void {
  const { prototype } = z
    .custom<{ prototype: { fetch: Fetch; resume: Resume } }>(
      value =>
        typeof value === 'function' &&
        'recoverFromFetch' in value.prototype &&
        'seekOffsets' in value.prototype
    )
    .parse(requirePrivate('consumer/consumerGroup'))
  const { fetch, resume } = prototype
  if (overridden.has(fetch)) return

  const wakeful: Fetch = async function (nodeId) {
    if (hasActive(this)) return await fetch.call(this, nodeId)
    // What the original does before it sleeps.
    try {
      await this.cluster.refreshMetadataIfNecessary()
      this.checkForStaleAssignment()
      await this.seekOffsets(this.filterPartitionsByNode(nodeId, this.subscriptionState.assigned()))
    } catch (error) {
      await this.recoverFromFetch(error)
      return []
    }
    if (!hasActive(this)) await sleepUntilResumed(this)
    return []
  }
  overridden.add(wakeful)
  prototype.fetch = wakeful
  prototype.resume = function (partitions) {
    resume.call(this, partitions)
    for (const wake of sleepers.get(this) ?? []) wake()
  }
}

function hasActive({ subscriptionState }: ConsumerGroup): boolean {
  return subscriptionState.active().some(({ partitions }) => partitions.length > 0)
}

/** One fetch loop for each broker may sleep at once. */
async function sleepUntilResumed(group: ConsumerGroup): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const wakes = sleepers.get(group) ?? new Set()
  sleepers.set(group, wakes.add(resolve))
  const timer = setTimeout(resolve, group.maxWaitTime)
  await promise
  clearTimeout(timer)
  wakes.delete(resolve)
}
