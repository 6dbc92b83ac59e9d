import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Stack } from '../../tools/stack/start-stack.ts'
import { aText } from '../support/memory-lane.ts'
import { startOwnServers } from '../support/own-servers.ts'
import { RealLane } from '../support/real-lane.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startOwnServers('kafka', 'registry', 'redis', 'weaviate')
}, 180_000)
afterAll(() => stack[Symbol.asyncDispose]())

test.each(['redis', 'kafka', 'weaviate'] as const)(
  'kill -9 of %s under load: the embedder waits, goes on by itself, and pays for nothing twice',
  async server => {
    await using lane = await RealLane.open(stack.env, 300)
    const embedder = lane.startEmbedder('one')
    await lane.emit(
      Array.from({ length: 2_000 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`))
    )
    await vi.waitFor(async () => expect((await lane.ledger.survey()).counts.indexed).toBeGreaterThan(100), {
      timeout: 30_000
    })

    await stack.part(server).kill()
    await stack.part(server).restart()
    await lane.emit(
      Array.from({ length: 200 }, (_, index) => aText(`later${index}`, 1, `later text ${index}`))
    )
    await lane.settled()

    expect(await lane.audit()).toEqual({ lost: [], duplicates: [], stale: [], repeatedPayments: 0 })
    embedder.signal('SIGTERM')
    expect(await embedder.ended, embedder.output()).toBe(0)
  }
)
