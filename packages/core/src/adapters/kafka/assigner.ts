import { AssignerProtocol } from 'kafkajs'
import type { Cluster, PartitionAssigner } from 'kafkajs'

const { MemberAssignment, MemberMetadata } = AssignerProtocol

// A change of what follows needs a new name: members that disagree cannot be in one group.
const name = 'PointsmanByInstance'
const version = 1

/**
 * Deals partitions to members in the order of their stable instance names, so that two groups with the same instances
 * get the same layout, before and after restarts.
 *
 * @param onCluster - gets the consumer's own cluster object, the only way to it.
 */
export function byInstance(instance: string, onCluster: (cluster: Cluster) => void): PartitionAssigner {
  return ({ cluster }) => {
    onCluster(cluster)
    return {
      name,
      version,
      protocol: ({ topics }) => ({
        name,
        metadata: MemberMetadata.encode({ version, topics, userData: Buffer.from(instance) })
      }),
      assign: async ({ members, topics }) => {
        const seats = members.map(({ memberId, memberMetadata }) => ({
          memberId,
          instance: instanceOf(memberMetadata)
        }))
        const partitions = new Map(
          topics.map(topic => [
            topic,
            cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
          ])
        )
        return [...deal(seats, partitions)].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({ version, assignment, userData: Buffer.alloc(0) })
        }))
      }
    }
  }
}

interface Seat {
  readonly memberId: string
  readonly instance: string
}

/** Every partition to one member, their numbers as even as can be. */
export function deal(
  seats: readonly Seat[],
  partitions: ReadonlyMap<string, readonly number[]>
): ReadonlyMap<string, Record<string, number[]>> {
  const ordered = [...seats].sort(
    (a, b) => compare(a.instance, b.instance) || compare(a.memberId, b.memberId)
  )
  const dealt = new Map<string, Record<string, number[]>>(ordered.map(({ memberId }) => [memberId, {}]))
  for (const [topic, numbers] of partitions) {
    for (const [index, { memberId }] of ordered.entries()) {
      const mine = [...numbers].sort((a, b) => a - b).filter((_, place) => place % ordered.length === index)
      const assignment = dealt.get(memberId)
      if (assignment !== undefined && mine.length > 0) assignment[topic] = mine
    }
  }
  return dealt
}

function instanceOf(memberMetadata: Buffer): string {
  return MemberMetadata.decode(memberMetadata)?.userData.toString() ?? ''
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
