import type { Lane } from '@pointsman/core/domain/lane'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { Parts } from '../parts.ts'
import { committedWatermarks } from './committed-watermarks.ts'

/** Opens the ledger. One that is absent is new only if Kafka does not tell of an earlier one. */
export async function openLedger(
  { admin, control, ledger, names }: Pick<Parts, 'admin' | 'control' | 'ledger' | 'names'>,
  defaultLane: Lane,
  signal: AbortSignal
): Promise<LedgerState> {
  const wasThere =
    (await committedWatermarks(admin, names)).size > 0 || (await control.read(0n, signal)).length > 0
  return ledger.open(defaultLane, wasThere ? 'lost' : undefined)
}
