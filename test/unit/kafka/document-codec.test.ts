// The codec against a registry that misbehaves on demand.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import avro from 'avsc'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { documentSchema } from '@pointsman/core/adapters/kafka/document-schema'
import { registrySettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'
import { aDocument, aRecord } from '../../support/event-log-under-test.ts'

type Answer = { readonly status: number; readonly body: unknown } | 'hang'

const never = new AbortController().signal

describe('document codec', () => {
  let server: Server
  let port: number
  let requests: string[]
  let answer: (path: string) => Answer

  const known = new Map<string, unknown>([['/schemas/ids/1', documentSchema]])
  const healthy = (path: string): Answer => {
    if (path.startsWith('/config/')) return { status: 200, body: { compatibilityLevel: 'BACKWARD' } }
    if (path.startsWith('/subjects/')) return { status: 200, body: { id: 1 } }
    const schema = known.get(path)
    if (schema === undefined) return { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
    return { status: 200, body: { schema: JSON.stringify(schema) } }
  }

  beforeEach(async () => {
    requests = []
    answer = healthy
    server = createServer((request, response) => {
      const path = request.url ?? ''
      requests.push(path)
      const given = answer(path)
      if (given === 'hang') return
      response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  function open(): KafkaDocumentCodec {
    const settings = z.object(registrySettings).parse({ SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` })
    return new KafkaDocumentCodec(settings, 'ns.documents')
  }

  function written(id: number, schema: avro.Schema, value: object): Uint8Array {
    const header = Buffer.alloc(5)
    header.writeInt32BE(id, 1)
    return Buffer.concat([header, avro.Type.forSchema(schema).toBuffer(value)])
  }

  const stored = { ...aDocument(), textHash: Buffer.alloc(32) }

  test('registers under the subject of the topic', async () => {
    await open().prepare(never)
    expect(requests).toContain('/subjects/ns.documents-value/versions')
  })

  test('a thousand cold decodes ask the registry once', async () => {
    const value = await open().encode(aDocument())
    requests = []
    const codec = open()
    await Promise.all(Array.from({ length: 1_000 }, () => codec.decode(aRecord({ value }))))
    expect(requests).toEqual(['/schemas/ids/1'])
  })

  test('an unknown schema id is unknown, and is not asked for with every record', async () => {
    const codec = open()
    const value = written(77, documentSchema, stored)
    for (let count = 0; count < 20; count += 1) {
      expect(await codec.decode(aRecord({ value }))).toMatchObject({ kind: 'unknown-schema' })
    }
    expect(requests).toHaveLength(1)
  })

  test('a schema with more fields is read, one that lacks ours without default is unknown', async () => {
    const more = [...documentSchema.fields, { name: 'extra', type: 'string' as const }]
    known.set('/schemas/ids/2', { ...documentSchema, fields: more })
    const fewer = documentSchema.fields.filter(({ name }) => name !== 'text')
    known.set('/schemas/ids/3', { ...documentSchema, fields: fewer })
    const codec = open()

    const longer = written(2, { ...documentSchema, fields: more }, { ...stored, extra: 'new' })
    expect(await codec.decode(aRecord({ value: longer }))).toMatchObject({ kind: 'document' })
    const shorter = written(3, { ...documentSchema, fields: fewer }, stored)
    expect(await codec.decode(aRecord({ value: shorter }))).toMatchObject({
      kind: 'unknown-schema',
      reason: expect.stringContaining('schema 3 does not fit ours')
    })
  })

  test('a version that no number can hold is unreadable, and not written either', async () => {
    const codec = open()
    const long = avro.types.LongType.__with({
      fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
      toBuffer: (value: bigint) => {
        const buffer = Buffer.alloc(8)
        buffer.writeBigInt64LE(value)
        return buffer
      },
      fromJSON: BigInt,
      toJSON: Number,
      isValid: (value: unknown) => typeof value === 'bigint',
      compare: (a: bigint, b: bigint) => Number(a - b)
    })
    const type = avro.Type.forSchema(documentSchema, { registry: { long } })
    const value = Buffer.concat([
      Buffer.from([0, 0, 0, 0, 1]),
      type.toBuffer({ ...stored, version: 2n ** 60n })
    ])
    expect(await codec.decode(aRecord({ value }))).toMatchObject({ kind: 'unreadable' })
    await expect(codec.encode(aDocument({ version: 2 ** 60 }))).rejects.toMatchObject({
      code: 'DOCUMENT_UNREADABLE'
    })
  })

  test.each([
    ['a hash that is none', { textHash: 'abc' }],
    ['an empty docId', { docId: '' }],
    ['a chunk beyond its chunks', { chunk: 3, chunks: 3 }],
    ['metadata that is no object', { metadata: '[]' }]
  ])('%s is not written', async (_, fields) => {
    await expect(open().encode(aDocument(fields))).rejects.toMatchObject({ code: 'DOCUMENT_UNREADABLE' })
  })

  test('long texts are written whole', async () => {
    const codec = open()
    const text = '長い'.repeat(60_000)
    const value = await codec.encode(aDocument({ text }))
    const decoded = await codec.decode(aRecord({ value }))
    expect(decoded.kind === 'document' && decoded.document.text === text).toBe(true)
  })

  test.each([429, 500, 503])(
    'status %i is an outage: no verdict on the record, and nothing is remembered',
    async status => {
      const value = await open().encode(aDocument())
      const codec = open()
      answer = () => ({ status, body: { message: 'later' } })
      await expect(codec.decode(aRecord({ value }))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })

      answer = healthy
      await expect
        .poll(() => codec.decode(aRecord({ value })).catch(() => undefined), { timeout: 5_000 })
        .toMatchObject({
          kind: 'document'
        })
    }
  )

  test('a refused connection is an outage', async () => {
    const value = await open().encode(aDocument())
    const codec = open()
    server.closeAllConnections()
    server.close()
    await expect(codec.decode(aRecord({ value }))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    await expect(codec.prepare(never)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
  })

  test('a registry that hangs is given up within the deadline', { timeout: 15_000 }, async () => {
    const value = await open().encode(aDocument())
    const codec = open()
    answer = () => 'hang'
    const startedMs = Date.now()
    await expect(codec.decode(aRecord({ value }))).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    expect(Date.now() - startedMs).toBeLessThan(10_000)
  })

  test('a schema that the registry refuses is a matter for the operator', async () => {
    const codec = open()
    answer = path =>
      path.startsWith('/subjects/')
        ? { status: 409, body: { error_code: 409, message: 'incompatible' } }
        : healthy(path)
    await expect(codec.prepare(never)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' })
    answer = healthy
    await expect(codec.prepare(never)).resolves.toBe(undefined)
  })
})
