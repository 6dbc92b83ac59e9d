import { Metrics } from '@pointsman/core/runtime/metrics'
import { openHealthServer, type Readiness } from '@pointsman/core/runtime/health-server'
import { expect, test } from 'vitest'

async function serve(readiness: () => Readiness) {
  const metrics = new Metrics('health-test')
  const server = await openHealthServer({ port: 0, host: '127.0.0.1', metrics, readiness })
  return { metrics, server }
}

test('a service that is not ready says why, and is alive all the same', async () => {
  const { server } = await serve(() => ({ ready: false, reasons: ['ledger: no answer'] }))
  await using _ = server

  const ready = await fetch(`${server.url}/readyz`)
  expect(ready.status).toBe(503)
  expect(await ready.json()).toEqual({ status: 'not ready', reasons: ['ledger: no answer'] })
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

test('a ready service answers 200', async () => {
  const { server } = await serve(() => ({ ready: true, reasons: [] }))
  await using _ = server
  expect((await fetch(`${server.url}/readyz?verbose`)).status).toBe(200)
})

test('metrics carry the name of the service and what was counted', async () => {
  const { metrics, server } = await serve(() => ({ ready: true, reasons: [] }))
  await using _ = server
  metrics.counter('pointsman_test_total', 'counted by a test', ['kind']).inc({ kind: 'a' }, 3)

  const text = await (await fetch(`${server.url}/metrics`)).text()
  expect(text).toContain('pointsman_test_total{kind="a",service="health-test"} 3')
  expect(text).toContain('process_resident_memory_bytes')
})

test('a readiness check that throws is a failed answer, not the end of the process', async () => {
  const { server } = await serve(() => {
    throw new Error('planted')
  })
  await using _ = server
  expect((await fetch(`${server.url}/readyz`)).status).toBe(500)
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

test('nothing else is served', async () => {
  const { server } = await serve(() => ({ ready: true, reasons: [] }))
  await using _ = server
  expect((await fetch(`${server.url}/`)).status).toBe(404)
  expect((await fetch(`${server.url}/healthz`, { method: 'POST' })).status).toBe(405)
})
