// Whether a ledger can be the one that was there before: what Kafka was told of it must still be so. Each order of reading
// matters, since everything goes on meanwhile: what only rises is read first where it is told, then where it comes from.
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { Parts } from '../parts.ts'
import type { ControlBook } from '../switching/control-book.ts'
import { committedWatermarks } from './committed-watermarks.ts'

/**
 * @param book - caught up with before the state was read.
 * @returns why it cannot be; undefined when nothing speaks against it.
 */
export async function findDoubt(
  state: LedgerState,
  { admin, ledger, names }: Pick<Parts, 'admin' | 'ledger' | 'names'>,
  book: ControlBook,
  signal: AbortSignal
): Promise<string | undefined> {
  const { lastEpoch } = book
  const foreign = await findForeign(state, book, signal)
  if (foreign !== undefined) return foreign
  if (state.epoch < lastEpoch) return `it has epoch ${state.epoch}, and the control log tells of ${lastEpoch}`

  const committed = await committedWatermarks(admin, names)
  const watermarks = await ledger.watermarks()
  for (const [partition, offset] of committed) {
    const watermark = watermarks.get(partition)
    if (watermark === undefined || watermark < offset) {
      const knows = watermark === undefined ? 'does not know it' : `has only reached ${watermark}`
      return `offset ${offset} of partition ${partition} was committed, and it ${knows}`
    }
  }
  return undefined
}

async function findForeign(
  { ledgerId }: LedgerState,
  book: ControlBook,
  signal: AbortSignal
): Promise<string | undefined> {
  if (book.life === undefined || book.life.opened.ledgerId === ledgerId) return undefined
  // It may have been opened since the log was read.
  await book.catchUp(signal)
  const { opened } = book.life
  return opened.ledgerId === ledgerId ? undefined : `the control log tells of another one, ${opened.ledgerId}`
}
