import type { Redis } from 'ioredis'
import { Failure } from '../../domain/failure.ts'
import type { Ledger } from '../../ports/ledger.ts'
import type { LedgerSettings } from '../../runtime/settings.ts'
import { RedisLedger } from './ledger.ts'
import { traceLedger } from './trace.ts'

/**
 * The ledger of a service.
 * @param by - name of the instance.
 * @throws {Failure} `CONFIG_INVALID` when a trace is asked for, and not of this very namespace.
 */
export function redisLedger(
  redis: Redis,
  { POINTSMAN_LEDGER_TRACE, POINTSMAN_NAMESPACE: namespace }: LedgerSettings,
  by: string,
  warn: (text: string) => void
): Ledger {
  if (POINTSMAN_LEDGER_TRACE === undefined) return new RedisLedger(redis, namespace, { warn })
  // What is set for a test must not fill the Redis of anything else.
  if (POINTSMAN_LEDGER_TRACE !== namespace) {
    throw new Failure('CONFIG_INVALID', 'POINTSMAN_LEDGER_TRACE is for tests, and has to name the namespace')
  }
  warn(`redis: every transition is written to {${namespace}}.trace, for a test that collects them`)
  return traceLedger(through => new RedisLedger(redis, namespace, { warn, through }), by)
}
