import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, inject, test } from 'vitest'
import { documentSchema } from '@pointsman/core/adapters/kafka/document-schema'
import { DocumentSchemas } from '@pointsman/core/adapters/kafka/schema-registry'
import { Failure } from '@pointsman/core/domain/failure'
import { registrySettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'

const base = inject('schemaRegistryUrl')
const settings = z.object(registrySettings).parse({ SCHEMA_REGISTRY_URL: base })

async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) })
  })
  return await response.json()
}

describe('a first start that was interrupted before the level of its subject was set', () => {
  let topic: string
  let subject: string

  /** As the registry's client leaves it, with a registry that checks nothing unless told. */
  async function interrupted(schema: object): Promise<void> {
    await ask('POST', `/subjects/${subject}/versions`, { schema: JSON.stringify(schema) })
    await ask('PUT', `/config/${subject}`, { compatibility: 'NONE' })
  }

  beforeEach(() => {
    topic = `schemas-${randomUUID()}`
    subject = `${topic}-value`
  })

  test('is ended by the next one', async () => {
    await interrupted(documentSchema)
    await new DocumentSchemas(settings, topic).register()
    expect(await ask('GET', `/config/${subject}`)).toMatchObject({ compatibilityLevel: 'BACKWARD' })
  })

  test('is ended by many at once', async () => {
    await interrupted(documentSchema)
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => new DocumentSchemas(settings, topic).register())
    )
    expect(new Set(ids).size).toBe(1)
  })

  test('leaves a subject alone whose newest schema is not ours', async () => {
    await interrupted(documentSchema)
    const other = { ...documentSchema, fields: documentSchema.fields.slice(1) }
    await ask('POST', `/subjects/${subject}/versions`, { schema: JSON.stringify(other) })
    const refused = new DocumentSchemas(settings, topic).register()
    await expect(refused).rejects.toSatisfy(
      error => error instanceof Failure && error.code === 'SCHEMA_UNKNOWN'
    )
    expect(await ask('GET', `/config/${subject}`)).toMatchObject({ compatibilityLevel: 'NONE' })
  })
})
