import type { Redis } from 'ioredis'
import { Failure } from '../../domain/failure.ts'

/**
 * Calls `onChange` at each message of a channel, and after each reconnection, since messages may have been missed.
 * On a connection of its own: one that subscribes can do nothing else.
 */
export async function watchChannel(
  redis: Redis,
  channel: string,
  onChange: () => void
): Promise<AsyncDisposable> {
  // ioredis subscribes again by itself, and lets nobody handle its failure: that would end the process.
  const subscriber = redis.duplicate({ lazyConnect: true, autoResubscribe: false })
  // The other connection, which goes to the same server, reports errors.
  subscriber.on('error', () => undefined)
  try {
    await subscriber.connect()
    await subscriber.subscribe(channel)
  } catch (error) {
    subscriber.disconnect()
    throw new Failure('LEDGER_UNAVAILABLE', 'redis: cannot subscribe', { cause: error })
  }
  subscriber.on('message', onChange)
  // What fails with its connection is tried again with the next one.
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(onChange, () => undefined)
  })
  return {
    [Symbol.asyncDispose]: async () => subscriber.disconnect()
  }
}
