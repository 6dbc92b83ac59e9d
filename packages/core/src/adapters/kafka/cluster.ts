import type { Cluster } from 'kafkajs'
import { byInstance } from './assigner.ts'
import type { NewClient } from './client.ts'
import { Reconnecting } from './reconnecting.ts'

/**
 * A connection to the brokers without a group, for what KafkaJS has no public call for: the cluster object of a
 * consumer that never joins.
 */
export function openCluster(newClient: NewClient): Reconnecting<Cluster> {
  return new Reconnecting({
    connect: async () => {
      let captured: Cluster | undefined
      newClient().consumer({
        groupId: 'none',
        allowAutoTopicCreation: false,
        metadataMaxAge: 30_000,
        partitionAssigners: [
          byInstance('', cluster => {
            captured = cluster
          })
        ]
      })
      if (captured === undefined) throw new Error('KafkaJS gave no cluster to the assigner')
      await captured.connect()
      return captured
    },
    disconnect: cluster => cluster.disconnect()
  })
}
