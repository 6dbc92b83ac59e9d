import type { LogBounds } from '@pointsman/core/ports/event-log'
import type { EmittedStore } from './emitted-store.ts'

const idFact = 'log'
const endsFact = 'ends'

/** A log, by the name of its cluster and where its partitions begin and end. */
export interface KnownLog {
  readonly logId: string
  readonly bounds: ReadonlyMap<number, LogBounds>
}

/** Whether what is remembered as sent cannot be in this log. */
export function isOtherLog(store: EmittedStore, log: KnownLog): boolean {
  return isOtherCluster(store, log) || isShorter(store, log)
}

function isOtherCluster(store: EmittedStore, { logId }: KnownLog): boolean {
  const known = store.fact(idFact)
  return known !== undefined && known !== logId
}

/** A topic that ends before the end that was seen was made anew. */
function isShorter(store: EmittedStore, { bounds }: KnownLog): boolean {
  return Object.entries(endsOf(store)).some(
    ([partition, end]) => (bounds.get(Number(partition))?.end ?? 0n) < end
  )
}

/**
 * Makes sure that what is remembered as sent was sent to this log. Another cluster, or a topic that ends before the
 * end that was seen, means that it was not: then everything counts as unsent.
 * @returns what to tell a person.
 */
export function recallLog(
  store: EmittedStore,
  logId: string,
  bounds: ReadonlyMap<number, LogBounds>
): string | undefined {
  const log = { logId, bounds }
  const isOther = isOtherCluster(store, log)
  const isAnew = isShorter(store, log)
  if (isOther || isAnew) store.forgetContents()
  if (store.fact(idFact) !== logId) store.setFact(idFact, logId)
  rememberLog(store, bounds)
  if (isOther) return 'what was sent before went to another Kafka cluster: everything is sent again'
  return isAnew ? 'the topic was made anew since the last run: everything is sent again' : undefined
}

export function rememberLog(store: EmittedStore, bounds: ReadonlyMap<number, LogBounds>): void {
  const ends = Object.fromEntries([...bounds].map(([partition, { end }]) => [partition, String(end)]))
  store.setFact(endsFact, JSON.stringify(ends))
}

function endsOf(store: EmittedStore): Readonly<Record<string, bigint>> {
  const stored: unknown = JSON.parse(store.fact(endsFact) ?? '{}')
  if (typeof stored !== 'object' || stored === null) return {}
  return Object.fromEntries(
    Object.entries(stored).map(([partition, end]) => [partition, BigInt(String(end))])
  )
}
