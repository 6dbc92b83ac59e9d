/** What a namespace calls its topics, groups and collection. People rely on these: see docs/architecture.md. */
export interface Names {
  readonly namespace: string
  readonly documents: string
  readonly deadLetters: string
  readonly control: string
  readonly groups: { readonly realtime: string; readonly batch: string }
  readonly collection: string
}

export function namesOf(namespace: string): Names {
  const pascal = namespace
    .split(/[^A-Za-z0-9]+/)
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  return {
    namespace,
    documents: `${namespace}.documents`,
    deadLetters: `${namespace}.documents.dead-letter`,
    control: `${namespace}.control`,
    groups: { realtime: `${namespace}.embedder-realtime`, batch: `${namespace}.embedder-batch` },
    collection: `${pascal}Document`
  }
}
