import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

const services = ['controller', 'embedder-batch', 'embedder-realtime', 'producer'] as const

/** Decided by the chart itself, by the system, or of tests. */
const notForOperators = [
  'POINTSMAN_INSTANCE',
  'HEALTH_HOST',
  'HEALTH_PORT',
  'CONTROLLER_HOST',
  'CONTROLLER_PORT',
  'CONTROLLER_ALLOWED_HOSTS',
  'BATCH_SPOOL_DIR',
  'POINTSMAN_STATE_DIR',
  'XDG_STATE_HOME',
  'HOME',
  'POINTSMAN_FAILPOINT',
  'POINTSMAN_LEDGER_TRACE'
]

const schemas = vi.hoisted((): unknown[] => [])
vi.mock('@pointsman/core/runtime/env', () => ({
  parseEnv(schema: unknown) {
    schemas.push(schema)
    return {}
  }
}))

const properties = z.record(z.string(), z.unknown())
const valuesSchema = z.object({
  $defs: z.object({ settings: z.object({ properties }) }),
  properties: z.object({ secrets: z.object({ properties: z.object({ from: z.object({ properties }) }) }) })
})

describe('the settings that the chart takes', () => {
  const known = new Set<string>()
  beforeAll(async () => {
    for (const service of services) {
      const { loadConfig } = await import(`../../../services/${service}/src/config.ts`)
      loadConfig({})
    }
    expect(schemas).toHaveLength(services.length)
    for (const schema of schemas) {
      if (!(schema instanceof z.ZodObject)) throw new Error('settings are told by an object')
      for (const name of Object.keys(schema.shape)) known.add(name)
    }
  })

  test('are all that the services know, as values or as secrets, and none besides', async () => {
    const path = join(import.meta.dirname, '../../../deploy/helm/pointsman/values.schema.json')
    const told = valuesSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    const plain = Object.keys(told.$defs.settings.properties)
    const secret = Object.keys(told.properties.secrets.properties.from.properties)
    expect(plain.filter(name => secret.includes(name))).toEqual([])
    const open = [...known].filter(name => !notForOperators.includes(name))
    expect([...plain, ...secret].toSorted()).toEqual(open.toSorted())
  })

  test('leave out nothing that is not known', () => {
    expect(notForOperators.filter(name => !known.has(name))).toEqual([])
  })
})
