/** A model that this server serves. Prices are of 2026-07; they are in the record of every payment. */
export interface EmbeddingModel {
  readonly id: string
  /** Seconds since 1970, as `/v1/models` shows it. */
  readonly createdSeconds: number
  readonly ownedBy: string
  /** Native length of its vectors. */
  readonly dimensions: number
  readonly acceptsDimensions: boolean
  /** Billionths of a US dollar per token, so that sums stay whole numbers. */
  readonly realtimeNanoUsdPerToken: number
}

/** What OpenAI serves; here with vectors made by `FastVectors`. */
export const openaiModels: readonly EmbeddingModel[] = [
  {
    id: 'text-embedding-3-small',
    createdSeconds: 1705948997,
    ownedBy: 'system',
    dimensions: 1536,
    acceptsDimensions: true,
    realtimeNanoUsdPerToken: 20
  },
  {
    id: 'text-embedding-3-large',
    createdSeconds: 1705953180,
    ownedBy: 'system',
    dimensions: 3072,
    acceptsDimensions: true,
    realtimeNanoUsdPerToken: 130
  },
  {
    id: 'text-embedding-ada-002',
    createdSeconds: 1671217299,
    ownedBy: 'openai-internal',
    dimensions: 1536,
    acceptsDimensions: false,
    realtimeNanoUsdPerToken: 100
  }
]

/** The model behind `MinilmVectors`, billed like text-embedding-3-small so that a rehearsal shows real sums. */
export const minilmModel: EmbeddingModel = {
  id: 'all-minilm-l6-v2',
  createdSeconds: 1630281600,
  ownedBy: 'sentence-transformers',
  dimensions: 384,
  acceptsDimensions: true,
  realtimeNanoUsdPerToken: 20
}

/** Half of the realtime price. */
export function batchNanoUsdPerToken(model: EmbeddingModel): number {
  return model.realtimeNanoUsdPerToken / 2
}
