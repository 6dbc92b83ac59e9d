import { z } from 'zod'
import type { RegistrySettings } from '../../runtime/settings.ts'

const levelAnswer = z.object({ compatibilityLevel: z.string() })
const versionAnswer = z.object({ version: z.int() })

/**
 * Ends what a first start began that was interrupted, or too slow for its deadline: the registry's client makes a subject
 * and sets its level afterwards. A subject whose newest schema is ours, and that checks nothing, gets the level BACKWARD;
 * any other is left alone.
 * @param schema - ours, as JSON.
 * @throws {Error} when the registry does not answer.
 */
export async function completeSubject(
  settings: RegistrySettings,
  subject: string,
  schema: string,
  signal: AbortSignal
): Promise<void> {
  const base = settings.SCHEMA_REGISTRY_URL.replace(/\/+$/, '')
  const name = encodeURIComponent(subject)
  const ask = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: headersOf(settings),
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    return await response.json()
  }
  // A refusal has another shape, and fits none of these.
  const level = levelAnswer.safeParse(await ask('GET', `/config/${name}`)).data?.compatibilityLevel
  const ours = versionAnswer.safeParse(await ask('POST', `/subjects/${name}`, { schema })).data?.version
  const newest = versionAnswer.safeParse(await ask('GET', `/subjects/${name}/versions/latest`)).data?.version
  if (level !== 'NONE' || ours === undefined || ours !== newest) return
  await ask('PUT', `/config/${name}`, { compatibility: 'BACKWARD' })
}

function headersOf(settings: RegistrySettings): Record<string, string> {
  const { SCHEMA_REGISTRY_USERNAME: username, SCHEMA_REGISTRY_PASSWORD: password = '' } = settings
  const type = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  if (username === undefined) return type
  return { ...type, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}
