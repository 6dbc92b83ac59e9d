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
  const subscriber = redis.duplicate({ lazyConnect: true })
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
  subscriber.on('ready', onChange)
  return {
    [Symbol.asyncDispose]: async () => subscriber.disconnect()
  }
}
