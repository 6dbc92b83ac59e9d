// Every transition of the ledger, given to the specification afterwards.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { closeRedis, openRedis } from '@pointsman/core/adapters/redis/connection'
import { collectTrace } from '../trace/collect-trace.ts'
import { replayTrace } from '../trace/replay-trace.ts'

export interface TraceVerdict {
  readonly transitions: number
  readonly losses: number
  /** Why one was not accepted; undefined when all were. */
  readonly because: string | undefined
}

export interface RunningTrace {
  /** Collects the rest, and replays all of it. */
  verdict(): Promise<TraceVerdict>
}

export async function traceInto(file: string, redisUrl: string, namespace: string): Promise<RunningTrace> {
  const redis = await openRedis({ REDIS_URL: redisUrl }, () => undefined)
  const stop = new AbortController()
  const collected = collectTrace(redis, namespace, file, stop.signal)
  // Told by the verdict.
  collected.catch(() => undefined)
  return {
    async verdict() {
      stop.abort()
      await collected
      await closeRedis(redis)
      const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
      const { divergence, losses, transitions } = await replayTrace(lines)
      const because = divergence && `line ${divergence.line} of ${file}: ${divergence.because}`
      return { transitions, losses, because: transitions === 0 ? 'nothing was traced' : because }
    }
  }
}
