// Worker: the fastest loop that one could write by hand. Eight requests of 256 texts in flight, vectors taken from
// base64 as bytes and passed through into gRPC calls, several of those in flight. It keeps no books: killed, it would
// not know what was paid for or stored.
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { createChannel, createClient } from 'nice-grpc'
import type { BatchObject } from '../node_modules/weaviate-client/dist/node/esm/proto/v1/batch.js'
import { WeaviateDefinition } from '../node_modules/weaviate-client/dist/node/esm/proto/v1/weaviate.js'
import { seededTexts, type SeededText } from './support/documents.ts'
import { serveMeasured } from './support/measured-worker.ts'
import { type RealtimeTask, requestInputs, requestsInFlight } from './realtime-task.ts'

/** Two to five made no difference that could be measured. */
const writesInFlight = 3
/** Batches that wait for a write: more only cost memory. */
const maxWaiting = 4
const maxMessageBytes = 104_858_000

class Turns {
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>(resolve => this.#queue.push(resolve))
  }

  give(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}

function embedder(
  { model, openaiUrl }: RealtimeTask,
  agent: Agent
): (batch: readonly SeededText[]) => Promise<readonly Uint8Array[]> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer local' }
  return batch =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${openaiUrl}/embeddings`, { method: 'POST', agent, headers }, incoming => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.once('error', reject)
        incoming.once('end', () => {
          const body = Buffer.concat(chunks).toString('latin1')
          if (incoming.statusCode !== 200) return reject(new Error(body))
          const { data }: { readonly data: readonly { readonly embedding: string }[] } = JSON.parse(body)
          resolve(data.map(({ embedding }) => Buffer.from(embedding, 'base64')))
        })
      })
      outgoing.once('error', reject)
      outgoing.end(JSON.stringify({ model, input: batch.map(({ text }) => text), encoding_format: 'base64' }))
    })
}

function writer({
  collection,
  weaviateGrpcUrl
}: RealtimeTask): (batch: readonly SeededText[], vectors: readonly Uint8Array[]) => Promise<void> {
  const channel = createChannel(weaviateGrpcUrl, undefined, {
    'grpc.max_send_message_length': maxMessageBytes
  })
  const client = createClient(WeaviateDefinition, channel)
  return async (batch, vectors) => {
    const objects = batch.map((text, index) => objectOf(collection, text, vectors[index] ?? new Uint8Array()))
    const { errors } = await client.batchObjects({ objects })
    if (errors.length > 0) throw new Error(errors[0]?.error)
  }
}

/** The document's own properties; Pointsman writes its payment key and generation besides. */
function objectOf(
  collection: string,
  { docId, text, title }: SeededText,
  vectorBytes: Uint8Array
): BatchObject {
  return {
    uuid: randomUUID(),
    collection,
    tenant: '',
    vector: [],
    vectors: [],
    vectorBytes,
    properties: {
      nonRefProperties: { docId, sourceId: docId, version: 1, chunk: 0, chunks: 1, title, text },
      singleTargetRefProps: [],
      multiTargetRefProps: [],
      numberArrayProperties: [],
      intArrayProperties: [],
      textArrayProperties: [],
      booleanArrayProperties: [],
      objectProperties: [],
      objectArrayProperties: [],
      emptyListProps: []
    }
  }
}

await serveMeasured<RealtimeTask>(async task => {
  const texts = [...seededTexts(task.seed, task.documents)]
  const batches = Array.from({ length: Math.ceil(texts.length / requestInputs) }, (_, index) =>
    texts.slice(index * requestInputs, (index + 1) * requestInputs)
  )
  const agent = new Agent({ keepAlive: true, maxSockets: requestsInFlight })
  const embed = embedder(task, agent)
  const write = writer(task)
  const writes = new Turns(writesInFlight)
  const waiting = new Turns(requestsInFlight + maxWaiting)

  return async () => {
    const queue = batches.values()
    const written: Promise<void>[] = []
    const loop = async (): Promise<void> => {
      for (const batch of queue) {
        await waiting.take()
        const vectors = await embed(batch)
        written.push(
          writes
            .take()
            .then(() => write(batch, vectors))
            .then(() => {
              writes.give()
              waiting.give()
            })
        )
      }
    }
    await Promise.all(Array.from({ length: requestsInFlight }, loop))
    await Promise.all(written)
  }
})
