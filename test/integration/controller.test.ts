import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import { parseEnv } from '@pointsman/core/runtime/env'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import { kafkaSettings, registrySettings, weaviateSettings } from '@pointsman/core/runtime/settings'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { doctorReport } from '../../services/controller/src/doctor/doctor-report.ts'
import { lagReport } from '../../services/controller/src/lag/lag-report.ts'
import { statusReport } from '../../services/controller/src/status/status-report.ts'
import { verifyReport } from '../../services/controller/src/verify/verify-report.ts'
import { type ControllerProcess, startController } from '../support/controller-process.ts'
import { openLocalOpenai } from '../support/local-openai-under-test.ts'
import { documentOf } from '../support/memory-world.ts'

const never = new AbortController().signal
const dimensions = 64
const settingsSchema = z.object({ ...kafkaSettings, ...registrySettings, ...weaviateSettings })
const embedderMain = fileURLToPath(new URL('../../services/embedder-realtime/src/main.ts', import.meta.url))

let resources = new AsyncDisposableStack()
afterEach(async () => {
  await resources.disposeAsync()
  resources = new AsyncDisposableStack()
})

async function environment(): Promise<Record<string, string>> {
  const provider = resources.use(await openLocalOpenai({}))
  return {
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    REDIS_URL: inject('redisUrl'),
    WEAVIATE_URL: inject('weaviateUrl'),
    WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_DIMENSIONS: String(dimensions),
    DOCUMENTS_PARTITIONS: '2',
    POINTSMAN_NAMESPACE: `controller-${randomUUID().slice(0, 8)}`
  }
}

async function readiness(controller: ControllerProcess): Promise<{ status: number; reasons: string[] }> {
  const response = await fetch(`${await controller.url}/readyz`)
  const { reasons } = z.object({ reasons: z.array(z.string()) }).parse(await response.json())
  return { status: response.status, reasons }
}

async function untilReady(controller: ControllerProcess): Promise<void> {
  await vi.waitFor(async () => expect(await readiness(controller)).toMatchObject({ status: 200 }), {
    timeout: 15_000,
    interval: 50
  })
}

function writerOf(env: Readonly<Record<string, string>>): KafkaDocumentWriter {
  const settings = parseEnv(settingsSchema, env)
  const { documents } = namesOf(env['POINTSMAN_NAMESPACE'] ?? '')
  const clients = kafkaClients(settings, 'test', openLog('test', 'silent'))
  return resources.use(
    new KafkaDocumentWriter(clients, documents, new KafkaDocumentCodec(settings, documents))
  )
}

test('makes what is missing, and tells of documents that nobody embeds', async () => {
  const env = await environment()
  const controller = resources.use(startController(env))
  await untilReady(controller)
  const api = await controller.api()
  await writerOf(env).write([documentOf('a', 'one'), documentOf('b', 'two'), documentOf('c', 'three')], never)

  const lag = await api.get('/v1/lag', lagReport, never)
  expect(lag).toMatchObject({ status: 'STOPPED', totals: { unread: 3, lag: 3, outstanding: 0 } })
  expect(lag.totals.oldestUnreadMs).toBeGreaterThanOrEqual(0)
  expect(await api.get('/v1/status', statusReport, never)).toMatchObject({
    ready: true,
    ledger: { mode: 'realtime', epoch: 1 },
    index: { objects: 0 }
  })
  const report = await api.post('/v1/verify', {}, verifyReport, never)
  expect(report).toMatchObject({ consistent: true, quiet: false, ledger: { unread: 3 }, log: { records: 3 } })
})

test('doctor asks every server and finds that no embedder runs', async () => {
  const controller = resources.use(startController(await environment()))
  await untilReady(controller)
  const { findings, healthy } = await (await controller.api()).get('/v1/doctor', doctorReport, never)
  const of = (check: string) => findings.find(found => found.check === check)
  expect(of('embedder')).toMatchObject({
    severity: 'warning',
    remedy: expect.stringContaining('embedder-realtime')
  })
  expect(of('weaviate version')).toMatchObject({ severity: 'ok' })
  expect(of('redis version')?.finding).toMatch(/^\d+\.\d+/)
  expect(of('clock skew')).toMatchObject({ severity: 'ok' })
  expect(of('kafka topics')).toMatchObject({ severity: 'ok' })
  expect(of('provider')).toMatchObject({ severity: 'ok' })
  expect(healthy).toBe(findings.every(({ severity }) => severity !== 'error'))
})

test('verify finds an object that was taken out of Weaviate', async () => {
  const env = await environment()
  const controller = resources.use(startController(env))
  await untilReady(controller)
  const embedder = spawn(process.execPath, [embedderMain], {
    env: { PATH: process.env['PATH'] ?? '', ...env, POINTSMAN_INSTANCE: 'one' },
    stdio: 'ignore'
  })
  resources.defer(async () => {
    embedder.kill('SIGKILL')
    await once(embedder, 'exit')
  })
  const documents = Array.from({ length: 40 }, (_, index) => documentOf(`d${index}`, `text ${index}`))
  await writerOf(env).write(documents, never)
  const api = await controller.api()
  await vi.waitFor(
    async () => {
      const { totals } = await api.get('/v1/lag', lagReport, never)
      expect(totals).toMatchObject({ unread: 0, outstanding: 0 })
    },
    { timeout: 15_000, interval: 100 }
  )
  expect(await api.post('/v1/verify', {}, verifyReport, never)).toMatchObject({
    consistent: true,
    quiet: true,
    ledger: { indexed: 40 },
    index: { objects: 40 }
  })

  const { collection } = namesOf(env['POINTSMAN_NAMESPACE'] ?? '')
  const store = resources.use(openWeaviate(parseEnv(settingsSchema, env), collection, dimensions))
  const [head] = await store.heads(['d7'], never)
  await store.remove(head ? [head.id] : [], never)
  const { consistent, differences } = await api.post('/v1/verify', {}, verifyReport, never)
  expect(consistent).toBe(false)
  expect(differences.missing).toMatchObject({ count: 1, examples: [{ docId: 'd7', version: 1 }] })
})

test('a server that goes away is told, and its return is noticed', async () => {
  const env = await environment()
  const way = await openWay(env['REDIS_URL'] ?? '')
  const controller = resources.use(startController({ ...env, REDIS_URL: way.url }))
  await untilReady(controller)

  way.close()
  await vi.waitFor(
    async () => {
      const { status, reasons } = await readiness(controller)
      expect(status).toBe(503)
      expect(reasons.join()).toContain('ledger is away')
    },
    { timeout: 15_000, interval: 100 }
  )
  const api = await controller.api()
  expect(await api.get('/v1/status', statusReport, never)).toMatchObject({ ready: false, ledger: null })
  await expect(api.get('/v1/lag', lagReport, never)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })

  await way.open()
  await untilReady(controller)
})

test('a topic that is compacted is refused with the reason', async () => {
  const env = await environment()
  const admin = new Kafka({ brokers: inject('kafkaBrokers'), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const topic = namesOf(env['POINTSMAN_NAMESPACE'] ?? '').documents
  await admin.createTopics({
    topics: [{ topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }]
  })
  await admin.disconnect()

  const controller = resources.use(startController(env))
  expect(await controller.ended).toBe(2)
  expect(controller.said()).toContain(topic)
  expect(controller.said()).toContain('cleanup.policy')
})

test('services that start together agree on the schema', async () => {
  const env = await environment()
  const settings = parseEnv(settingsSchema, env)
  const topic = namesOf(env['POINTSMAN_NAMESPACE'] ?? '').documents
  const codecs = Array.from({ length: 6 }, () => new KafkaDocumentCodec(settings, topic))
  await expect(Promise.all(codecs.map(codec => codec.prepare(never)))).resolves.toHaveLength(6)
})

/** A way to a server that can be closed. */
async function openWay(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    const onward = connect(Number(port), hostname)
    for (const [from, to] of [
      [socket, onward],
      [onward, socket]
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  const listen = async (wanted: number): Promise<number> => {
    server.listen(wanted, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  const own = await listen(0)
  const close = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  resources.defer(close)
  return { url: `redis://127.0.0.1:${own}`, close, open: async () => void (await listen(own)) }
}
