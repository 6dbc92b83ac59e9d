import { readFileSync } from 'node:fs'
import { Kafka } from 'kafkajs'
import type { SASLOptions } from 'kafkajs'
import { Failure } from '../../domain/failure.ts'
import type { Logger } from '../../runtime/log.ts'
import type { KafkaSettings } from '../../runtime/settings.ts'
import { registerCodecs } from './codecs.ts'
import { clientLogLevel, logBridge } from './log-bridge.ts'
import type { LogListener } from './log-bridge.ts'
import { quietIdleConnections } from './quiet-idle-connections.ts'
import { wakeOnResume } from './wake-on-resume.ts'

// All fields explicit: under NODE_ENV=test KafkaJS has other defaults.
export const clientRetry = {
  initialRetryTime: 200,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
  retries: 3
}

/** Makes clients; one per consumer, since consumers of one client share a map of committed offsets. */
export type NewClient = (listen?: LogListener) => Kafka

/**
 * @param clientId - shown by the broker; the instance is a good one.
 * @throws {Failure} `CONFIG_INVALID` when the CA file cannot be read or the SASL settings are incomplete.
 */
export function kafkaClients(settings: KafkaSettings, clientId: string, log: Logger): NewClient {
  registerCodecs()
  quietIdleConnections()
  wakeOnResume()
  const ssl = tlsOf(settings)
  const sasl = saslOf(settings)
  return listen =>
    new Kafka({
      clientId,
      brokers: settings.KAFKA_BROKERS,
      ssl,
      ...(sasl && { sasl }),
      connectionTimeout: 3_000,
      authenticationTimeout: 10_000,
      requestTimeout: 30_000,
      retry: clientRetry,
      logLevel: clientLogLevel(log),
      logCreator: logBridge(log, listen)
    })
}

function tlsOf({ KAFKA_TLS, KAFKA_TLS_CA_FILE }: KafkaSettings): boolean | { readonly ca: string[] } {
  if (!KAFKA_TLS || KAFKA_TLS_CA_FILE === undefined) return KAFKA_TLS
  try {
    return { ca: [readFileSync(KAFKA_TLS_CA_FILE, 'utf8')] }
  } catch (error) {
    throw new Failure('CONFIG_INVALID', 'KAFKA_TLS_CA_FILE: cannot be read', { cause: error })
  }
}

function saslOf(settings: KafkaSettings): SASLOptions | undefined {
  const mechanism = settings.KAFKA_SASL_MECHANISM
  if (mechanism === undefined) return undefined
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings
  if (username === undefined || password === undefined) {
    const problem = 'KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set with KAFKA_SASL_MECHANISM'
    throw new Failure('CONFIG_INVALID', problem)
  }
  return { mechanism, username, password }
}
