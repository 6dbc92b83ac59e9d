import type { Clock } from '@pointsman/core/ports/clock'

/**
 * The same chunks; when none comes for `idleMs`, `onIdle` runs once before the wait goes on. A pipe may stay open for
 * days: what came through it must not wait for the next line.
 */
export async function* whileIdle(
  chunks: AsyncIterable<Uint8Array>,
  idleMs: number,
  onIdle: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = iterator.next()
      const awake = new AbortController()
      const idle = clock.sleep(idleMs, AbortSignal.any([signal, awake.signal])).then(() => undefined)
      const first = await Promise.race([next, idle])
      awake.abort()
      idle.catch(() => undefined)
      if (first === undefined) await onIdle()
      const result = first ?? (await untilAborted(next, signal))
      if (result.done === true) return
      yield result.value
    }
  } finally {
    // Not awaited: a read of a terminal ends when its next line comes.
    void iterator.return?.()
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
