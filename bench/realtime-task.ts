/** What a worker of the realtime benchmark is told; the same for all it compares. */
export interface RealtimeTask {
  /** Of the texts. */
  readonly seed: string
  readonly documents: number
  /** Exists already, with the settings that Pointsman gives it. */
  readonly collection: string
  readonly weaviateUrl: string
  readonly weaviateGrpcUrl: string
  readonly openaiUrl: string
  readonly model: string
}

/** Texts of one embedding request, and such requests in flight at once: the same for all who can set them. */
export const requestInputs = 256
export const requestsInFlight = 8
