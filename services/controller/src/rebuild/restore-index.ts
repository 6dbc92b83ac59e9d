import type { ObjectHead } from '@pointsman/core/ports/vector-store'
import type { RestoredObject } from '@pointsman/core/ports/ledger-rebuild'
import { docKey } from '@pointsman/core/runtime/identity'
import type { Parts } from '../parts.ts'
import { chunked } from '../chunked.ts'
import { walkIndex } from '../walk-index.ts'

const objectsAtOnce = 1_000

/** Tells the ledger of every object of the index. @returns false when the rebuild is somebody else's by now. */
export async function restoreIndex(
  { ledger, store }: Pick<Parts, 'ledger' | 'store'>,
  onProgress: (done: number, total: number) => Promise<void>,
  signal: AbortSignal
): Promise<boolean> {
  const total = await store.count(signal)
  let done = 0
  await onProgress(done, total)
  for await (const page of walkIndex(store, signal)) {
    for (const some of chunked(page.map(restored), objectsAtOnce)) {
      if (!(await ledger.restore(some))) return false
    }
    done += page.length
    await onProgress(done, Math.max(done, total))
  }
  return true
}

function restored({ docId, generation, paymentKey, version }: ObjectHead): RestoredObject {
  return { docKey: docKey(docId), content: paymentKey, version, generation }
}
