import { appendFileSync, chmodSync, truncateSync } from 'node:fs'
import { textHash } from '@pointsman/core/runtime/identity'
import type { Document } from '@pointsman/core/domain/document'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject, test } from 'vitest'
import { ProducerProcess } from '../support/producer-process.ts'

const open = (): ProducerProcess => new ProducerProcess(inject('kafkaBrokers'), inject('schemaRegistryUrl'))

const lines = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ id: `d${i}`, text: text(i) })).join('\n')

/** Highest version of each document, the later one of equals: what the ledger takes. */
function newest(documents: readonly Document[]): ReadonlyMap<string, Document> {
  const found = new Map<string, Document>()
  for (const document of documents) {
    if (document.version >= (found.get(document.docId)?.version ?? -1)) found.set(document.docId, document)
  }
  return found
}

test('documents arrive in the topic as they are, and a second run sends nothing', async () => {
  await using producer = open()
  producer.write('guide/a.md', '# Title\n\nText with ümlauts')
  producer.write(
    'docs.jsonl',
    lines(50, i => `text ${i}`)
  )

  const first = await producer.run([producer.root, '--run', 'r1'])
  const second = await producer.run([producer.root])
  const piped = await producer.run(['-'], { input: '{"id":"d7","deleted":true}\n' })

  expect(first).toMatchObject({
    exitCode: 0,
    report: { event: 'report', run: 'r1', documents: 51, emitted: 51 }
  })
  expect(second).toMatchObject({ exitCode: 0, report: { unchanged: 51, emitted: 0, tombstones: 0 } })
  expect(piped.report).toMatchObject({ tombstones: 1 })
  const logged = newest(await producer.logged())
  expect(logged.size).toBe(51)
  expect(logged.get('guide/a.md')).toMatchObject({
    title: 'Title',
    text: '# Title\n\nText with ümlauts',
    chunks: 1
  })
  expect(logged.get('d7')!.deleted).toBe(true)
  for (const { text, textHash: hash } of logged.values()) expect(hash).toBe(textHash(text))
})

test('killed at any moment, the next run completes the work and repeats at most what was under way', async () => {
  await using producer = open()
  const count = 20_000
  const file = producer.write(
    'docs.jsonl',
    lines(count, i => `text ${i} of the first edition`)
  )
  const killAt = [1, 6_000, 12_000]
  for (const records of killAt) {
    const { signal } = await producer.run([file], { endAt: { records, signal: 'SIGKILL' } })
    expect(signal).toBe('SIGKILL')
  }

  const last = await producer.run([file])
  const after = await producer.run([file])

  expect(last).toMatchObject({ exitCode: 0, report: { documents: count } })
  expect(after.report).toMatchObject({ unchanged: count, emitted: 0, tombstones: 0 })
  const logged = await producer.logged()
  expect(newest(logged).size).toBe(count)
  // Two batches of a thousand may be under way at each kill; repeated records are the same to the byte.
  expect(logged.length).toBeLessThanOrEqual(count + killAt.length * 2_000)
  const versions = Map.groupBy(logged, ({ docId }) => docId)
  for (const repeated of versions.values())
    expect(new Set(repeated.map(({ version }) => version)).size).toBe(1)
}, 60_000)

test('told to stop, it reports how far it came, and the next run goes on', async () => {
  await using producer = open()
  const count = 30_000
  const file = producer.write(
    'docs.jsonl',
    lines(count, i => `text ${i}`)
  )

  // Two batches of a thousand may be unacknowledged at that moment: those before them are known to have arrived.
  const stopped = await producer.run([file], { endAt: { records: 6_000, signal: 'SIGINT' } })
  const next = await producer.run([file])

  expect(stopped).toMatchObject({ exitCode: 1, report: { event: 'report', stopped: true, tombstones: 0 } })
  expect(next).toMatchObject({ exitCode: 0, report: { documents: count, stopped: false } })
  expect(Number(next.report['unchanged'])).toBeGreaterThan(0)
  expect(newest(await producer.logged()).size).toBe(count)
}, 60_000)

test('while the registry is away it waits and says so', async () => {
  await using producer = open()
  producer.write('a.md', 'one')

  const { events, report } = await producer.run([producer.root], {
    env: { SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9' },
    onEvent: ({ event }, kill) => {
      if (event === 'waiting') kill('SIGINT')
    }
  })

  expect(events).toContainEqual(
    expect.objectContaining({ event: 'waiting', reason: expect.stringMatching(/registry/) })
  )
  expect(report['emitted'] ?? 0).toBe(0)
})

test('wrong settings and wrong usage are named together and end with 2', async () => {
  await using producer = open()

  const { exitCode, complaints } = await producer.run(['--nonsense'], {
    env: { KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: 'nowhere' }
  })

  expect(exitCode).toBe(2)
  for (const name of ['--nonsense', 'at least one file', 'KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL']) {
    expect(complaints).toContain(name)
  }
})

test('a compacted topic is refused with the reason', async () => {
  await using producer = open()
  producer.write('a.md', 'one')
  const admin = new Kafka({ brokers: inject('kafkaBrokers'), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({
    topics: [
      { topic: producer.names.documents, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }
    ]
  })
  await admin.disconnect()

  const { exitCode, complaints } = await producer.run([producer.root])

  expect(exitCode).toBe(3)
  expect(complaints).toContain('cleanup.policy')
})

test('files and folders that may not be read are named, and what came from them is kept', async () => {
  await using producer = open()
  // Root may read everything.
  const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {}
  const file = producer.write('secret.md', 'one')
  producer.write('closed/b.md', 'two')
  producer.write('open.md', 'three')
  const first = await producer.run([producer.root], uid)
  chmodSync(file, 0o000)
  chmodSync(`${producer.root}/closed`, 0o000)

  const second = await producer.run([producer.root], uid)
  chmodSync(`${producer.root}/closed`, 0o777)
  const strict = await producer.run([producer.root, '--strict'], uid)

  expect(first.report).toMatchObject({ emitted: 3 })
  expect(second).toMatchObject({
    exitCode: 0,
    report: { documents: 1, kept: 2, tombstones: 0, rejectedTotal: 2 }
  })
  expect(second.report['rejected']).toEqual(
    expect.arrayContaining([
      { path: 'secret.md', reason: 'unreadable: permission denied' },
      { path: 'closed', reason: 'unreadable: permission denied' }
    ])
  )
  expect(strict.exitCode).toBe(1)
})

test('a line of a gigabyte takes little memory, is named, and the next one is read', async () => {
  await using producer = open()
  const file = producer.write('big.jsonl', '')
  // A hole of a gigabyte reads as one line of zeros.
  truncateSync(file, 1_073_741_824)
  appendFileSync(file, '\n{"id":"after","text":"read all the same"}\n')

  const { report } = await producer.run([file], { env: { NODE_OPTIONS: '--max-old-space-size=128' } })

  expect(report).toMatchObject({ emitted: 1, rejectedTotal: 1 })
  expect(report['rejected']).toEqual([
    { path: 'big.jsonl', reason: 'line 1: oversized: the line is longer than 52428800 bytes' }
  ])
}, 60_000)

test('an estimate sends nothing and foretells the run, with Kafka and without any server', async () => {
  await using producer = open()
  producer.write(
    'docs.jsonl',
    lines(30, i => `text ${i % 20}`)
  )
  await producer.run([producer.root])
  producer.write(
    'docs.jsonl',
    lines(40, i => `text ${i % 35}`)
  )
  const before = (await producer.logged()).length

  const asked = await producer.run([producer.root, '--estimate'])
  const alone = await producer.run([producer.root, '--estimate'], {
    env: { KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: '' }
  })

  expect((await producer.logged()).length).toBe(before)
  const run = await producer.run([producer.root])
  const { emitted, unchanged, tokens } = run.report
  for (const { report, exitCode } of [asked, alone]) {
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({ event: 'estimate', emitted, unchanged, tokens })
  }
  expect(asked.report).toMatchObject({ notices: [] })
  expect(alone.report).toMatchObject({ notices: [expect.stringContaining('Kafka was not asked')] })
  expect(asked.events.find(({ event }) => event === 'texts')).toMatchObject({ texts: expect.any(Array) })
})
