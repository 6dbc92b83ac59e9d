import { inject } from 'vitest'
import { eventLogContract } from '../contract/event-log.ts'
import { openKafkaLog } from '../support/kafka-event-log.ts'

eventLogContract('kafka', () => openKafkaLog(inject('kafkaBrokers'), inject('schemaRegistryUrl')))
