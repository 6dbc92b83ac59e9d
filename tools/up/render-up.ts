import type { Up } from './start-everything.ts'

/** The addresses, for a person. */
export function renderUp({ addresses, folder }: Pick<Up, 'addresses' | 'folder'>): string {
  const { controller, kafka, registry, redis, weaviate, weaviateGrpc, openai, model, dimensions } = addresses
  const lines = [
    ['controller', `${controller}  (API: ${controller}/docs)`],
    ['kafka', kafka],
    ['registry', registry],
    ['redis', redis],
    ['weaviate', `${weaviate}  (gRPC ${weaviateGrpc})`],
    ['embeddings', `${openai}  (${model}, ${dimensions} dimensions)`],
    ['data, logs', folder]
  ] as const
  return lines.map(([name, value]) => `  ${name.padEnd(12)}${value}`).join('\n')
}
