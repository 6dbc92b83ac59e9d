import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { Document } from '@pointsman/core/domain/document'
import type { IndexObject, ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { parseEnv } from '@pointsman/core/runtime/env'
import { objectId, paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import { kafkaSettings, registrySettings, weaviateSettings } from '@pointsman/core/runtime/settings'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import type { ApiClient } from '../../services/controller/src/cli/api-client.ts'
import { lagReport } from '../../services/controller/src/lag/lag-report.ts'
import { statusReport } from '../../services/controller/src/status/status-report.ts'
import { verifyReport } from '../../services/controller/src/verify/verify-report.ts'
import { startController } from '../support/controller-process.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from '../support/local-openai-under-test.ts'
import { documentOf } from '../support/memory-world.ts'

const never = new AbortController().signal
const dimensions = 64
const settingsSchema = z.object({ ...kafkaSettings, ...registrySettings, ...weaviateSettings })
const embedderMain = fileURLToPath(new URL('../../services/embedder-realtime/src/main.ts', import.meta.url))
const billSchema = z.object({ realtime: z.object({ inputs: z.number() }) })

let resources = new AsyncDisposableStack()
afterEach(async () => {
  await resources.disposeAsync()
  resources = new AsyncDisposableStack()
})

interface Scene {
  readonly apis: readonly ApiClient[]
  readonly api: ApiClient
  readonly store: VectorStore
  write(documents: readonly Document[]): Promise<void>
  paidInputs(): Promise<number>
}

/** So many controllers, one embedder, and the index to be damaged. */
async function openScene(controllers: number, extra: Readonly<Record<string, string>>): Promise<Scene> {
  const provider: LocalOpenaiUnderTest = resources.use(await openLocalOpenai({}))
  const namespace = `repair-${randomUUID().slice(0, 8)}`
  const env = {
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    REDIS_URL: inject('redisUrl'),
    WEAVIATE_URL: inject('weaviateUrl'),
    WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_DIMENSIONS: String(dimensions),
    DOCUMENTS_PARTITIONS: '2',
    POINTSMAN_NAMESPACE: namespace,
    ...extra
  }
  const apis: ApiClient[] = []
  for (let index = 0; index < controllers; index += 1) {
    const controller = resources.use(startController({ ...env, POINTSMAN_INSTANCE: `controller-${index}` }))
    const url = await controller.url
    const isReady = async () => expect((await fetch(`${url}/readyz`)).status).toBe(200)
    await vi.waitFor(isReady, { timeout: 30_000, interval: 50 })
    apis.push(await controller.api())
  }
  const embedder = spawn(process.execPath, [embedderMain], {
    env: { PATH: process.env['PATH'] ?? '', ...env, POINTSMAN_INSTANCE: 'one' },
    stdio: 'ignore'
  })
  resources.defer(async () => {
    embedder.kill('SIGKILL')
    await once(embedder, 'exit')
  })
  const settings = parseEnv(settingsSchema, env)
  const { collection, documents: topic } = namesOf(namespace)
  const clients = kafkaClients(settings, 'test', openLog('test', 'silent'))
  const writer = resources.use(
    new KafkaDocumentWriter(clients, topic, new KafkaDocumentCodec(settings, topic))
  )
  const [api] = apis
  if (api === undefined) return expect.unreachable('a scene has a controller')
  return {
    apis,
    api,
    store: resources.use(openWeaviate(settings, collection, dimensions)),
    write: documents => writer.write(documents, never),
    paidInputs: async () => billSchema.parse(await provider.get('/bill')).realtime.inputs
  }
}

async function untilAllIsDone({ api }: Scene, admitted: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { ledger, lag } = await api.get('/v1/status', statusReport, never)
      expect(lag?.totals).toMatchObject({ unread: 0, outstanding: 0 })
      expect(ledger?.counts['admitted']).toBeGreaterThanOrEqual(admitted)
    },
    { timeout: 30_000, interval: 100 }
  )
}

function textOf(docId: string, version = 5): Document {
  return documentOf(docId, `text of ${docId}`, { version })
}

/** As a writer of long ago would have left it. */
function strayOf(docId: string, text: string, generation: number): IndexObject {
  const key = paymentKey({ model: 'text-embedding-3-small', dimensions }, textHash(text))
  const vector = new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions))
  const origin = { sourceId: docId, chunk: 0, chunks: 1, title: docId, metadata: '{}' }
  return {
    id: objectId(docId, key, generation),
    vector: new Uint8Array(vector.buffer),
    properties: { docId, version: generation, generation, paymentKey: key, text, ...origin }
  }
}

async function headsOf({ store }: Scene, docIds: readonly string[]): Promise<readonly ObjectHead[]> {
  return await store.heads(docIds, never)
}

test('two controllers repair a damaged index at once while documents move, and only what was missing is paid for', async () => {
  const scene = await openScene(2, {})
  const docIds = Array.from({ length: 60 }, (_, index) => `d${index}`)
  await scene.write(docIds.map(docId => textOf(docId)))
  await untilAllIsDone(scene, 60)
  await scene.write([documentOf('d0', '', { version: 6, deleted: true })])
  await untilAllIsDone(scene, 61)
  expect(await scene.paidInputs()).toBe(60)

  const missing = docIds.slice(10, 30)
  await scene.store.remove(
    (await headsOf(scene, missing)).map(({ id }) => id),
    never
  )
  const doubled = docIds.slice(20, 50)
  await scene.store.write(
    [
      ...doubled.map(docId => strayOf(docId, `old text of ${docId}`, 2)),
      strayOf('d0', 'deleted long ago', 2),
      strayOf('stranger', 'nobody wrote this', 1)
    ],
    never
  )
  const found = await scene.api.post('/v1/verify', {}, verifyReport, never)
  expect(found).toMatchObject({ consistent: false, quiet: true, repair: null })
  expect(found.differences).toMatchObject({
    missing: { count: 10 },
    stale: { count: 10 },
    duplicate: { count: 20 },
    surplus: { count: 2 }
  })

  const moving = scene.write(docIds.slice(50).map(docId => textOf(docId, 6)))
  const fresh = Array.from({ length: 20 }, (_, index) => `new-${index}`)
  const repairs = scene.apis.map(api => api.post('/v1/verify', { repair: true }, verifyReport, never))
  await moving
  await scene.write(fresh.map(docId => textOf(docId)))
  // The slower of them may find that all is done already.
  expect((await Promise.all(repairs)).some(({ repair }) => repair !== null)).toBe(true)
  await untilAllIsDone(scene, 61 + 20 + 10 + 20)
  // What was looked at while it moved is left for the next one.
  await scene.api.post('/v1/verify', { repair: true }, verifyReport, never)
  await untilAllIsDone(scene, 0)

  const after = await scene.api.post('/v1/verify', {}, verifyReport, never)
  expect(after).toMatchObject({ consistent: true, quiet: true, index: { objects: 59 + 20 } })
  expect(await headsOf(scene, ['d0', 'stranger'])).toEqual([])
  expect(await scene.paidInputs()).toBe(60 + missing.length + fresh.length)
  const lag = await scene.api.get('/v1/lag', lagReport, never)
  expect(lag.totals.stages.unaccounted).toBe(0)
}, 90_000)

test('the sweepers of two controllers remove what a late writer has left, without being asked', async () => {
  const scene = await openScene(2, { CONTROLLER_SWEEP_PAUSE_MS: '20' })
  await scene.write([textOf('a'), textOf('b')])
  await scene.write([documentOf('b', '', { version: 6, deleted: true })])
  await untilAllIsDone(scene, 3)
  await scene.store.write([strayOf('a', 'old text', 2), strayOf('b', 'deleted', 2)], never)

  await vi.waitFor(
    async () => {
      expect((await headsOf(scene, ['a', 'b'])).map(({ generation }) => generation)).toEqual([5])
      const reports = await Promise.all(scene.apis.map(api => api.get('/v1/status', statusReport, never)))
      const removed = reports.map(({ sweeper }) => sweeper.removed)
      expect(removed.some(({ outlived }) => outlived > 0)).toBe(true)
      expect(removed.some(({ deleted }) => deleted > 0)).toBe(true)
    },
    { timeout: 20_000, interval: 100 }
  )
  const report = await scene.api.post('/v1/verify', {}, verifyReport, never)
  expect(report).toMatchObject({ consistent: true, quiet: true })
}, 60_000)
