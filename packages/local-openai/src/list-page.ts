import type { ApiError } from './api-error.ts'

export interface PageQuery {
  readonly limit: number
  /** The last id of the page before. */
  readonly after: string | undefined
}

/**
 * One page of a list.
 * @param notFound - what to answer when there is nothing of that id in the list.
 */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  { after, limit }: PageQuery,
  show: (item: Item) => object,
  notFound: (id: string) => ApiError
): object {
  const place = after === undefined ? -1 : items.findIndex(item => item.id === after)
  if (after !== undefined && place === -1) throw notFound(after)
  const page = items.slice(place + 1, place + 1 + limit)
  return {
    object: 'list',
    data: page.map(show),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: items.length > place + 1 + limit
  }
}
