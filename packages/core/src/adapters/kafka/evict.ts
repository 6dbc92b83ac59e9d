import type { Cluster } from 'kafkajs'
import { errorTypes } from './error-types.ts'

interface Coordinator {
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
}

/**
 * Leaves a group in the name of a member. A ghost would block its group until the session timeout; a living member
 * joins again by itself; one that is gone already does not matter.
 */
export async function evictMember(cluster: Cluster, groupId: string, memberId: string): Promise<void> {
  const coordinator: object = await cluster.findGroupCoordinator({ groupId })
  if (!canLeave(coordinator)) throw new Error('this KafkaJS has no broker.leaveGroup')
  try {
    await coordinator.leaveGroup({ groupId, memberId })
  } catch (error) {
    if (!errorTypes(error).includes('UNKNOWN_MEMBER_ID')) throw error
  }
}

function canLeave(broker: object): broker is Coordinator {
  return 'leaveGroup' in broker && typeof broker.leaveGroup === 'function'
}
