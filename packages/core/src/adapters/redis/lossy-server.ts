import type { Redis } from 'ioredis'
import { RedisInspection } from './inspection.ts'

/** Settings without which an answered write may be lost or evicted. */
const wanted = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' }

/** Names every setting with which this server may lose the ledger. A server that does not tell is not named. */
export async function warnOfLossyServer(redis: Redis, warn: (text: string) => void): Promise<void> {
  const told = await new RedisInspection(redis).inspect(new AbortController().signal)
  for (const [name, needed] of Object.entries(wanted)) {
    const value = told.get(name) ?? needed
    if (value !== needed) warn(`redis: ${name} is ${value}; the ledger needs ${needed}`)
  }
}
