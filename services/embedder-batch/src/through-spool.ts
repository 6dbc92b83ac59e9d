import { Failure } from '@pointsman/core/domain/failure'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { BatchDeps } from './batch-deps.ts'

/**
 * Makes a repeatable call that moves files through the spool, until it succeeds. A directory that cannot be written
 * closes its own gate, which stops admission, and not that of the provider.
 */
export async function throughSpool<Result>(
  call: () => Promise<Result>,
  { gates }: Pick<BatchDeps, 'gates'>,
  signal: AbortSignal
): Promise<Result> {
  return gates.provider.run(async () => {
    for (;;) {
      await gates.spool.pass(signal)
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'SPOOL_UNAVAILABLE') throw error
        gates.spool.close(messageOf(error))
      }
    }
  }, signal)
}
