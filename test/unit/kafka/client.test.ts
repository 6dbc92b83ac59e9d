import { pino } from 'pino'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { kafkaSettings } from '@pointsman/core/runtime/settings'

const log = pino({ level: 'silent' })
const settings = (given: Record<string, string>) =>
  z.object(kafkaSettings).parse({ KAFKA_BROKERS: '127.0.0.1:9092', ...given })

test('a login without name or password is a wrong configuration, and is not printed', () => {
  const incomplete = settings({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'hush' })
  expect(() => kafkaClients(incomplete, 'one', log)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('hush') })
  )
})

test('a certificate that cannot be read is a wrong configuration', () => {
  const unreadable = settings({ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' })
  expect(() => kafkaClients(unreadable, 'one', log)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' })
  )
})

test('complete settings make clients, a new one at each call', () => {
  const complete = settings({
    KAFKA_TLS: 'true',
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD: 'hush'
  })
  const newClient = kafkaClients(complete, 'one', log)
  expect(newClient()).not.toBe(newClient())
})
