// Traces of ledgers in Redis: how tests make them, and what they do to them.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisLedger } from '@pointsman/core/adapters/redis/open-ledger'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { Redis } from 'ioredis'
import { expect, vi } from 'vitest'
import { collectTrace } from '../../tools/trace/collect-trace.ts'
import { type Replayed, replayTrace } from '../../tools/trace/replay-trace.ts'
import { readEntry, type TraceEntry, writeEntry } from '../../tools/trace/trace-entry.ts'

export function newNamespace(): string {
  return `trace-${randomUUID()}`
}

export function tracedLedger(redis: Redis, namespace: string): Ledger {
  const settings = { POINTSMAN_NAMESPACE: namespace, POINTSMAN_LEDGER_TRACE: namespace }
  return redisLedger(redis, settings, 'test', () => undefined)
}

/** What was traced while something went on. */
export async function traceOf(
  redis: Redis,
  namespace: string,
  goOn: () => Promise<void>
): Promise<readonly TraceEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), 'trace-'))
  const file = join(folder, 'trace.jsonl')
  try {
    const stop = new AbortController()
    const collected = collectTrace(redis, namespace, file, stop.signal)
    try {
      await goOn()
    } finally {
      stop.abort()
      await collected
    }
    const lines = (await readFile(file, 'utf8')).split('\n')
    return lines.filter(line => line !== '').map(readEntry)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** So that Redis may lose it. */
export async function untilCollected(redis: Redis, namespace: string): Promise<void> {
  await vi.waitFor(async () => expect(await redis.xlen(`{${namespace}}.trace`)).toBe(0), { timeout: 5_000 })
}

export function replay(entries: readonly TraceEntry[]): Promise<Replayed> {
  return replayTrace(
    (async function* () {
      for (const entry of entries) yield writeEntry(entry)
    })()
  )
}

/** As if nothing were missing, or in another order. */
export function renumbered(entries: readonly TraceEntry[]): readonly TraceEntry[] {
  return entries.map((entry, index) => ({ ...entry, serial: index + 1 }))
}

/** As Redis would be emptied, of the ledger and its trace. */
export async function emptyNamespace(redis: Redis, namespace: string): Promise<void> {
  const keys = await keysOf(redis, namespace)
  if (keys.length > 0) await redis.unlink(keys)
}

interface Copy {
  readonly namespace: string
  readonly values: ReadonlyMap<string, Buffer>
}

export async function copyOf(redis: Redis, namespace: string): Promise<Copy> {
  const values = new Map<string, Buffer>()
  for (const key of await keysOf(redis, namespace)) values.set(key, await redis.dumpBuffer(key))
  return { namespace, values }
}

/** As Redis would go on from a backup, of the ledger and its trace. */
export async function putBack(redis: Redis, { namespace, values }: Copy): Promise<void> {
  await emptyNamespace(redis, namespace)
  for (const [key, value] of values) await redis.restore(key, 0, value)
}

async function keysOf(redis: Redis, namespace: string): Promise<string[]> {
  const keys: string[] = []
  for await (const batch of redis.scanStream({ match: `{${namespace}}*`, count: 10_000 })) {
    keys.push(...(batch as string[]))
  }
  return keys
}
