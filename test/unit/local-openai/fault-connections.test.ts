import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from '../../support/local-openai-under-test.ts'

const model = 'text-embedding-3-small'
const input = ['one', 'two', 'three']
let server: LocalOpenaiUnderTest

beforeAll(async () => {
  server = await openLocalOpenai()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(async () => {
  await server.delete('/bill')
  await server.delete('/journal')
})

async function play(rule: object): Promise<void> {
  expect(await server.put('/faults', { rules: [rule] })).toMatchObject({ rules: [rule] })
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => undefined,
    (error: unknown) => error
  )
}

describe('a connection that stays open without an answer', () => {
  function open(): { readonly answered: Promise<IncomingMessage>; readonly leave: () => void } {
    const body = JSON.stringify({ model, input })
    const call = request(`${server.url}/embeddings`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' }
    })
    const answered = once(call, 'response').then(([response]: IncomingMessage[]) => response!)
    call.on('error', () => undefined)
    answered.catch(() => undefined)
    call.end(body)
    return { answered, leave: () => call.destroy() }
  }

  async function journalShows(exchange: object): Promise<void> {
    await expect.poll(() => server.get('/journal')).toMatchObject({ exchanges: [exchange] })
  }

  test.each([
    ['before', false],
    ['after_billing', true]
  ])('hangs %s: paid %s', async (stage, paid) => {
    await play({ kind: 'hang', stage })
    const call = open()
    await journalShows({ fault: 'hang', status: null, paid })
    call.leave()
    await journalShows({ fault: 'hang', status: 0, paid })
  })

  test('sends a part of the body and stalls', async () => {
    await play({ kind: 'stalled_body', at: 0.25 })
    const call = open()
    const response = await call.answered
    const [part] = await once(response, 'data')
    expect(String(part)).toMatch(/^\{"object":"list"/)
    expect(response.complete).toBe(false)
    call.leave()
    await journalShows({ fault: 'stalled_body', status: 0, paid: true })
  })

  test('ends when the server stops', async () => {
    const other = await openLocalOpenai({ faults: { rules: [{ kind: 'hang' }] } })
    const call = failure(other.client().embeddings.create({ model, input }))
    await expect.poll(() => other.get('/journal')).toMatchObject({ exchanges: [{ fault: 'hang' }] })
    await other[Symbol.asyncDispose]()
    expect(await call).toBeInstanceOf(OpenAI.APIConnectionError)
  })
})
