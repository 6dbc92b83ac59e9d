// Jobs, replays and estimates on real servers: controller, embedders and command line are processes of their own.
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { parseEnv } from '@pointsman/core/runtime/env'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import { kafkaSettings, registrySettings } from '@pointsman/core/runtime/settings'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import type { ApiClient } from '../../services/controller/src/cli/api-client.ts'
import { letterReport, replayReport } from '../../services/controller/src/dead-letters/letter-report.ts'
import { jobList, jobReport } from '../../services/controller/src/jobs/job-report.ts'
import { lagReport } from '../../services/controller/src/lag/lag-report.ts'
import { statusReport } from '../../services/controller/src/status/status-report.ts'
import { startController } from '../support/controller-process.ts'
import { type LocalOpenaiUnderTest, openLocalOpenai } from '../support/local-openai-under-test.ts'
import { documentOf } from '../support/memory-world.ts'

const never = new AbortController().signal
const serviceMain = (name: string) =>
  fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url))
const cliMain = fileURLToPath(new URL('../../services/controller/src/cli/main.ts', import.meta.url))

let resources = new AsyncDisposableStack()
afterEach(async () => {
  await resources.disposeAsync()
  resources = new AsyncDisposableStack()
})

interface Scene {
  readonly env: Readonly<Record<string, string>>
  readonly provider: LocalOpenaiUnderTest
  readonly api: ApiClient
  readonly folder: string
  readonly writer: KafkaDocumentWriter
}

/** A namespace in a lane, with a controller and one embedder. @param clockFactor - of the provider's jobs. */
async function open(lane: 'realtime' | 'batch', clockFactor: number): Promise<Scene> {
  const provider = resources.use(
    await openLocalOpenai({ clockFactor, turnaround: { kind: 'fixed', seconds: 3600 } })
  )
  const folder = mkdtempSync(join(tmpdir(), 'pointsman-jobs-'))
  resources.defer(() => rmSync(folder, { recursive: true, force: true }))
  const namespace = `jobs-${randomUUID().slice(0, 8)}`
  const env = {
    PATH: process.env['PATH'] ?? '',
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    REDIS_URL: inject('redisUrl'),
    WEAVIATE_URL: inject('weaviateUrl'),
    WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: provider.url,
    EMBEDDING_DIMENSIONS: '64',
    DOCUMENTS_PARTITIONS: '2',
    POINTSMAN_NAMESPACE: namespace,
    POINTSMAN_INITIAL_MODE: lane,
    POINTSMAN_STATE_DIR: join(folder, 'state'),
    BATCH_SPOOL_DIR: join(folder, 'spool'),
    BATCH_LINGER_MS: '300',
    BATCH_POLL_MIN_MS: '50',
    BATCH_POLL_MAX_MS: '200',
    BATCH_RETRY_DELAY_MS: '100'
  }
  const controller = resources.use(startController(env))
  const api = await controller.api()
  await vi.waitFor(async () => expect((await api.get('/v1/status', statusReport, never)).ready).toBe(true), {
    timeout: 15_000,
    interval: 50
  })
  const embedder = spawn(process.execPath, [serviceMain(`embedder-${lane}`)], {
    env: { ...env, POINTSMAN_INSTANCE: 'one' },
    stdio: 'ignore'
  })
  resources.defer(async () => {
    embedder.kill('SIGKILL')
    await once(embedder, 'exit')
  })
  const settings = parseEnv(z.object({ ...kafkaSettings, ...registrySettings }), env)
  const { documents } = namesOf(namespace)
  const clients = kafkaClients(settings, 'test', openLog('test', 'silent'))
  const codec = new KafkaDocumentCodec(settings, documents)
  const writer = resources.use(new KafkaDocumentWriter(clients, documents, codec))
  return { env, provider, api, folder, writer }
}

async function until(condition: () => Promise<void>): Promise<void> {
  await vi.waitFor(condition, { timeout: 20_000, interval: 50 })
}

async function untilSettled(api: ApiClient): Promise<void> {
  await until(async () => {
    const { totals } = await api.get('/v1/lag', lagReport, never)
    expect(totals).toMatchObject({ unread: 0, outstanding: 0 })
  })
}

test('a job that is cancelled by order ends, and its documents go on in another one', async () => {
  const { provider, api, writer, env, folder } = await open('batch', 0)
  await writer.write(
    ['a', 'b', 'c', 'd', 'e'].map(id => documentOf(id, `text of ${id}`)),
    never
  )
  const jobs = () => api.get('/v1/jobs', jobList, never)
  await until(async () => {
    expect((await jobs()).live).toMatchObject([{ state: 'submitted', documents: 5, lines: { all: 5 } }])
  })
  const [running] = (await jobs()).live
  if (!running) return expect.unreachable('no job')
  expect(running).toMatchObject({ instance: 'one', ownerAlive: true, overdue: false, order: null })
  expect(running.batchId).toMatch(/^batch_/)
  expect((await api.get('/v1/lag', lagReport, never)).totals.stages).toMatchObject({
    inJobs: 5,
    unaccounted: 0
  })
  expect((await api.get('/v1/status', statusReport, never)).jobs).toMatchObject({
    states: { submitted: 1 },
    documents: 5,
    stale: 0
  })

  const path = `/v1/jobs/${running.batchId}/cancel`
  for (const _ of [1, 2])
    expect(await api.post(path, {}, jobReport, never)).toMatchObject({ order: 'cancel' })
  // The embedder carries the order out; only then time goes on at the provider.
  await until(async () => expect((await jobs()).live).toMatchObject([{ status: 'cancelling' }]))
  await provider.put('/clock', { factor: 36_000 })
  await untilSettled(api)

  await until(async () => {
    const { live, past } = await jobs()
    expect(live).toEqual([])
    expect(past).toMatchObject([
      { status: 'completed', lines: { done: 5 } },
      { id: running.id, status: 'cancelled' }
    ])
  })
  await expect(api.post(path, {}, jobReport, never)).rejects.toMatchObject({ code: 'JOB_ENDED', exitCode: 3 })
  const { spend, index } = await api.get('/v1/status', statusReport, never)
  expect(index?.objects).toBe(5)
  expect(spend?.paidTokens).toBeGreaterThan(0)
  expect(spend).toMatchObject({ paidInJobs: spend?.paidTokens, usd: (spend?.paidTokens ?? 0) * 0.01e-6 })

  // What is in the index costs nothing, whatever it is called; the rest takes as long as jobs took.
  const files = { 'old.txt': 'text of a', 'new.txt': 'never seen before' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const args = [cliMain, 'estimate', ...Object.keys(files).map(name => join(folder, name)), '--json']
  const ran = await promisify(execFile)(process.execPath, args, { env: { ...env, POINTSMAN_URL: api.url } })
  expect(JSON.parse(ran.stdout)).toMatchObject({
    input: { documents: 2, emitted: 2, distinct: { texts: 2 } },
    indexed: { texts: 1 },
    toPay: { texts: 1, jobs: 1 },
    lanes: { batch: { jobs: 1, basis: 'median of the last 1 jobs' } }
  })
})

test('a replay sends what is dead, and names what a newer version has replaced', async () => {
  const { api, writer } = await open('realtime', 1)
  const tooLong = Array.from({ length: 9000 }, (_, i) => `word${i}`).join(' ')
  await writer.write([documentOf('long', tooLong), documentOf('short', 'fine')], never)
  const letters = async () => {
    const { letters: found } = await api.get(
      '/v1/dead-letters',
      z.object({ letters: z.array(letterReport) }),
      never
    )
    return found
  }
  const replay = (body: object) => api.post('/v1/dead-letters/replay', body, replayReport, never)
  await until(async () => expect(await letters()).toHaveLength(1))
  await untilSettled(api)

  expect(await replay({ all: true })).toMatchObject({ replayed: 1, skipped: [] })
  // It is as long as it was: it dies again, under a place of its own.
  await until(async () => expect(await letters()).toHaveLength(2))
  await untilSettled(api)

  await writer.write([documentOf('long', 'shorter now', { version: 2 })], never)
  await until(async () => {
    expect((await api.get('/v1/status', statusReport, never)).ledger?.counts['indexed']).toBe(2)
  })
  expect(await replay({ all: true })).toMatchObject({
    replayed: 0,
    skipped: [
      { docId: 'long', reason: 'superseded' },
      { docId: 'long', reason: 'superseded' }
    ]
  })
})
