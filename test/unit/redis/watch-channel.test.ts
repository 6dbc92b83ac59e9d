// What a connection that only listens does when it breaks: no failure of it may end the process.
import { EventEmitter } from 'node:events'
import { watchChannel } from '@pointsman/core/adapters/redis/watch-channel'
import type { Redis } from 'ioredis'
import { expect, test } from 'vitest'

class Subscriber extends EventEmitter {
  subscriptions = 0
  /** Whether the connection breaks before it is answered. */
  breaks = false
  readonly connect = async (): Promise<void> => undefined
  readonly disconnect = (): void => undefined

  async subscribe(): Promise<number> {
    this.subscriptions += 1
    if (this.breaks) throw new Error('Connection is closed.')
    return 1
  }
}

async function watched() {
  const subscriber = new Subscriber()
  const asked: unknown[] = []
  const redis = {
    duplicate: (options: unknown) => {
      asked.push(options)
      return subscriber
    }
  }
  const seen = { changes: 0, asked }
  await watchChannel(redis as unknown as Redis, 'changes', () => {
    seen.changes += 1
  })
  return { seen, subscriber }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('it subscribes again by itself after each reconnection, and takes that for a change', async () => {
  const { seen, subscriber } = await watched()
  expect(seen.asked).toMatchObject([{ autoResubscribe: false }])
  subscriber.emit('ready')
  await turn()
  expect(subscriber.subscriptions).toBe(2)
  expect(seen.changes).toBe(1)
})

test('a connection that closes while it subscribes again fails nothing, and the next one subscribes', async () => {
  const { seen, subscriber } = await watched()
  subscriber.breaks = true
  subscriber.emit('ready')
  await turn()
  expect(seen.changes).toBe(0)
  subscriber.breaks = false
  subscriber.emit('ready')
  await turn()
  expect(seen.changes).toBe(1)
})
