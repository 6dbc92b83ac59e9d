// What the provider tells whoever has lost everything: its jobs, and what their input files are about.
import { formatCustomId } from '@pointsman/core/domain/custom-id'
import type { Digest } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { BatchSpool, batch, key, ledger, metadata } from '../../support/openai-jobs.ts'
import { contentOf, customId } from '../../support/result-lines.ts'
import { apiError, json, openScriptedProvider, type Reply } from '../../support/scripted-provider.ts'
import { broken, bytes, routes, unmeasured } from '../../support/scripted-routes.ts'

const { signal } = new AbortController()
const spool = await BatchSpool.open()

const lineOf = (index: number, text = 'x'): string =>
  `{"custom_id":"${customId(index)}","method":"POST","body":{"input":${JSON.stringify(text)}}}\n`

/** A provider whose file `file-1` has these bytes, as it says, and sends these. */
async function inputAt(told: number | undefined, ...contents: readonly Reply[]) {
  const provider = await openScriptedProvider(
    routes({
      'GET /v1/files/file-1': json(200, { id: 'file-1', bytes: told }),
      'GET /v1/files/file-1/content': contents
    })
  )
  const adapter = await spool.providerAt(provider.url)
  return {
    contents: async () => (await Array.fromAsync(adapter.contents('file-1', signal))).flat(),
    fetches: () => provider.requests.filter(({ path }) => path.endsWith('/content')).length,
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose]()
  }
}

test('lists the jobs that bear our names, and nobody else', async () => {
  const made = (id: string, names: unknown, created: unknown = 1_800_000_000): object => {
    return { ...batch, id, created_at: created, metadata: names }
  }
  const data = [
    made('of-nobody', null),
    made('of-others', { project: 'x' }),
    made('of-another-namespace', { ...metadata, pointsman_namespace: 'ns2' }),
    made('without-ledger', { ...metadata, pointsman_ledger: undefined }),
    made('without-manifest', { ...metadata, pointsman_manifest: '' }),
    made('with-an-odd-create', { ...metadata, pointsman_create: 'x' }),
    made('older', metadata),
    made('newer', { ...metadata, pointsman_ledger: 'other', pointsman_create: 4 }, '2027-01-15T08:00:01Z'),
    { metadata },
    { ...made('failed', metadata, undefined), status: 'failed', errors: { data: [{ code: 'x', line: 1 }] } }
  ]
  const pages: readonly Reply[] = [
    json(200, { data: [...data, made('older', metadata)], has_more: true }),
    json(200, { data: [made('older', metadata)], has_more: false })
  ]
  await using provider = await openScriptedProvider(routes({ 'GET /v1/batches': pages }))
  const jobs = await (await spool.providerAt(provider.url)).jobs('ns', signal)

  expect(jobs.map(({ report }) => report.batchId)).toEqual(['newer', 'older', 'failed'])
  expect(jobs[0]?.key).toEqual({ ...key, ledger: 'other', create: 4 })
  expect(jobs[1]?.key).toEqual({ ...key, ledger })
  // No file was read for that.
  expect(jobs[2]?.report.errors).toEqual([{ code: 'x', message: '', content: undefined }])
  expect(provider.requests.map(({ path }) => path)).toEqual([
    '/v1/batches?limit=100',
    '/v1/batches?limit=100&after=older'
  ])
})

const firstPage = json(200, { data: [{ ...batch }], has_more: true })

test.each([
  ['is no JSON', bytes('<html>')],
  ['is a text', json(200, 'none')],
  ['holds no list', json(200, { object: 'list' })],
  ['fails', apiError(503, { message: 'overloaded' })],
  ['is cut', bytes('{"data":[')],
  ['does not come', (response => response.destroy()) as Reply]
])('a list of which a page %s is not taken for the whole', async (_, page) => {
  await using provider = await openScriptedProvider(routes({ 'GET /v1/batches': [firstPage, page] }))
  const adapter = await spool.providerAt(provider.url)
  const code = expect.stringMatching(/^EMBED_(UNAVAILABLE|OUTCOME_UNKNOWN)$/)

  await expect(adapter.jobs('ns', signal)).rejects.toMatchObject({ code })
  await using again = await openScriptedProvider(routes({ 'GET /v1/batches': [firstPage, page] }))
  const other = { ...key, create: 9 }
  await expect((await spool.providerAt(again.url)).find(other, signal)).rejects.toMatchObject({ code })
})

test('what is in an input file is told without its texts, wherever the pieces end', async () => {
  const longest = formatCustomId({
    content: 'f'.repeat(24) as Digest,
    partition: 2_147_483_647,
    offset: 9_223_372_036_854_775_807n
  })
  const file = Buffer.from(
    [
      lineOf(0, 'ä€𝄞'),
      lineOf(1, `a text with {"custom_id":"${customId(9)}"} and \n in it`),
      '\n',
      '{"custom_id":"somebody else\'s","body":{}}\n',
      `{"custom_id":"${'x'.repeat(500)}"}\n`,
      '{"custom_id":"\n',
      `{"method":"POST","custom_id":"${customId(8)}"}\n`,
      `{"custom_id":"${longest}","method":"POST"}\n`,
      lineOf(2)
    ].join('')
  )
  const expected = [contentOf(0), contentOf(1), 'f'.repeat(24), contentOf(2)]
  for (const pieceBytes of [1, 7, 64, file.length]) {
    const inPieces: Reply = response => {
      response.writeHead(200, { 'content-type': 'application/jsonl' })
      for (let at = 0; at < file.length; at += pieceBytes) response.write(file.subarray(at, at + pieceBytes))
      response.end()
    }
    await using input = await inputAt(file.length, inPieces)
    expect(await input.contents()).toEqual(expected)
  }
})

const whole = Array.from({ length: 3_000 }, (_, index) => lineOf(index)).join('')
const all = Array.from({ length: 3_000 }, (_, index) => contentOf(index))
const atLineEnd = whole.slice(0, whole.indexOf('\n', 100_000) + 1)

test.each([
  ['in a line', whole.slice(0, 150_000)],
  ['at the end of a line', atLineEnd],
  ['before its first byte', ''],
  ['before its last byte', whole.slice(0, -1)]
])('a file that is cut %s is fetched again, and gives nothing twice', async (_, cut) => {
  await using input = await inputAt(whole.length, unmeasured(cut), bytes(whole))
  expect(await input.contents()).toEqual(all)
  expect(input.fetches()).toBe(2)

  await using hopeless = await inputAt(whole.length, unmeasured(cut))
  await expect(hopeless.contents()).rejects.toMatchObject({ code: 'EMBED_UNAVAILABLE' })
  expect(hopeless.fetches()).toBe(3)
})

test('a connection that breaks goes on where it was', async () => {
  const breaks = broken(whole.slice(0, 200_000), whole.length)
  await using input = await inputAt(whole.length, breaks, breaks, bytes(whole))
  expect(await input.contents()).toEqual(all)
})

test('where the provider tells no size, the last line tells whether it is whole', async () => {
  await using input = await inputAt(undefined, unmeasured(whole.slice(0, -1)), bytes(whole))
  expect(await input.contents()).toEqual(all)
  expect(input.fetches()).toBe(2)
})

test('a file that ends without a line feed, as long as it should be, is whole', async () => {
  await using input = await inputAt(whole.length - 1, bytes(whole.slice(0, -1)))
  expect(await input.contents()).toEqual(all)
})

test('whoever has read enough leaves, and the rest is not fetched', async () => {
  const left = Promise.withResolvers<void>()
  const endless: Reply = response => {
    response.on('close', left.resolve).writeHead(200)
    const more = (): void => {
      if (!response.destroyed) response.write(whole, more)
    }
    more()
  }
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/files/file-1': json(200, { id: 'file-1' }),
      'GET /v1/files/file-1/content': endless
    })
  )
  const adapter = await spool.providerAt(provider.url)
  for await (const contents of adapter.contents('file-1', signal)) {
    expect(contents[0]).toBe(contentOf(0))
    break
  }
  await left.promise
})

test('a file of fifty thousand long lines goes by in little memory', async () => {
  const text = 'a text of some four kilobytes '.repeat(133)
  const thousand = Buffer.from(Array.from({ length: 1_000 }, (_, index) => lineOf(index, text)).join(''))
  let times = 0
  const fiftyTimes: Reply = response => {
    response.writeHead(200)
    const more = (): void => {
      times += 1
      if (times <= 50) response.write(thousand, more)
      else response.end()
    }
    more()
  }
  await using provider = await openScriptedProvider(
    routes({
      'GET /v1/files/file-1': json(200, { bytes: 50 * thousand.length }),
      'GET /v1/files/file-1/content': fiftyTimes
    })
  )
  const adapter = await spool.providerAt(provider.url)
  const heldBytes = (): number => process.memoryUsage().arrayBuffers
  const beforeBytes = heldBytes()
  let [lines, mostBytes] = [0, 0]
  for await (const contents of adapter.contents('file-1', signal)) {
    lines += contents.length
    mostBytes = Math.max(mostBytes, heldBytes() - beforeBytes)
  }
  expect(lines).toBe(50_000)
  expect(mostBytes).toBeLessThan(25 * thousand.length)
})
