// Weaviate's data calls over gRPC: the one file that knows the generated messages of weaviate-client. The package
// does not export them, so they are reached by path; test/integration/weaviate-vector-store.test.ts notices when they
// move. Vectors pass as bytes in both directions.
import { type Channel, type Client, createChannel, createClient, Metadata } from 'nice-grpc'
import {
  type Filters,
  Filters_Operator,
  Vectors_VectorType
} from '../../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/base.js'
import type { BatchObject } from '../../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/batch.js'
import type { Value } from '../../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/properties.js'
import type { SearchResult } from '../../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/search_get.js'
import { WeaviateDefinition } from '../../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/weaviate.js'
import type { Digest, ObjectId } from '../../domain/identity.ts'
import type { VectorBytes } from '../../ports/embedder.ts'
import type { Hit, IndexObject, ObjectHead, ObjectProperties } from '../../ports/vector-store.ts'
import { DeadlineError, withDeadline } from '../../runtime/deadline.ts'

/** What Weaviate's own clients use, and its server by default. */
const maxMessageBytes = 104_858_000

/** Weaviate's QUERY_MAXIMUM_RESULTS: no query or deletion touches more objects than this. */
export const maxResults = 10_000

/** Orders before every id: makes the first page a page of the cursor, too. */
const beforeAll = '00000000-0000-0000-0000-000000000000'

export { WeaviateDefinition }

const headProperties = ['docId', 'sourceId', 'version', 'generation', 'paymentKey']
const allProperties = [...headProperties, 'chunk', 'chunks', 'title', 'text', 'metadata']

export interface GrpcEndpoint {
  /** http or https, host and port. */
  readonly url: string
  readonly apiKey: string | undefined
  readonly collection: string
}

export interface Deletion {
  readonly matched: number
  readonly failed: number
}

export class WeaviateGrpc implements Disposable {
  readonly #endpoint: GrpcEndpoint
  readonly #metadata: Metadata
  #channel: Channel
  #client: Client<WeaviateDefinition>

  constructor(endpoint: GrpcEndpoint) {
    this.#endpoint = endpoint
    this.#metadata = new Metadata(
      endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` }
    )
    this.#channel = openChannel(endpoint.url)
    this.#client = createClient(WeaviateDefinition, this.#channel)
  }

  /** One call. Returns the server's errors by index into `objects`; empty = all acknowledged. */
  async insert(
    objects: readonly IndexObject[],
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<ReadonlyMap<number, string>> {
    const request = { objects: objects.map(object => this.#message(object)) }
    const reply = await this.#call(deadlineMs, signal, options => this.#client.batchObjects(request, options))
    return new Map(reply.errors.map(({ index, error }) => [index, error]))
  }

  /** Removes up to 10,000 objects; repeat while more match. */
  async remove(ids: readonly ObjectId[], deadlineMs: number, signal: AbortSignal): Promise<Deletion> {
    const request = { collection: this.#endpoint.collection, filters: containsAny('_id', ids) }
    const reply = await this.#call(deadlineMs, signal, options => this.#client.batchDelete(request, options))
    return { matched: reply.matches, failed: reply.failed }
  }

  /** Those of these objects that Weaviate's index of ids knows, whole. */
  async objects(ids: readonly ObjectId[], deadlineMs: number, signal: AbortSignal): Promise<IndexObject[]> {
    const query = {
      filters: containsAny('_id', ids),
      limit: ids.length,
      properties: allProperties,
      vector: true
    }
    return (await this.#search(query, deadlineMs, signal)).map(objectOf)
  }

  /**
   * A stored object, whole, whatever the indexes know: what the cursor reads after the id before it. Slow when much
   * was written just now.
   */
  async find(id: ObjectId, deadlineMs: number, signal: AbortSignal): Promise<IndexObject | undefined> {
    const query = { after: idBefore(id), limit: 1, properties: allProperties, vector: true }
    const [object] = (await this.#search(query, deadlineMs, signal)).map(objectOf)
    return object?.id === id ? object : undefined
  }

  /** Payment key and vector of at most `limit` objects that have one of these keys. */
  async vectors(
    keys: readonly Digest[],
    limit: number,
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<(readonly [Digest, VectorBytes])[]> {
    const results = await this.#search(
      { filters: containsAny('paymentKey', keys), limit, properties: ['paymentKey'], vector: true },
      deadlineMs,
      signal
    )
    return results.map(result => [text(result, 'paymentKey') as Digest, vectorOf(result)])
  }

  /** Heads of at most `maxResults` objects of these documents, but for those in `seen`. */
  async heads(
    docIds: readonly string[],
    seen: readonly ObjectId[],
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<ObjectHead[]> {
    const ofDocuments = containsAny('docId', docIds)
    const filters = seen.length === 0 ? ofDocuments : both(ofDocuments, containsNone('_id', seen))
    const results = await this.#search(
      { filters, limit: maxResults, properties: headProperties },
      deadlineMs,
      signal
    )
    return results.map(headOf)
  }

  /** The objects after an id, in ascending order of id over all shards. */
  async page(
    after: ObjectId | undefined,
    limit: number,
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<ObjectHead[]> {
    const results = await this.#search(
      { after: after ?? beforeAll, limit, properties: headProperties },
      deadlineMs,
      signal
    )
    return results.map(headOf)
  }

  /** The vector of some object, if there is any. Asks for no property: a foreign collection may lack them. */
  async anyVector(deadlineMs: number, signal: AbortSignal): Promise<VectorBytes | undefined> {
    const [result] = await this.#search({ limit: 1, vector: true }, deadlineMs, signal)
    return result && vectorOf(result)
  }

  async nearest(vector: VectorBytes, limit: number, deadlineMs: number, signal: AbortSignal): Promise<Hit[]> {
    const results = await this.#search({ near: vector, limit, properties: allProperties }, deadlineMs, signal)
    return results.map(result => ({
      ...propertiesOf(result),
      id: idOf(result),
      score: 1 - (result.metadata?.distance ?? 1)
    }))
  }

  /** Ids and cosine distances, nearest first. */
  async neighbours(
    vector: VectorBytes,
    limit: number,
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<(readonly [ObjectId, number])[]> {
    const results = await this.#search({ near: vector, limit }, deadlineMs, signal)
    return results.map(result => [idOf(result), result.metadata?.distance ?? 1])
  }

  async count(deadlineMs: number, signal: AbortSignal): Promise<number> {
    const request = { collection: this.#endpoint.collection, objectsCount: true }
    const reply = await this.#call(deadlineMs, signal, options => this.#client.aggregate(request, options))
    return reply.singleResult?.objectsCount ?? 0
  }

  [Symbol.dispose](): void {
    this.#channel.close()
  }

  async #search(
    query: {
      readonly limit: number
      readonly filters?: Filters
      readonly after?: string
      readonly near?: VectorBytes
      readonly properties?: readonly string[]
      readonly vector?: boolean
    },
    deadlineMs: number,
    signal: AbortSignal
  ): Promise<SearchResult[]> {
    const request = {
      collection: this.#endpoint.collection,
      uses123Api: true,
      uses125Api: true,
      uses127Api: true,
      limit: query.limit,
      after: query.after ?? '',
      filters: query.filters,
      nearVector: query.near && {
        vectors: [{ vectorBytes: query.near, type: Vectors_VectorType.VECTOR_TYPE_SINGLE_FP32 }]
      },
      properties: { nonRefProperties: [...(query.properties ?? [])] },
      metadata: { uuid: true, vector: query.vector ?? false, distance: query.near !== undefined }
    }
    const reply = await this.#call(deadlineMs, signal, options => this.#client.search(request, options))
    return reply.results
  }

  async #call<Reply>(
    deadlineMs: number,
    signal: AbortSignal,
    call: (options: { signal: AbortSignal; metadata: Metadata }) => Promise<Reply>
  ): Promise<Reply> {
    const metadata = this.#metadata
    try {
      return await withDeadline(deadlineMs, signal, inner => call({ signal: inner, metadata }))
    } catch (error) {
      if (error instanceof DeadlineError) this.#reconnect()
      throw error
    }
  }

  /** A silent connection may be dead without a reset; calls still running on the old channel end by themselves. */
  #reconnect(): void {
    this.#channel.close()
    this.#channel = openChannel(this.#endpoint.url)
    this.#client = createClient(WeaviateDefinition, this.#channel)
  }

  #message({ id, vector, properties }: IndexObject): BatchObject {
    return {
      uuid: id,
      collection: this.#endpoint.collection,
      tenant: '',
      vector: [],
      vectors: [],
      vectorBytes: vector,
      properties: {
        nonRefProperties: { ...properties },
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
}

function openChannel(url: string): Channel {
  const { protocol, hostname, port } = new URL(url)
  return createChannel(`${protocol}//${hostname}${port === '' ? '' : `:${port}`}`, undefined, {
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_receive_message_length': maxMessageBytes,
    // By default the pauses between connection attempts grow to two minutes: too long after a restart.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000
  })
}

function containsAny(property: string, values: readonly string[]): Filters {
  return filter(Filters_Operator.OPERATOR_CONTAINS_ANY, property, values)
}

function containsNone(property: string, values: readonly string[]): Filters {
  return filter(Filters_Operator.OPERATOR_CONTAINS_NONE, property, values)
}

function filter(operator: Filters_Operator, property: string, values: readonly string[]): Filters {
  return { operator, on: [], filters: [], target: { property }, valueTextArray: { values: [...values] } }
}

function both(left: Filters, right: Filters): Filters {
  return { operator: Filters_Operator.OPERATOR_AND, on: [], filters: [left, right], target: undefined }
}

function idBefore(id: ObjectId): string {
  const hex = (BigInt(`0x${id.replaceAll('-', '')}`) - 1n).toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function objectOf(result: SearchResult): IndexObject {
  return { id: idOf(result), vector: vectorOf(result), properties: propertiesOf(result) }
}

function headOf(result: SearchResult): ObjectHead {
  return {
    id: idOf(result),
    docId: text(result, 'docId'),
    sourceId: text(result, 'sourceId'),
    version: integer(result, 'version'),
    generation: integer(result, 'generation'),
    paymentKey: text(result, 'paymentKey') as Digest
  }
}

function propertiesOf(result: SearchResult): ObjectProperties {
  const { id: _, ...head } = headOf(result)
  return {
    ...head,
    chunk: integer(result, 'chunk'),
    chunks: integer(result, 'chunks'),
    title: text(result, 'title'),
    text: text(result, 'text'),
    metadata: text(result, 'metadata')
  }
}

function idOf(result: SearchResult): ObjectId {
  return (result.metadata?.id ?? '') as ObjectId
}

function vectorOf(result: SearchResult): VectorBytes {
  return result.metadata?.vectorBytes ?? new Uint8Array()
}

function value(result: SearchResult, property: string): Value | undefined {
  return result.properties?.nonRefProps?.fields[property]
}

function text(result: SearchResult, property: string): string {
  return value(result, property)?.textValue ?? ''
}

function integer(result: SearchResult, property: string): number {
  const found = value(result, property)
  return found?.intValue ?? found?.numberValue ?? 0
}
