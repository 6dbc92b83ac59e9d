// Worker: LangChain.js `index()` into the same Weaviate, as its documentation shows it or with its batches tuned. Its
// record manager is as fast as one can be: in memory.
import { Document } from '@langchain/core/documents'
import { index } from '@langchain/core/indexing'
import type { ListKeyOptions, RecordManagerInterface, UpdateOptions } from '@langchain/core/indexing'
import { OpenAIEmbeddings } from '@langchain/openai'
import { WeaviateStore } from '@langchain/weaviate'
import weaviate from 'weaviate-client'
import { type RealtimeTask, requestInputs, requestsInFlight } from './realtime-task.ts'
import { seededTexts } from './support/documents.ts'
import { serveMeasured } from './support/measured-worker.ts'

export interface LangchainTask extends RealtimeTask {
  /** One batch over all documents, requests of the common size and number; else every default. */
  readonly tuned: boolean
}

class MemoryRecords implements RecordManagerInterface {
  readonly #keys = new Map<string, { readonly atMs: number; readonly group: string | null }>()

  async createSchema(): Promise<void> {
    // Memory needs none.
  }

  async getTime(): Promise<number> {
    return Date.now()
  }

  async update(keys: string[], { groupIds = [] }: UpdateOptions = {}): Promise<void> {
    keys.forEach((key, index) => this.#keys.set(key, { atMs: Date.now(), group: groupIds[index] ?? null }))
  }

  async exists(keys: string[]): Promise<boolean[]> {
    return keys.map(key => this.#keys.has(key))
  }

  async listKeys({ after = 0, before = Infinity, groupIds, limit }: ListKeyOptions): Promise<string[]> {
    const found = [...this.#keys].filter(
      ([, { atMs, group }]) => atMs > after && atMs < before && (groupIds?.includes(group) ?? true)
    )
    return found.slice(0, limit).map(([key]) => key)
  }

  async deleteKeys(keys: string[]): Promise<void> {
    for (const key of keys) this.#keys.delete(key)
  }
}

await serveMeasured<LangchainTask>(async task => {
  const http = new URL(task.weaviateUrl)
  const grpc = new URL(task.weaviateGrpcUrl)
  const client = await weaviate.connectToCustom({
    httpHost: http.hostname,
    httpPort: Number(http.port),
    httpSecure: false,
    grpcHost: grpc.hostname,
    grpcPort: Number(grpc.port),
    grpcSecure: false
  })
  const embeddings = new OpenAIEmbeddings({
    model: task.model,
    apiKey: 'local',
    configuration: { baseURL: task.openaiUrl },
    ...(task.tuned ? { batchSize: requestInputs, maxConcurrency: requestsInFlight } : {})
  })
  const vectorStore = await WeaviateStore.initialize(embeddings, {
    client,
    indexName: task.collection,
    textKey: 'text'
  })
  const docsSource = [...seededTexts(task.seed, task.documents)].map(
    ({ docId, text, title }) =>
      new Document({
        pageContent: text,
        metadata: { docId, sourceId: docId, version: 1, chunk: 0, chunks: 1, title }
      })
  )
  const recordManager = new MemoryRecords()
  const options = task.tuned ? { batchSize: task.documents } : {}

  return async () => {
    const { numAdded } = await index({ docsSource, recordManager, vectorStore, options })
    if (numAdded !== task.documents) throw new Error(`${numAdded} of ${task.documents} documents were added`)
  }
})
