import { parse } from 'yaml'
import { z } from 'zod'

const node = z.record(z.string(), z.unknown())

const definition = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: node }) }))
  })
})

export interface CustomSchema {
  /** `<kind>-<first word of the group>-<version>.json` */
  readonly file: string
  readonly schema: unknown
}

/** The schemas of a CustomResourceDefinition, one a version. What they do not name is refused, as a strict server would. */
export function customSchemas(yaml: string): readonly CustomSchema[] {
  const { group, names, versions } = definition.parse(parse(yaml)).spec
  return versions.map(({ name, schema }) => ({
    file: `${names.kind.toLowerCase()}-${group.split('.', 1)[0]}-${name}.json`,
    schema: closed(schema.openAPIV3Schema)
  }))
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  const parsed = node.safeParse(value)
  if (!parsed.success) return value
  const schema = Object.fromEntries(Object.entries(parsed.data).map(([key, inner]) => [key, closed(inner)]))
  const { type, properties, additionalProperties } = schema
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties !== undefined
  if (type !== 'object' || properties === undefined || isOpen) return schema
  return { ...schema, additionalProperties: false }
}
