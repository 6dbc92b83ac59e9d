// A member of a group in a process of its own, for tests that kill it. Tells its joins on standard output.
//
//   node kafka-member.ts BROKERS TOPIC GROUP INSTANCE
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaGroupReader } from '@pointsman/core/adapters/kafka/group-reader'
import { openLog } from '@pointsman/core/runtime/log'
import { kafkaSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'

const [brokers, topic = '', group = '', instance = ''] = process.argv.slice(2)
const settings = z.object(kafkaSettings).parse({ KAFKA_BROKERS: brokers })
const log = openLog('member', 'silent')
const reader = new KafkaGroupReader(kafkaClients(settings, instance, log), group, topic, instance, log)

await reader.start(
  {
    assigned: (partitions, memberId) => {
      for (const partition of partitions) reader.readFrom(partition, 0n)
      process.stdout.write(`${JSON.stringify({ partitions, memberId })}\n`)
    },
    batch: () => true,
    outside: () => undefined,
    lost: () => undefined
  },
  new AbortController().signal
)
