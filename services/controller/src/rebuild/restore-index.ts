import type { ObjectId } from '@pointsman/core/domain/identity'
import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import type { RestoredObject } from '@pointsman/core/ports/ledger-rebuild'
import { docKey } from '@pointsman/core/runtime/identity'
import type { Parts } from '../parts.ts'
import { chunked } from '../chunked.ts'

const pageObjects = 2_000
const objectsAtOnce = 1_000

/** Tells the ledger of every object of the index. @returns false when the rebuild is somebody else's by now. */
export async function restoreIndex(
  { ledger, store }: Pick<Parts, 'ledger' | 'store'>,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<boolean> {
  const total = await store.count(signal)
  let done = 0
  let after: ObjectId | undefined
  for (;;) {
    await onProgress(done, Math.max(done, total))
    const page = await store.page(after, pageObjects, signal)
    after = page.at(-1)?.id
    if (after === undefined) return true
    for (const some of chunked(page.map(restored), objectsAtOnce)) {
      if (!(await ledger.restore(some))) return false
    }
    done += page.length
  }
}

function restored({ docId, generation, paymentKey, version }: ObjectHead): RestoredObject {
  return { docKey: docKey(docId), content: paymentKey, version, generation }
}
