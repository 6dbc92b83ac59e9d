import type { ObjectId } from '@pointsman/core/domain/identity'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'

const pageObjects = 2000

/** Every object that the index lists, in pages, none of them empty. */
export async function* walkIndex(
  store: Pick<VectorStore, 'page'>,
  signal: AbortSignal
): AsyncGenerator<readonly ObjectHead[]> {
  let after: ObjectId | undefined
  for (;;) {
    const page = await store.page(after, pageObjects, signal)
    after = page.at(-1)?.id
    if (after === undefined) return
    yield page
  }
}
