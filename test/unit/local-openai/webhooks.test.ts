import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startLocalOpenai } from '@pointsman/local-openai/start-local-openai'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import type { FaultRuleInput } from '../../support/job-under-faults.ts'
import { batchLines, createBatch, waitForBatch } from '../../support/local-openai-batch.ts'

const secret = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0'

interface Delivery {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that takes webhooks; of the first ones it refuses as many as told. */
async function openReceiver(refused = 0): Promise<{ url: string; deliveries: Delivery[] }> {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', part => (body += String(part)))
    request.on('end', () => {
      deliveries.push({ headers: request.headers, body })
      response.writeHead(deliveries.length > refused ? 200 : 500).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  return {
    url: `http://127.0.0.1:${Object(server.address() satisfies string | AddressInfo | null).port}/`,
    deliveries
  }
}

async function openClient(url: string, rules: FaultRuleInput[] = []): Promise<OpenAI> {
  const server = await startLocalOpenai({ webhook: { url, secret } })
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.setFaults({ rules })
  return new OpenAI({ baseURL: server.url, apiKey: 'k', webhookSecret: secret, maxRetries: 0 })
}

async function unwrap(client: OpenAI, { body, headers }: Delivery): Promise<unknown> {
  return await client.webhooks.unwrap(
    body,
    new Headers(Object.entries(headers).map(([k, v]) => [k, String(v)]))
  )
}

test('the end of a job is told, signed so that the official client takes it', async () => {
  const { deliveries, url } = await openReceiver()
  const client = await openClient(url, [
    { kind: 'job_expires', nth: 2 },
    { kind: 'job_fails', nth: 3 },
    { kind: 'job_cancelled', nth: 4 }
  ])
  for (const status of ['completed', 'expired', 'failed', 'cancelled'] as const) {
    const { id } = await createBatch(client, batchLines(2))
    await waitForBatch(client, id, status)
    await expect.poll(() => deliveries.length).toBe(1)
    expect(await unwrap(client, deliveries.pop()!)).toEqual({
      id: expect.stringMatching(/^evt_/),
      object: 'event',
      type: `batch.${status}`,
      created_at: expect.any(Number),
      data: { id }
    })
  }
})

test('news that is refused is sent again under the same id', async () => {
  const { deliveries, url } = await openReceiver(1)
  const client = await openClient(url)
  await createBatch(client, batchLines(1))
  await expect.poll(() => deliveries.length, { timeout: 5000 }).toBe(2)
  expect(deliveries[1]?.headers['webhook-id']).toBe(deliveries[0]?.headers['webhook-id'])
  expect(deliveries[1]?.body).toBe(deliveries[0]?.body)
})

test('news is lost, comes late, twice, or signed by somebody else', async () => {
  const { deliveries, url } = await openReceiver()
  const client = await openClient(url, [
    { kind: 'webhook_lost', nth: 1 },
    { kind: 'webhook_late', nth: 2 },
    { kind: 'webhook_doubled', nth: 3 },
    { kind: 'webhook_badly_signed', nth: 4 }
  ])
  const jobs: string[] = []
  for (let job = 0; job < 4; job++) {
    const { id } = await createBatch(client, batchLines(1))
    await waitForBatch(client, id, 'completed')
    jobs.push(id)
  }
  await expect.poll(() => deliveries.length).toBe(4)
  const told = deliveries.map(({ body }) => jobs.indexOf(JSON.parse(body).data.id) + 1)
  // The last two are told side by side.
  expect(told.filter(job => job !== 4)).toEqual([3, 3, 2])
  const bad = deliveries.find((_, index) => told[index] === 4)
  await expect(unwrap(client, bad!)).rejects.toThrow(/signature/)
})

test('a server that stops does not wait for a receiver that is away', async () => {
  const server = await startLocalOpenai({ webhook: { url: 'http://127.0.0.1:9/', secret } })
  const client = new OpenAI({ baseURL: server.url, apiKey: 'k' })
  const { id } = await createBatch(client, batchLines(1))
  await waitForBatch(client, id, 'completed')
  const stoppedMs = performance.now()
  await server[Symbol.asyncDispose]()
  expect(performance.now() - stoppedMs).toBeLessThan(5000)
})
