import type { RouteOptions } from 'fastify'

/** Which methods a path knows: tells a wrong method from a wrong path. */
export class KnownRoutes {
  readonly #methods = new Map<string, Set<string>>()

  /** For the `onRoute` hook. */
  note({ method, url }: Pick<RouteOptions, 'method' | 'url'>): void {
    const methods = this.#methods.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    this.#methods.set(url, methods)
  }

  /**
   * Of the path itself, else of the patterns that it fits; empty when it is unknown.
   * @param url - as asked for, with its query.
   */
  methodsOf(url: string): readonly string[] {
    const path = url.split('?', 1)[0] ?? ''
    const exact = this.#methods.get(path)
    if (exact !== undefined) return [...exact].toSorted()
    const found = [...this.#methods].filter(([pattern]) => fits(pattern, path))
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].toSorted()
  }
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const isOpen = wanted.at(-1) === '*'
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((part, at) => part === '*' || part.startsWith(':') || part === given[at])
}
