import { randomBytes } from 'node:crypto'
import { openWeaviate } from '@pointsman/core/adapters/weaviate/vector-store'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import type { WeaviateSettings } from '@pointsman/core/runtime/settings'

/** A collection name that no other test has. */
function randomCollection(): string {
  return `Test${randomBytes(8).toString('hex')}`
}

export function weaviateSettingsOf(
  url: string,
  grpcUrl: string,
  other: Partial<WeaviateSettings> = {}
): WeaviateSettings {
  return {
    WEAVIATE_URL: url,
    WEAVIATE_GRPC_URL: grpcUrl,
    WEAVIATE_SHARDS: 2,
    WEAVIATE_EF_CONSTRUCTION: 64,
    WEAVIATE_MAX_CONNECTIONS: 16,
    WEAVIATE_QUANTIZATION: 'rq8',
    ...other
  }
}

/** A collection of its own on the shared server, dropped at the end. */
export interface TestCollection extends AsyncDisposable {
  readonly collection: string
  readonly settings: WeaviateSettings
  readonly store: VectorStore & AsyncDisposable
}

export async function openTestCollection(
  settings: WeaviateSettings,
  dimensions: number
): Promise<TestCollection> {
  const collection = randomCollection()
  const store = openWeaviate(settings, collection, dimensions)
  await store.prepare(new AbortController().signal)
  return {
    collection,
    settings,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await fetch(new URL(`/v1/schema/${collection}`, settings.WEAVIATE_URL), { method: 'DELETE' })
    }
  }
}
