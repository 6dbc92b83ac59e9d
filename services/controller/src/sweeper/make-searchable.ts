import type { Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { ObjectHead, VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import { isNamedBy, isSameLatest } from '../verify/standing.ts'

export interface MakeSearchableDeps {
  readonly ledger: Pick<Ledger, 'latest'>
  readonly store: Pick<VectorStore, 'existing'>
}

/**
 * Has what no search finds indexed anew, see W6 in adapters/weaviate/write-objects.ts: that writes the object again. So
 * only what the ledger names as indexed is looked at: nobody else is about to remove it.
 * @returns those whose document moved on meanwhile: what their writer has removed may stand there again.
 */
export async function makeSearchable(
  { ledger, store }: MakeSearchableDeps,
  page: readonly ObjectHead[],
  signal: AbortSignal
): Promise<readonly ObjectHead[]> {
  const before = await latestOf(page, ledger)
  const settled = page.filter(head => {
    const latest = before.get(head)
    return latest?.status === 'indexed' && isNamedBy(latest, head)
  })
  await store.existing(
    settled.map(({ id }) => id),
    signal
  )
  const after = await latestOf(settled, ledger)
  return settled.filter(head => !isSameLatest(before.get(head), after.get(head)))
}

/** Of these, what may be decided only when their document is settled. */
export async function stillOpen(
  { ledger }: Pick<MakeSearchableDeps, 'ledger'>,
  heads: readonly ObjectHead[]
): Promise<readonly ObjectHead[]> {
  const latest = await latestOf(heads, ledger)
  return heads.filter(head => latest.get(head)?.status === 'open')
}

async function latestOf(
  heads: readonly ObjectHead[],
  ledger: Pick<Ledger, 'latest'>
): Promise<ReadonlyMap<ObjectHead, Latest | undefined>> {
  const found = await ledger.latest(heads.map(({ docId }) => docKey(docId)))
  return new Map(heads.map((head, index) => [head, found[index]]))
}
