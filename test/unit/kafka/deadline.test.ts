import { expect, test } from 'vitest'
import { withDeadline } from '@pointsman/core/adapters/kafka/deadline'
import { errorTypes, isMembershipError } from '@pointsman/core/adapters/kafka/error-types'
import { Reconnecting } from '@pointsman/core/adapters/kafka/reconnecting'

const soon = { ms: 5, what: 'asking', code: 'LOG_UNAVAILABLE' } as const

test('work that never ends is given up with the code that was given', async () => {
  await expect(withDeadline(Promise.withResolvers().promise, soon)).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: 'asking: no answer within 5 ms'
  })
})

test('a foreign error becomes ours and stays as the cause; an abort keeps its reason', async () => {
  const cause = new Error('refused')
  await expect(withDeadline(Promise.reject(cause), soon)).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    cause
  })
  const signal = AbortSignal.abort(new Error('stop'))
  await expect(withDeadline(Promise.resolve(1), { ...soon, signal })).rejects.toThrow('stop')
})

test('types of errors are found under the wrappers that have none', () => {
  const inner = Object.assign(new Error('unknown member'), { type: 'UNKNOWN_MEMBER_ID' })
  const wrapped = new Error('retries exceeded', { cause: new Error('x', { cause: inner }) })
  expect(errorTypes(wrapped)).toEqual(['UNKNOWN_MEMBER_ID'])
  expect(isMembershipError(wrapped)).toBe(true)
  expect(isMembershipError(new Error('other'))).toBe(false)
})

test('after a failure the next call gets a new client, and the old one is closed', async () => {
  let made = 0
  const closed: number[] = []
  const reconnecting = new Reconnecting({
    connect: async () => {
      made += 1
      return made
    },
    disconnect: async client => void closed.push(client)
  })
  expect(await reconnecting.use(soon, async client => client)).toBe(1)
  await expect(reconnecting.use(soon, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await reconnecting.use(soon, async client => client)).toBe(2)
  await reconnecting[Symbol.asyncDispose]()
  expect(new Set(closed)).toEqual(new Set([1, 2]))
})
