/** A call got no answer in time; whatever it asked for may have happened. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'

  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`)
  }
}

/**
 * Runs a call under its own deadline, also one that ignores its signal. Not `AbortSignal.any`: a listener that is
 * taken off again leaves nothing behind on a signal that lives as long as the process.
 * @param call - is given a signal that aborts at the deadline or with `signal`.
 * @throws `DeadlineError` at the deadline, `signal.reason` when that aborts, else what `call` throws.
 */
export async function withDeadline<Result>(
  deadlineMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  signal.throwIfAborted()
  const stop = new AbortController()
  const cut = Promise.withResolvers<never>()
  const cutShort = (reason: unknown): void => {
    cut.reject(reason)
    stop.abort(reason)
  }
  const onAbort = (): void => cutShort(signal.reason)
  const timer = setTimeout(() => cutShort(new DeadlineError(deadlineMs)), deadlineMs)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([call(stop.signal), cut.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
