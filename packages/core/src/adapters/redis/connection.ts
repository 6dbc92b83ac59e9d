import { Redis } from 'ioredis'
import type { RedisSettings } from '../../runtime/settings.ts'

const commandTimeoutMs = 5000
const connectTimeoutMs = 3000
/** Without a byte for so long, while an answer is due, the connection is given up for a new one. */
const silenceMs = 10_000
const maxRetryDelayMs = 1000
/** Reconnections that a command outlives. With the timeout: nobody waits longer for an answer. */
const maxRetriesPerRequest = 3

/**
 * A connection that keeps itself up. Resolves when the first attempt to connect has ended, well or not: while the
 * server is away every command fails at once, and no caller needs to be told when it is back.
 * @param warn - told about every error of the connection.
 */
export async function openRedis(settings: RedisSettings, warn: (text: string) => void): Promise<Redis> {
  const redis = new Redis(settings.REDIS_URL, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: silenceMs,
    maxRetriesPerRequest,
    retryStrategy: attempt => Math.min(25 * 2 ** Math.min(attempt, 10), maxRetryDelayMs),
    // A command that cannot be sent now must fail now: nobody may pay on the strength of a queue.
    enableOfflineQueue: false,
    // The replies of commands in flight are lost with their connection. Every script may be repeated.
    autoResendUnfulfilledCommands: true
  })
  redis.on('error', error => warn(`redis: ${error.message}`))
  await connected(redis)
  return redis
}

/** Lets commands in flight finish, if the server still answers. */
export async function closeRedis(redis: Redis): Promise<void> {
  try {
    if (redis.status === 'ready') await redis.quit()
  } catch {
    // It went away by itself.
  } finally {
    redis.disconnect()
  }
}

async function connected(redis: Redis): Promise<void> {
  try {
    await redis.connect()
  } catch {
    // The listener of errors has been told, and the client goes on trying.
  }
}
