import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { WeaviateDefinition } from '@pointsman/core/adapters/weaviate/grpc-api'
import type { ObjectId } from '@pointsman/core/domain/identity'
import type { IndexObject } from '@pointsman/core/ports/vector-store'
import { createServer, ServerError, Status } from 'nice-grpc'

/** What the stub does with one BatchObjects call. */
export interface InsertScript {
  /** Which objects of the call it stores; all unless said. */
  readonly store?: (index: number) => boolean
  /** Which of the stored ones a search finds; all unless said. */
  readonly index?: (index: number) => boolean
  /** What was stored before and is found by no search from now on: seen in a graph that a crash had damaged. */
  readonly unlinks?: ObjectId
  /** Errors in the reply, by index. */
  readonly errors?: Readonly<Record<number, string>>
  /** Never answers, or cuts the connection, once it has stored. */
  readonly answer?: 'never' | 'reset'
}

interface Stored {
  readonly vector: Uint8Array
  searchable: boolean
}

/** Weaviate's gRPC calls as far as writing needs them, and every bad answer it has been seen to give. */
export class StubWeaviate implements AsyncDisposable {
  readonly #server = createServer({ 'grpc.max_receive_message_length': -1 })
  readonly #scripts: InsertScript[] = []
  readonly #stored = new Map<string, Stored>()
  readonly #hidden = new Set<string>()
  readonly #stop = new AbortController()
  readonly #http = createHttpServer((request, response) => {
    if (request.url === '/v1/meta') return response.end('{"version":"1.38.11"}')
    if (request.url?.startsWith('/v1/schema/') === true && this.#schema !== undefined) {
      return response.setHeader('content-type', 'application/json').end(this.#schema)
    }
    const id = request.url?.split('/').at(-1) ?? ''
    response.statusCode = this.#stored.has(id) ? 204 : 404
    return response.end()
  })
  #schema: string | undefined
  readonly #refusals: string[] = []
  inserts = 0
  grpcUrl = ''
  url = ''

  static async start(): Promise<StubWeaviate> {
    const stub = new StubWeaviate()
    stub.#serve()
    stub.grpcUrl = `http://127.0.0.1:${await stub.#server.listen('127.0.0.1:0')}`
    await once(stub.#http.listen(0, '127.0.0.1'), 'listening')
    const address = stub.#http.address()
    stub.url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
    return stub
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.#stored.keys())
  }

  searchable(id: ObjectId): boolean {
    return this.#stored.get(id)?.searchable ?? false
  }

  vector(id: ObjectId): Uint8Array | undefined {
    return this.#stored.get(id)?.vector
  }

  /** The next calls of BatchObjects take one script each. */
  script(...scripts: readonly InsertScript[]): void {
    this.#scripts.push(...scripts)
  }

  /** A collection that is there, as REST tells it. */
  show(schema: object): void {
    this.#schema = JSON.stringify(schema)
  }

  /** What the next searches fail with, one each. */
  refuseSearches(...messages: readonly string[]): void {
    this.#refusals.push(...messages)
  }

  /** What is there before the test begins. */
  put({ id, vector }: IndexObject, searchable: boolean): void {
    this.#stored.set(id, { vector, searchable })
  }

  /** Stored, but unknown to the index of ids: seen after a kill of Weaviate. Writing it with another vector heals it. */
  hide(id: ObjectId): void {
    this.#hidden.add(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#server.forceShutdown()
    this.#http.closeAllConnections()
    await once(this.#http.close(), 'close')
  }

  #serve(): void {
    const unused = (): never => {
      throw new Error('the stub does not know this call')
    }
    this.#server.add(WeaviateDefinition, {
      batchObjects: async ({ objects }) => {
        this.inserts += 1
        const { store, index, unlinks = '', errors = {}, answer } = this.#scripts.shift() ?? {}
        for (const [position, { uuid, vectorBytes }] of objects.entries()) {
          if (store?.(position) === false) continue
          this.#upsert(uuid, vectorBytes, index?.(position) ?? true)
        }
        const unlinked = this.#stored.get(unlinks)
        if (unlinked !== undefined) unlinked.searchable = false
        if (answer === 'reset') this.#server.forceShutdown()
        if (answer === 'never') {
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#stop.signal.addEventListener('abort', () => resolve())
          await promise
        }
        return { errors: Object.entries(errors).map(([at, error]) => ({ index: Number(at), error })) }
      },
      search: ({ after, limit, filters, nearVector }) => {
        const refusal = this.#refusals.shift()
        if (refusal !== undefined) throw new ServerError(Status.UNKNOWN, refusal)
        const near = nearVector?.vectors[0]?.vectorBytes
        const wanted = filters?.valueTextArray?.values
        const matches = (id: string, { vector, searchable }: Stored): boolean => {
          if (near !== undefined) return searchable && Buffer.compare(vector, near) === 0
          if (filters?.target?.property === '_id') return wanted?.includes(id) ?? false
          return wanted === undefined ? id > after : true
        }
        const found = [...this.#stored]
          .filter(([id, stored]) => matches(id, stored) && (wanted === undefined || !this.#hidden.has(id)))
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, limit)
        return Promise.resolve({
          results: found.map(([id, { vector }]) => ({ metadata: { id, vectorBytes: vector } }))
        })
      },
      batchDelete: unused,
      aggregate: unused,
      batchReferences: unused,
      batchStream: unused,
      tenantsGet: unused
    })
  }

  /** As Weaviate: an equal vector keeps its place in the index, or its absence from it. */
  #upsert(id: string, vector: Uint8Array, index: boolean): void {
    const before = this.#stored.get(id)
    const same = before !== undefined && Buffer.compare(before.vector, vector) === 0
    if (!same) this.#hidden.delete(id)
    this.#stored.set(id, { vector: Uint8Array.from(vector), searchable: same ? before.searchable : index })
  }
}
