import { Failure } from '../../domain/failure.ts'
import type { FailureCode } from '../../domain/failure.ts'
import { messageOf } from '../../runtime/message-of.ts'

export interface Deadline {
  readonly ms: number
  /** What is being waited for, for the message. */
  readonly what: string
  readonly code: FailureCode
  readonly signal?: AbortSignal
}

/**
 * Waits for `work`, but not longer than the deadline: KafkaJS and the registry client retry or hang beyond any bound
 * of ours. What was begun may still happen. A foreign error becomes a Failure of the given code.
 */
export async function withDeadline<Value>(work: Promise<Value>, deadline: Deadline): Promise<Value> {
  const { ms, what, code, signal } = deadline
  // The loser of the race may fail later: nobody listens then.
  work.catch(() => undefined)
  signal?.throwIfAborted()
  const over = Promise.withResolvers<never>()
  const timer = setTimeout(() => over.reject(new Failure(code, `${what}: no answer within ${ms} ms`)), ms)
  const onAbort = (): void => over.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, over.promise])
  } catch (error) {
    if (signal?.aborted === true || error instanceof Failure) throw error
    throw new Failure(code, `${what}: ${messageOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
