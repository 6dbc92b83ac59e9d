// The collection as Pointsman wants it, in the words of Weaviate's REST schema, and what an existing one has
// differently. Ids are looked up (filterable, one token each), text is for keyword search (searchable), and the rest
// is only carried along: every index costs import time.
import { z } from 'zod'
import type { WeaviateSettings } from '../../runtime/settings.ts'

export type IndexSettings = Pick<
  WeaviateSettings,
  'WEAVIATE_SHARDS' | 'WEAVIATE_EF_CONSTRUCTION' | 'WEAVIATE_MAX_CONNECTIONS' | 'WEAVIATE_QUANTIZATION'
>

const indexed = { filterable: [true, false], searchable: [false, true], carried: [false, false] } as const

const properties = [
  textProperty('docId', 'field', 'filterable'),
  textProperty('sourceId', 'field', 'filterable'),
  intProperty('version'),
  intProperty('generation'),
  textProperty('paymentKey', 'field', 'filterable'),
  intProperty('chunk'),
  intProperty('chunks'),
  textProperty('title', 'word', 'searchable'),
  textProperty('text', 'word', 'searchable'),
  textProperty('metadata', 'field', 'carried')
]

function textProperty(name: string, tokenization: 'field' | 'word', index: keyof typeof indexed) {
  const [indexFilterable, indexSearchable] = indexed[index]
  return { name, dataType: ['text'], tokenization, indexFilterable, indexSearchable }
}

function intProperty(name: string) {
  return { name, dataType: ['int'], indexFilterable: false, indexSearchable: false }
}

/** Body of `POST /v1/schema`. */
export function collectionSchema(name: string, settings: IndexSettings) {
  return {
    class: name,
    description: 'Documents, written by Pointsman',
    vectorizer: 'none',
    vectorIndexType: 'hnsw',
    vectorIndexConfig: {
      distance: 'cosine',
      efConstruction: settings.WEAVIATE_EF_CONSTRUCTION,
      maxConnections: settings.WEAVIATE_MAX_CONNECTIONS,
      ...(settings.WEAVIATE_QUANTIZATION === 'rq8' ? { rq: { enabled: true, bits: 8 } } : {})
    },
    shardingConfig: { desiredCount: settings.WEAVIATE_SHARDS },
    properties
  }
}

const presentProperty = z.object({
  name: z.string(),
  dataType: z.array(z.string()),
  tokenization: z.string().optional(),
  indexFilterable: z.boolean().optional(),
  indexSearchable: z.boolean().optional()
})

type PresentProperty = z.output<typeof presentProperty>

const presentSchema = z.object({
  vectorizer: z.string().optional(),
  vectorIndexType: z.string().optional(),
  vectorIndexConfig: z
    .object({
      distance: z.string().optional(),
      efConstruction: z.number().optional(),
      maxConnections: z.number().optional(),
      rq: z.object({ enabled: z.boolean().optional(), bits: z.number().optional() }).optional()
    })
    .optional(),
  shardingConfig: z.object({ desiredCount: z.number().optional() }).optional(),
  properties: z.array(presentProperty).default([])
})

/**
 * What an existing collection has differently, each as "name: is X, wanted Y". Properties of its own are its affair.
 * @param raw - body of `GET /v1/schema/{class}`.
 */
export function schemaDifferences(raw: unknown, settings: IndexSettings): readonly string[] {
  const present = presentSchema.parse(raw)
  const index = present.vectorIndexConfig
  const quantization = index?.rq?.enabled === true ? `rq${index.rq.bits ?? 8}` : 'none'
  return [
    ...difference('vectorizer', present.vectorizer, 'none'),
    ...difference('vector index', present.vectorIndexType, 'hnsw'),
    ...difference('distance', index?.distance, 'cosine'),
    ...difference('WEAVIATE_EF_CONSTRUCTION', index?.efConstruction, settings.WEAVIATE_EF_CONSTRUCTION),
    ...difference('WEAVIATE_MAX_CONNECTIONS', index?.maxConnections, settings.WEAVIATE_MAX_CONNECTIONS),
    ...difference('WEAVIATE_QUANTIZATION', quantization, settings.WEAVIATE_QUANTIZATION),
    ...difference('WEAVIATE_SHARDS', present.shardingConfig?.desiredCount, settings.WEAVIATE_SHARDS),
    ...properties.flatMap(wanted => {
      const found = present.properties.find(({ name }) => name === wanted.name)
      return difference(`property ${wanted.name}`, found && describe(found), describe(wanted))
    })
  ]
}

function difference(
  what: string,
  is: string | number | undefined,
  wanted: string | number
): readonly string[] {
  return is === wanted ? [] : [`${what}: is ${is ?? 'absent'}, wanted ${wanted}`]
}

function describe(property: PresentProperty): string {
  const { dataType, tokenization, indexFilterable, indexSearchable } = property
  const words = [
    dataType.join('|'),
    tokenization,
    indexFilterable && 'filterable',
    indexSearchable && 'searchable'
  ]
  return words.filter(word => typeof word === 'string').join(' ')
}
