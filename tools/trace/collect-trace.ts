import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { readTracedCall, type TraceEntry, writeEntry } from './trace-entry.ts'

const pageEntries = 500
const pauseMs = 100

const texts = z.tuple([z.instanceof(Buffer), z.array(z.instanceof(Buffer))])

/**
 * Writes what the ledger of a namespace traces to a file, an entry a line, and removes it from Redis, until told to stop
 * and nothing is left. It outlives Redis being away; of what Redis loses, only what was not collected yet is missing.
 * @param redis - a connection that keeps itself up, as `openRedis` makes it.
 * @returns how many entries were written.
 * @throws what Redis answers after `stop`.
 */
export async function collectTrace(
  redis: Redis,
  namespace: string,
  file: string,
  stop: AbortSignal
): Promise<number> {
  const key = `{${namespace}}.trace`
  const out = createWriteStream(file)
  let written = 0
  /** In the file, and perhaps in Redis still. */
  let kept: readonly Buffer[] = []
  let last: Buffer = Buffer.from('0-0')
  for (;;) {
    const isLast = stop.aborted
    try {
      if (kept.length > 0) await redis.callBuffer('XDEL', key, ...kept)
      kept = []
      const page = z.array(texts).parse(await redis.callBuffer('XRANGE', key, '-', '+', 'COUNT', pageEntries))
      // A Redis that was put back to an older copy has again what was collected already.
      const fresh = page.filter(([id]) => isLater(id, last))
      if (!out.write(fresh.map(([, fields]) => `${writeEntry(entryOf(fields))}\n`).join(''))) {
        await once(out, 'drain')
      }
      written += fresh.length
      last = fresh.at(-1)?.[0] ?? last
      kept = page.map(([id]) => id)
      if (isLast && page.length === 0) break
    } catch (error) {
      if (isLast) throw error
      // Redis is away: what was traced waits there.
    }
    if (kept.length < pageEntries) await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined)
  }
  out.end()
  await finished(out)
  return written
}

/** Of two ids of a stream, which are milliseconds and a number. */
function isLater(id: Buffer, than: Buffer): boolean {
  const [ms = 0, number = 0] = String(id).split('-').map(Number)
  const [thanMs = 0, thanNumber = 0] = String(than).split('-').map(Number)
  return ms === thanMs ? number > thanNumber : ms > thanMs
}

function entryOf(list: readonly Buffer[]): TraceEntry {
  const fields = new Map(
    list.flatMap((field, at) => (at % 2 === 0 ? [[field.toString(), list[at + 1]]] : []))
  )
  const text = (name: string): string => String(fields.get(name))
  return {
    serial: Number(text('serial')),
    at: Number(text('at')),
    run: text('run'),
    ledger: text('ledger'),
    known: text('known'),
    call: readTracedCall(text('call')),
    reply: fields.get('reply')?.toString('base64') ?? ''
  }
}
