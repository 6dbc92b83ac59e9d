// Schema, shards and single objects: what is asked of Weaviate over REST, through its own client. Its checks at the
// start are left out: they would keep a service from starting before its server, and `VectorStore.check` repeats them.
import weaviate, { type WeaviateClient } from 'weaviate-client'
import { z } from 'zod'
import type { ObjectId } from '../../domain/identity.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import type { WeaviateSettings } from '../../runtime/settings.ts'

export interface ShardState {
  readonly name: string
  readonly status: string
}

/** Weaviate leaves out what is zero or empty. */
const nodeStates = z.array(
  z.object({ shards: z.array(z.object({ vectorQueueLength: z.number().default(0) })).nullish() })
)

/** The client's own timeouts, in its unit; ours is `deadlineMs` around each call. */
const clientTimeouts = { init: 5, query: 120, insert: 120 }

export class WeaviateControl implements AsyncDisposable {
  readonly #settings: WeaviateSettings
  readonly #collection: string
  readonly #deadlineMs: number
  #client: Promise<WeaviateClient> | undefined

  constructor(settings: WeaviateSettings, collection: string, deadlineMs: number) {
    this.#settings = settings
    this.#collection = collection
    this.#deadlineMs = deadlineMs
  }

  /** The raw schema of the collection; undefined when there is none. */
  async schema(signal: AbortSignal): Promise<unknown> {
    return await this.#call(signal, async client => {
      try {
        return await client.collections.exportToJson(this.#collection)
      } catch (error) {
        if (hasStatus(error, 404)) return undefined
        throw error
      }
    })
  }

  /** False when somebody else was faster. */
  async create(schema: { readonly class: string }, signal: AbortSignal): Promise<boolean> {
    return await this.#call(signal, async client => {
      try {
        await client.collections.createFromJson(schema)
        return true
      } catch (error) {
        if (hasStatus(error, 422) && (await client.collections.exists(this.#collection))) return false
        throw error
      }
    })
  }

  async shards(signal: AbortSignal): Promise<readonly ShardState[]> {
    return await this.#call(signal, client => client.collections.get(this.#collection).config.getShards())
  }

  /** Vectors that wait for the index, over all nodes and shards. */
  async queueLength(signal: AbortSignal): Promise<number> {
    return await this.#call(signal, async client => {
      const nodes = await client.cluster.nodes({ collection: this.#collection, output: 'verbose' })
      const shards = nodeStates.parse(nodes).flatMap(({ shards }) => shards ?? [])
      return shards.reduce((sum, { vectorQueueLength }) => sum + vectorQueueLength, 0)
    })
  }

  /** Reads the object itself, not the index of ids. */
  async exists(id: ObjectId, signal: AbortSignal): Promise<boolean> {
    return await this.#call(signal, client => client.collections.get(this.#collection).data.exists(id))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#client)?.close()
  }

  async #call<Result>(
    signal: AbortSignal,
    call: (client: WeaviateClient) => Promise<Result>
  ): Promise<Result> {
    return await withDeadline(this.#deadlineMs, signal, async () => {
      this.#client ??= openClient(this.#settings)
      const client = await this.#client
      // Before anything else: without it the client asks by itself, and a server that is down then ends the process
      // by a rejection that nobody can handle.
      await client.getWeaviateVersion()
      return await call(client)
    })
  }
}

function openClient(settings: WeaviateSettings): Promise<WeaviateClient> {
  const http = new URL(settings.WEAVIATE_URL)
  const grpc = new URL(settings.WEAVIATE_GRPC_URL)
  const apiKey = settings.WEAVIATE_API_KEY
  return weaviate.connectToCustom({
    httpHost: http.hostname,
    httpPath: http.pathname === '/' ? '' : http.pathname,
    httpPort: portOf(http),
    httpSecure: http.protocol === 'https:',
    grpcHost: grpc.hostname,
    grpcPort: portOf(grpc),
    grpcSecure: grpc.protocol === 'https:',
    timeout: clientTimeouts,
    skipInitChecks: true,
    ...(apiKey === undefined ? {} : { authCredentials: new weaviate.ApiKey(apiKey) })
  })
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

/** The client does not export its error classes. */
function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'code' in error && error.code === status
}
