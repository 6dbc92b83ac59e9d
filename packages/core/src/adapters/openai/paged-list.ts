import type { OpenAI } from 'openai'
import { Failure } from '../../domain/failure.ts'
import { fieldOf, itemsOf, textOf } from './field.ts'

/** More pages than any installation fills; the list of a provider that goes in circles has more. */
const maxPages = 5_000

/**
 * The items of a paged list, as they are. Not the SDK's own paging: it relies on shapes that other providers do not keep.
 * @throws {Failure} `EMBED_UNAVAILABLE` when the list does not end, or a page of it is none: a job that stood there would be
 * made again.
 */
export async function* listAll(
  client: OpenAI,
  path: string,
  query: Readonly<Record<string, string | number>>,
  ask: (
    call: (options: { readonly signal: AbortSignal; readonly timeout: number }) => Promise<unknown>
  ) => Promise<unknown>
): AsyncGenerator<unknown> {
  let after: string | undefined
  for (let page = 1; page <= maxPages; page += 1) {
    const answer = await ask(options =>
      client.get(path, { query: after === undefined ? query : { ...query, after }, ...options })
    )
    const data = fieldOf(answer, 'data')
    // There are providers that write null for an empty list.
    if (data === undefined) throw new Failure('EMBED_UNAVAILABLE', `the answer to ${path} is no list`)
    const items = itemsOf(data)
    yield* items
    const last = textOf(fieldOf(items.at(-1), 'id'))
    if (last === undefined || last === after || fieldOf(answer, 'has_more') === false) return
    after = last
  }
  throw new Failure('EMBED_UNAVAILABLE', `the list ${path} does not end`)
}
