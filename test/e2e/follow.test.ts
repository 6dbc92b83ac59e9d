// Following a real folder into a real Kafka: killed, restarted, told to stop.
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Document } from '@pointsman/core/domain/document'
import { expect, inject, test } from 'vitest'
import { reservePortBlock } from '../../tools/stack/ports.ts'
import { type EndedRun, ProducerProcess, type StartOptions } from '../support/producer-process.ts'

const open = (): ProducerProcess => new ProducerProcess(inject('kafkaBrokers'), inject('schemaRegistryUrl'))
const env = { FOLLOW_INTERVAL_MS: '200' }

const lines = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ id: `d${i}`, text: text(i) })).join('\n')

type Report = Readonly<Record<string, unknown>>

/** A follower whose rounds are told one by one. */
function following(producer: ProducerProcess, options: StartOptions = {}) {
  const rounds: Report[] = []
  let next = Promise.withResolvers<void>()
  let stop = (): void => undefined
  const ended: Promise<EndedRun> = producer.run([producer.root, '--follow'], {
    ...options,
    env: { ...env, ...options.env },
    onEvent: (event, kill) => {
      stop = () => kill('SIGTERM')
      if (event['event'] === 'report') rounds.push(event)
      next.resolve()
      next = Promise.withResolvers()
    }
  })
  return {
    rounds,
    ended,
    stop: () => stop(),
    /** Waits for rounds until one, or all together, have done this. */
    until: async (isDone: (rounds: readonly Report[]) => boolean) => {
      while (!isDone(rounds)) await Promise.race([next.promise, ended.then(failed)])
    }
  }
}

function failed({ complaints }: EndedRun): never {
  throw new Error(`it ended: ${complaints}`)
}

function sumOf(rounds: readonly Report[], name: string): number {
  return rounds.reduce((sum, round) => sum + Number(round[name]), 0)
}

function newest(documents: readonly Document[]): ReadonlyMap<string, Document> {
  const found = new Map<string, Document>()
  for (const document of documents) {
    if (document.version >= (found.get(document.docId)?.version ?? -1)) found.set(document.docId, document)
  }
  return found
}

test('killed in the middle and started again it loses nothing, sends nothing twice, and follows on', async () => {
  await using producer = open()
  const count = 20_000
  producer.write(
    'docs.jsonl',
    lines(count, i => `text ${i}`)
  )
  producer.write('kept.md', 'kept')
  producer.write('changed.md', 'before')
  const killed = await producer.run([producer.root, '--follow'], {
    env,
    endAt: { records: 5_000, signal: 'SIGKILL' }
  })
  // What goes while nobody looks is missed at the next start.
  producer.write('changed.md', 'after')

  const follower = following(producer)
  await follower.until(rounds => rounds.length > 0)
  producer.write('late/new.md', 'new')
  renameSync(join(producer.root, 'kept.md'), join(producer.root, 'renamed.md'))
  rmSync(join(producer.root, 'docs.jsonl'))
  await follower.until(
    rounds => sumOf(rounds, 'tombstones') === count + 1 && sumOf(rounds.slice(1), 'emitted') === 2
  )
  follower.stop()
  const ended = await follower.ended
  const after = await producer.run([producer.root])

  expect(killed.signal).toBe('SIGKILL')
  expect(ended).toMatchObject({ exitCode: 0, signal: null })
  expect(after.report).toMatchObject({ unchanged: 3, emitted: 0, tombstones: 0 })
  const logged = await producer.logged()
  const texts = [...newest(logged).values()].filter(({ deleted }) => !deleted)
  expect(Object.fromEntries(texts.map(({ docId, text }) => [docId, text]))).toEqual({
    'changed.md': 'after',
    'late/new.md': 'new',
    'renamed.md': 'kept'
  })
  // Two batches of a thousand may be under way at the kill; what is repeated is the same to the byte.
  const sent = logged.filter(({ deleted, docId }) => !deleted && docId.startsWith('d'))
  expect(sent.length).toBeLessThanOrEqual(count + 2_000)
  expect(new Set(sent.map(({ docId, version }) => `${docId} ${version}`)).size).toBe(count)
})

test('while it follows it says how it is, keeps others off the folder, and ends with 0 when told to', async () => {
  await using producer = open()
  producer.write('a.md', 'one')
  await using ports = await reservePortBlock()
  const port = ports.first
  const follower = following(producer, { env: { HEALTH_PORT: String(port) } })
  await follower.until(rounds => rounds.length > 0)
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}/${path}`)).text()

  const [ready, metrics] = await Promise.all([ask('readyz'), ask('metrics')])
  const second = await producer.run([producer.root, '--follow'])
  follower.stop()

  expect(JSON.parse(ready)).toEqual({ status: 'ready', reasons: [] })
  expect(metrics).toContain('pointsman_producer_documents_sent_total{service="producer"} 1')
  expect(metrics).toContain('pointsman_producer_files{service="producer"} 1')
  expect(second).toMatchObject({
    exitCode: 3,
    complaints: expect.stringContaining('another run is reading or following')
  })
  expect(await follower.ended).toMatchObject({ exitCode: 0 })
})

test('told to stop while it waits for the registry it ends with 0', async () => {
  await using producer = open()
  producer.write('a.md', 'one')

  const { exitCode, events } = await producer.run([producer.root, '--follow'], {
    env: { SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9' },
    onEvent: ({ event }, kill) => {
      if (event === 'waiting') kill('SIGTERM')
    }
  })

  expect(exitCode).toBe(0)
  expect(events.map(({ event }) => event)).toContain('waiting')
})
