// What this adapter takes from inside KafkaJS stands as it was examined.
import { createRequire } from 'node:module'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { examinedVersion, requirePrivate } from '@pointsman/core/adapters/kafka/private-modules'
import { quietIdleConnections } from '@pointsman/core/adapters/kafka/quiet-idle-connections'

interface Queue {
  readonly throttleCheckTimeoutId: unknown
  readonly pending: object[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  destroy(): void
}

const require = createRequire(import.meta.url)

test('the installed KafkaJS is the one that was examined', () => {
  expect(require('kafkajs/package.json').version).toBe(examinedVersion)
})

test('an idle connection arms no timer, a waiting request does', () => {
  quietIdleConnections()
  quietIdleConnections()
  const RequestQueue = z
    .custom<new (options: object) => Queue>()
    .parse(requirePrivate('network/requestQueue'))
  const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1, logger: { debug: vi.fn() } })
  queue.checkPendingRequests()
  expect(queue.throttleCheckTimeoutId).toBe(null)

  queue.pending.push({})
  queue.scheduleCheckPendingRequests()
  expect(queue.throttleCheckTimeoutId).not.toBe(null)
  queue.destroy()
})
