import type { Cluster } from 'kafkajs'
import type { LogBounds } from '../../ports/event-log.ts'

/** L and E of partitions of one topic. E is the readable end: records of open transactions are beyond it. */
export async function boundsOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[]
): Promise<ReadonlyMap<number, LogBounds>> {
  await cluster.addTargetTopic(topic)
  await cluster.refreshMetadataIfNecessary()
  const asked = partitions.map(partition => ({ partition }))
  const offsets = async (fromBeginning: boolean): Promise<ReadonlyMap<number, bigint>> => {
    const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: asked, fromBeginning }])
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
  }
  const [starts, ends] = await Promise.all([offsets(true), offsets(false)])
  return new Map(
    [...starts].map(([partition, start]) => {
      // Asked one after the other: an end below the start is an older answer.
      const end = ends.get(partition) ?? start
      return [partition, { start, end: end < start ? start : end }]
    })
  )
}
