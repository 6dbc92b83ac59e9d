import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject, test } from 'vitest'

const main = fileURLToPath(new URL('../../services/embedder-realtime/src/main.ts', import.meta.url))
const servers = {
  KAFKA_BROKERS: inject('kafkaBrokers').join(','),
  SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
  REDIS_URL: inject('redisUrl'),
  WEAVIATE_URL: inject('weaviateUrl'),
  WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
  OPENAI_API_KEY: 'test-key',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
  EMBEDDING_DIMENSIONS: '64'
}

/** Runs the embedder until it ends by itself. */
function run(
  env: Readonly<Record<string, string>>
): Promise<{ readonly code: unknown; readonly said: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env } }, (error, _, said) => {
      resolve({ code: error?.code ?? 0, said })
    })
  })
}

async function withTopic(namespace: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const kafka = new Kafka({ brokers: inject('kafkaBrokers'), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic: `${namespace}.documents`, configEntries }] })
  await admin.disconnect()
}

test('names every missing and every wrong setting at once, shows no value, and exits with 2', async () => {
  const { code, said } = await run({
    REDIS_URL: 'http://secret-host',
    EMBED_REQUEST_INPUTS: 'many',
    OPENAI_API_KEY: '',
    POINTSMAN_NAMESPACE: '1 bad name'
  })
  expect(code).toBe(2)
  for (const name of [
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'REDIS_URL',
    'WEAVIATE_URL',
    'WEAVIATE_GRPC_URL',
    'OPENAI_API_KEY',
    'EMBED_REQUEST_INPUTS',
    'POINTSMAN_NAMESPACE'
  ]) {
    expect(said).toContain(name)
  }
  expect(said).not.toContain('secret-host')
})

test.each([
  ['cleanup.policy', { 'cleanup.policy': 'compact' }],
  ['retention.ms', { 'retention.ms': '3600000' }]
] as const)('refuses a topic with an unfit %s, and says why', async (setting, settings) => {
  const namespace = `refused-${randomUUID().slice(0, 8)}`
  await withTopic(namespace, settings)
  const { code, said } = await run({ ...servers, POINTSMAN_NAMESPACE: namespace })
  expect(code).toBe(1)
  expect(said).toContain(`${namespace}.documents`)
  expect(said).toContain(setting)
})
