// The contract of the stack tool, on a stack of its own: the shared one must not lose parts under other tests.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import weaviate, { type WeaviateClient } from 'weaviate-client'
import { pins } from '../../tools/stack/pins.ts'
import { startStack, type Stack } from '../../tools/stack/start-stack.ts'

// A test starts whole servers: twenty seconds are enough only while the computer has nothing else to do.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let dataDir: string
let stack: Stack
const said: string[] = []

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stack-test-'))
  stack = await start()
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true })
})

const start = (): Promise<Stack> => startStack({ dataDir, log: line => void said.push(line) })

describe('right after the start', () => {
  test('a consumer joins, and no client has to try twice', async () => {
    const complaints: string[] = []
    const topic = await write.kafka(stack, complaints)

    expect(await read.kafka(stack, topic, complaints)).toBe(topic)
    expect(complaints).toEqual([])
  })

  test('the registry refuses a schema that cannot read what was written before', async () => {
    const subject = await write.registry(stack)

    const versions = `${stack.env.SCHEMA_REGISTRY_URL}/subjects/${subject}/versions`
    const incompatible = JSON.stringify({ schema: avro(subject, 'int') })
    const headers = { 'content-type': 'application/json' }
    const refused = await fetch(versions, { method: 'POST', headers, body: incompatible })

    expect(refused.status).toBe(409)
  })

  test('nothing is left of what readiness asked with', async () => {
    const subjects = await (await fetch(`${stack.env.SCHEMA_REGISTRY_URL}/subjects?deleted=true`)).json()
    const collections = await usingWeaviate(stack, client => client.collections.listAll())
    const keys = await usingRedis(stack, redis => redis.keys('probe-*'))

    expect(subjects).not.toContainEqual(expect.stringContaining('probe'))
    expect(collections.map(({ name }) => name)).not.toContainEqual(expect.stringContaining('Probe'))
    expect(keys).toEqual([])
  })

  test('every server reports the pinned version', async () => {
    const registry = await fetch(new URL('/apis/registry/v3/system/info', stack.env.SCHEMA_REGISTRY_URL))
    expect(await registry.json()).toMatchObject({ version: pins.registry })
    const vectors = await fetch(`${stack.env.WEAVIATE_URL}/v1/meta`)
    expect(await vectors.json()).toMatchObject({ version: pins.weaviate })
    expect(await kafkaVersion()).toBe(pins.kafka)
  })
})

describe.each(['kafka', 'registry', 'redis', 'weaviate'] as const)('%s', name => {
  test('keeps its data when it is killed and started again', async () => {
    const part = stack.part(name)
    const written = await write[name](stack)
    const before = part.pid

    await part.kill()
    expect(part.pid).toBeUndefined()
    await part.restart()

    expect(part.pid).not.toBe(before)
    expect(await read[name](stack, written)).toBe(written)
    expect(stack.broken.aborted).toBe(false)
  })
})

test('a frozen part does not answer, and answers when it goes on', async () => {
  const part = stack.part('redis')
  const key = await write.redis(stack)

  await part.freeze()
  const silence = usingRedis(stack, redis => redis.get(key))
  await expect(silence).rejects.toThrow(/timed out/i)
  part.resume()

  expect(await read.redis(stack, key)).toBe(key)
})

test('a data folder has one stack at a time', async () => {
  await expect(start()).rejects.toThrow(`${dataDir} is in use by another stack (process ${process.pid})`)
})

test('stopped and started again it has the same cluster, the same addresses and all data, and fetches nothing', async () => {
  const cluster = await readFile(join(dataDir, 'kafka/cluster-id'), 'utf8')
  const [topic, subject, key, collection] = await Promise.all([
    write.kafka(stack),
    write.registry(stack),
    write.redis(stack),
    write.weaviate(stack)
  ])
  const { env } = stack

  await stack[Symbol.asyncDispose]()
  said.length = 0
  stack = await start()

  expect(said).toEqual([expect.stringMatching(/^kafka, registry, redis, weaviate ready after/)])
  expect(stack.env).toEqual(env)
  expect(await readFile(join(dataDir, 'kafka/cluster-id'), 'utf8')).toBe(cluster)
  expect(await read.kafka(stack, topic)).toBe(topic)
  expect(await read.registry(stack, subject)).toBe(subject)
  expect(await read.redis(stack, key)).toBe(key)
  expect(await read.weaviate(stack, collection)).toBe(collection)
})

// Each writes something under a fresh name, and reads it back as that name.

const write = {
  async kafka({ env }: Stack, complaints: string[] = []): Promise<string> {
    const topic = `stack-test-${randomUUID()}`
    const kafka = kafkaClient(env.KAFKA_BROKERS, complaints)
    const admin = kafkaClient(env.KAFKA_BROKERS, []).admin()
    await admin.connect()
    // KafkaJS's own waiting for leaders gives up when the broker has not heard of the topic yet.
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false })
    await vi.waitFor(() => admin.fetchTopicOffsets(topic), { timeout: 30_000 })
    await admin.disconnect()
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: [{ value: topic }] })
    await producer.disconnect()
    return topic
  },
  async registry({ env }: Stack): Promise<string> {
    const subject = `t${randomUUID().replaceAll('-', '')}`
    const body = JSON.stringify({ schema: avro(subject, 'string') })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${env.SCHEMA_REGISTRY_URL}/subjects/${subject}/versions`, {
      method: 'POST',
      headers,
      body
    })
    expect(response.status).toBe(200)
    return subject
  },
  redis: (on: Stack): Promise<string> =>
    usingRedis(on, async redis => {
      const key = `stack-test-${randomUUID()}`
      await redis.set(key, key)
      return key
    }),
  weaviate: (on: Stack): Promise<string> =>
    usingWeaviate(on, async client => {
      const name = `T${randomUUID().replaceAll('-', '')}`
      const vectorizers = weaviate.configure.vectors.selfProvided()
      const properties = [{ name: 'text', dataType: 'text' as const }]
      const collection = await client.collections.create({ name, vectorizers, properties })
      await collection.data.insert({ properties: { text: name }, vectors: [0.6, 0.8] })
      return name
    })
}

const read = {
  async kafka({ env }: Stack, topic: string, complaints: string[] = []): Promise<string> {
    const consumer = kafkaClient(env.KAFKA_BROKERS, complaints).consumer({ groupId: topic })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const { promise, resolve } = Promise.withResolvers<string>()
    await consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) })
    const value = await promise
    await consumer.disconnect()
    return value
  },
  async registry({ env }: Stack, subject: string): Promise<string> {
    const response = await fetch(`${env.SCHEMA_REGISTRY_URL}/subjects/${subject}/versions/latest/schema`)
    return String(Reflect.get(Object(await response.json()), 'name'))
  },
  redis: (on: Stack, key: string): Promise<string | null> => usingRedis(on, redis => redis.get(key)),
  weaviate: (on: Stack, name: string): Promise<unknown> =>
    usingWeaviate(on, async client => {
      const { objects } = await client.collections.use(name).query.nearVector([0.6, 0.8], { limit: 1 })
      return objects[0]?.properties['text']
    })
}

function avro(name: string, type: string): string {
  return JSON.stringify({ type: 'record', name, fields: [{ name: 'value', type }] })
}

/** Whatever the client warns of or retries is a complaint. */
function kafkaClient(brokers: string, complaints: string[]): Kafka {
  return new Kafka({
    brokers: [brokers],
    logLevel: logLevel.WARN,
    logCreator: () => entry => void complaints.push(entry.log.message)
  })
}

async function usingRedis<Result>({ env }: Stack, use: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(env.REDIS_URL, { commandTimeout: 1000, maxRetriesPerRequest: 0 })
  // Each command reports its own failure.
  redis.on('error', () => {})
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

async function usingWeaviate<Result>(
  { env }: Stack,
  use: (client: WeaviateClient) => Promise<Result>
): Promise<Result> {
  const http = new URL(env.WEAVIATE_URL)
  const grpc = new URL(env.WEAVIATE_GRPC_URL)
  const client = await weaviate.connectToCustom({
    httpHost: http.hostname,
    httpPort: Number(http.port),
    httpSecure: false,
    grpcHost: grpc.hostname,
    grpcPort: Number(grpc.port),
    grpcSecure: false
  })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** What the jars that the running broker has loaded say of themselves. */
async function kafkaVersion(): Promise<string | undefined> {
  const java = await readFile(`/proc/${stack.part('kafka').pid}/cmdline`, 'utf8')
  const [program = ''] = java.split('\0')
  const jars = join(dirname(inject('minilmDir')), `kafka-${pins.kafka}/jars/*`)
  const { stdout } = await promisify(execFile)(program, ['-cp', jars, 'kafka.Kafka', '--version'])
  return /^[\d.]+/.exec(stdout)?.[0]
}
