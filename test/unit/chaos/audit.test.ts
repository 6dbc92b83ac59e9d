import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { audit, type Audit, lostDocuments } from '../../../tools/chaos/audit.ts'
import { Expectation } from '../../../tools/chaos/expectation.ts'
import { ChaosProvider } from '../../../tools/chaos/provider.ts'
import { openLocalOpenai, postEmbeddings } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
const dimensions = 8
const never = new AbortController().signal
const answer = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })) })

interface Stored {
  readonly docId: string
  readonly text: string
  /** Whose vector it has; its own unless said. */
  readonly vectorOf?: string
}

/** Pays, as an embedder does. */
async function vectorsOf(
  provider: ChaosProvider,
  texts: readonly string[]
): Promise<readonly (readonly number[])[]> {
  if (texts.length === 0) return []
  const reply = await postEmbeddings(provider.url, { model, dimensions, input: texts })
  return answer.parse(await reply.json()).data.map(({ embedding }) => embedding)
}

let provider: ChaosProvider
beforeAll(async () => {
  const server = await openLocalOpenai()
  provider = await ChaosProvider.at(server, 1, async () => await server[Symbol.asyncDispose]())
})
afterAll(() => provider[Symbol.asyncDispose]())

interface World {
  /** Documents with their texts, in the order of their versions; without a text: deleted. */
  readonly produced: readonly (readonly [docId: string, text: string])[]
  readonly paid: readonly string[]
  readonly stored: readonly Stored[]
  readonly dead?: readonly string[]
}

/** Weaviate as far as it is dumped. */
async function serve(objects: readonly object[]) {
  const server = createServer((request, response) => {
    const isFirst = new URL(request.url ?? '', 'http://stub').searchParams.get('after')?.startsWith('0000')
    response.end(JSON.stringify({ objects: isFirst === true ? objects : [] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    weaviateUrl: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

async function found({
  dead = [],
  paid,
  produced,
  stored
}: World): Promise<Audit & { readonly gone: readonly string[] }> {
  const expectation = new Expectation()
  for (const [index, [docId, text]] of produced.entries())
    expectation.note({ docId, version: index, text, title: '', metadata: '{}', deleted: text === '' })
  const vectors = await vectorsOf(
    provider,
    stored.map(({ text, vectorOf = text }) => vectorOf)
  )
  await fetch(`${provider.adminUrl}/bill`, { method: 'DELETE' })
  await vectorsOf(provider, paid)
  const objects = stored.map(({ docId, text }, index) => ({
    id: `object-${index}`,
    properties: { docId, text, title: '', metadata: '{}' },
    vector: vectors[index]
  }))
  await using index = await serve(objects)
  const { weaviateUrl } = index
  const deadLetters = new Map(dead.map(docId => [docId, 'a reason']))
  const world = { weaviateUrl, collection: 'Any', provider, model, dimensions, deadLetters }
  const gone = await lostDocuments(expectation, world, never)
  return { ...(await audit(expectation, world, never)), gone }
}

const well: World = {
  produced: [
    ['a', 'old'],
    ['a', 'one'],
    ['b', 'two'],
    ['c', 'three'],
    ['c', ''],
    ['d', 'poisonous']
  ],
  paid: ['one', 'two', 'three'],
  stored: [
    { docId: 'a', text: 'one' },
    { docId: 'b', text: 'two' }
  ],
  dead: ['d']
}
const nothing = {
  lost: [],
  gone: [],
  duplicates: [],
  stale: [],
  misassigned: [],
  doublePaid: 0,
  strangePayments: 0,
  deadWithoutReason: [],
  aliveWithPoison: []
}

test('nothing is found where all is well', async () => {
  expect(await found(well)).toMatchObject({ ...nothing, live: 2, objects: 2, deadLetters: 1 })
})

const [one, two] = well.stored
const wrong: Readonly<Record<string, readonly [Partial<World>, Partial<typeof nothing> | object]>> = {
  'a document without an object': [{ stored: well.stored.slice(1) }, { lost: ['a'], gone: ['a'] }],
  'two objects of one document': [
    { stored: [...well.stored, { docId: 'a', text: 'one' }] },
    { duplicates: ['a'] }
  ],
  'an object of an older version': [{ stored: [{ docId: 'a', text: 'old' }, two!] }, { stale: ['a'] }],
  'an object of a deleted document': [
    { stored: [...well.stored, { docId: 'c', text: 'three' }] },
    { stale: ['c'] }
  ],
  'an object that nobody produced': [
    { stored: [...well.stored, { docId: 'x', text: 'x' }] },
    { stale: ['x'] }
  ],
  'a vector of another text': [
    { stored: [one!, { docId: 'b', text: 'two', vectorOf: 'one' }] },
    { misassigned: ['b'] }
  ],
  'a text that was paid for three times': [{ paid: [...well.paid, 'two', 'two'] }, { doublePaid: 2 }],
  'a payment for nothing': [{ paid: [...well.paid, 'nobody said so'] }, { strangePayments: 1 }],
  'a good document that was given up': [{ dead: ['b', 'd'] }, { deadWithoutReason: ['b: a reason'] }],
  'a poisoned document that was not': [{ dead: [] }, { aliveWithPoison: ['d'] }]
}

test.for(Object.entries(wrong))('the checker finds %s', async ([, [changed, expected]]) => {
  expect(await found({ ...well, ...changed })).toMatchObject({ ...nothing, ...expected })
})
