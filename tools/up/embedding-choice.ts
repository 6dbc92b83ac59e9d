import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UpError } from './up-error.ts'

/** Who makes the vectors. */
export interface EmbeddingChoice {
  /** Undefined: the local server. */
  readonly openai: { readonly apiKey: string; readonly baseUrl: string } | undefined
  readonly model: string
  readonly dimensions: number
}

const local = { model: 'all-minilm-l6-v2', dimensions: 384 }
const standard = { model: 'text-embedding-3-small', dimensions: 1536, baseUrl: 'https://api.openai.com/v1' }
const fileName = 'embedding.json'

/** With a key OpenAI, or who else is named by OPENAI_BASE_URL; without one the small model on this computer. */
export function chooseEmbedding(env: Readonly<Record<string, string | undefined>>): EmbeddingChoice {
  const apiKey = env['OPENAI_API_KEY']
  if (apiKey === undefined || apiKey === '') return { openai: undefined, ...local }
  return {
    openai: { apiKey, baseUrl: env['OPENAI_BASE_URL'] || standard.baseUrl },
    model: env['EMBEDDING_MODEL'] || standard.model,
    dimensions: Number(env['EMBEDDING_DIMENSIONS'] || standard.dimensions)
  }
}

/**
 * Vectors of two models cannot be compared: a namespace keeps the one it began with.
 * @throws {UpError} when it began with another.
 */
export async function keepEmbedding(folder: string, choice: EmbeddingChoice): Promise<void> {
  const path = join(folder, fileName)
  const wanted = `${choice.model}, ${choice.dimensions} dimensions`
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known === undefined) return writeFile(path, JSON.stringify(wanted))
  if (JSON.parse(known) === wanted) return
  throw new UpError(
    `the vectors in ${folder} are of ${JSON.parse(known)}, and the settings say ${wanted}:\n` +
      'take another name with --namespace, or set or unset OPENAI_API_KEY as it was'
  )
}
