import { getEventListeners } from 'node:events'
import { DeadlineError, withDeadline } from '@pointsman/core/runtime/deadline'
import { expect, test } from 'vitest'

const never = (): Promise<never> => new Promise(() => undefined)

test('gives what the call gives, and leaves nothing on the signal', async () => {
  const { signal } = new AbortController()

  expect(await withDeadline(1_000, signal, () => Promise.resolve(7))).toBe(7)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('throws what the call throws', async () => {
  const reason = new Error('broken')
  const call = withDeadline(1_000, new AbortController().signal, () => Promise.reject(reason))

  await expect(call).rejects.toBe(reason)
})

test('ends a call that ignores its signal at the deadline, and aborts that signal', async () => {
  let given: AbortSignal | undefined
  const call = withDeadline(10, new AbortController().signal, signal => {
    given = signal
    return never()
  })

  await expect(call).rejects.toThrow(new DeadlineError(10))
  expect(given?.aborted).toBe(true)
})

test('ends with the reason of an abort, during the call and before it', async () => {
  const stop = new AbortController()
  const reason = new Error('stopping')
  const during = withDeadline(1_000, stop.signal, never)
  stop.abort(reason)

  await expect(during).rejects.toBe(reason)
  await expect(withDeadline(1_000, stop.signal, never)).rejects.toBe(reason)
})
