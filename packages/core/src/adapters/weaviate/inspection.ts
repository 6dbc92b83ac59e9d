import { z } from 'zod'
import { Failure } from '../../domain/failure.ts'
import type { Inspection } from '../../ports/inspection.ts'
import type { WeaviateSettings } from '../../runtime/settings.ts'
import { messageOf } from '../../runtime/message-of.ts'

const deadlineMs = 5000

const meta = z.object({ version: z.string() })
const schema = z.object({ vectorizer: z.string().optional(), vectorIndexType: z.string().optional() })
const shards = z.array(z.object({ status: z.string() }))

/** Tells `version`, and of the collection, once it is there, `vectorizer`, `vectorIndexType` and `readOnlyShards`. */
export class WeaviateInspection implements Inspection {
  readonly #settings: Pick<WeaviateSettings, 'WEAVIATE_URL' | 'WEAVIATE_API_KEY'>
  readonly #collection: string

  constructor(settings: Pick<WeaviateSettings, 'WEAVIATE_URL' | 'WEAVIATE_API_KEY'>, collection: string) {
    this.#settings = settings
    this.#collection = collection
  }

  async inspect(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const told = new Map<string, string>()
    const answer = meta.safeParse(await this.#get('meta', signal))
    if (answer.success) told.set('version', answer.data.version)

    const collection = schema.safeParse(await this.#get(`schema/${this.#collection}`, signal))
    if (!collection.success) return told
    const { vectorizer, vectorIndexType } = collection.data
    if (vectorizer !== undefined) told.set('vectorizer', vectorizer)
    if (vectorIndexType !== undefined) told.set('vectorIndexType', vectorIndexType)

    const states = shards.safeParse(await this.#get(`schema/${this.#collection}/shards`, signal))
    if (states.success) {
      told.set('readOnlyShards', String(states.data.filter(({ status }) => status === 'READONLY').length))
    }
    return told
  }

  async #get(path: string, signal: AbortSignal): Promise<unknown> {
    const { WEAVIATE_URL, WEAVIATE_API_KEY } = this.#settings
    const headers = WEAVIATE_API_KEY === undefined ? {} : { authorization: `Bearer ${WEAVIATE_API_KEY}` }
    try {
      const response = await fetch(`${WEAVIATE_URL.replace(/\/+$/, '')}/v1/${path}`, {
        headers,
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
      })
      return response.ok ? await response.json() : undefined
    } catch (error) {
      signal.throwIfAborted()
      const reason = messageOf(error)
      throw new Failure('STORE_UNAVAILABLE', `Weaviate does not answer: ${reason}`, { cause: error })
    }
  }
}
