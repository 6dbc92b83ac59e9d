import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 50

/**
 * Asks until the question is answered.
 * @param probe - throws while there is no answer; its signal ends it together with the waiting.
 * @throws what the last probe threw, when the time is up; the reason of `signal`, when that is aborted.
 */
export async function waitUntilReady(
  probe: (signal: AbortSignal) => Promise<void>,
  limitMs: number,
  signal: AbortSignal
): Promise<void> {
  const timeUp = AbortSignal.timeout(limitMs)
  const stop = AbortSignal.any([signal, timeUp])
  let last: unknown
  for (;;) {
    signal.throwIfAborted()
    if (timeUp.aborted) throw last
    try {
      return await abortable(probe(stop), stop)
    } catch (error) {
      if (!stop.aborted || last === undefined) last = error
    }
    await sleep(pauseMs)
  }
}

/** Some clients cannot be interrupted: stop waiting for them, at least. */
function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  return promise
}
