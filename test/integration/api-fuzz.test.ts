import { randomUUID } from 'node:crypto'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { ObligationId } from '@pointsman/core/domain/identity'
import { parseEnv } from '@pointsman/core/runtime/env'
import { docKey, paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { redisSettings } from '@pointsman/core/runtime/settings'
import { beforeAll, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { statusReport } from '../../services/controller/src/status/status-report.ts'
import { startController } from '../support/controller-process.ts'
import { openLocalOpenai } from '../support/local-openai-under-test.ts'
import { fuzz, schemathesisPath } from '../support/schemathesis.ts'

const token = 'a-token-of-the-fuzzer'
const maxLineCharacters = 400
let pythonPath: string

// The first time, some 25 MB come from the package index.
beforeAll(async () => {
  pythonPath = await schemathesisPath()
}, 300_000)

test('nothing that can be asked of the API is answered by an error of ours, or in another way than documented', async () => {
  await using provider = await openLocalOpenai({})
  const env = {
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    REDIS_URL: inject('redisUrl'),
    WEAVIATE_URL: inject('weaviateUrl'),
    WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_DIMENSIONS: '64',
    DOCUMENTS_PARTITIONS: '2',
    POINTSMAN_NAMESPACE: `fuzz-${randomUUID().slice(0, 8)}`,
    POINTSMAN_API_TOKEN: token
  }
  await using controller = startController(env)
  const url = await controller.url
  const isReady = async () => expect((await fetch(`${url}/readyz`)).status).toBe(200)
  await vi.waitFor(isReady, { timeout: 30_000, interval: 100 })

  await holdDocument(env)
  const { report, isClean } = await fuzz(pythonPath, {
    url: `${url}/docs/json`,
    token,
    seed: 1,
    examples: 20
  })
  // One of its examples may be a megabyte long.
  const told = report.split('\n').map(line => line.slice(0, maxLineCharacters))
  expect(isClean, told.join('\n')).toBe(true)
  expect(report).toMatch(/(\d+) generated/)
  expect(controller.said()).not.toContain('request failed')
  // It has switched lanes many times, and is none the worse for it.
  const status = await (await controller.api(token)).get(
    '/v1/status',
    statusReport,
    AbortSignal.timeout(10_000)
  )
  expect(status.ready).toBe(true)
  expect(status.ledger?.epoch).toBeGreaterThan(1)
}, 180_000)

/** Two partitions, and a request in flight that never ends: then lanes can be switched, and a drain has to wait. */
async function holdDocument(env: Readonly<Record<string, string>>): Promise<void> {
  await using resources = new AsyncDisposableStack()
  const settings = parseEnv(z.object(redisSettings), env)
  const redis = resources.adopt(await openRedis(settings, () => undefined), closeRedis)
  const ledger = new RedisLedger(redis, env['POINTSMAN_NAMESPACE'] ?? '', { warn: () => undefined })
  for (const partition of [0, 1]) await ledger.openPartition(partition, 0n)
  const registration = { instance: 'held', service: 'embedder-realtime', leaseMs: 3_600_000 }
  const { owner } = await ledger.register(registration)
  const content = paymentKey({ model: 'text-embedding-3-small', dimensions: 64 }, textHash('held'))
  const candidate = { offset: 0n, docKey: docKey('held'), version: 1, content, metadataHash: 0, tokens: 1 }
  const slices = [{ partition: 0, from: 0n, to: 1n, candidates: [candidate] }]
  const obligation = `${owner}.1` as ObligationId
  const reply = await ledger.admit({ epoch: 1, lane: 'realtime', owner, obligation, slices })
  expect(reply.kind).toBe('admitted')
}
