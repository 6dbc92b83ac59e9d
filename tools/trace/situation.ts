import { Failure } from '@pointsman/core/domain/failure'
import type { Digest } from '@pointsman/core/domain/identity'
import type { Ledger, Part } from '@pointsman/core/ports/ledger'
import { writeTraced } from '@pointsman/core/adapters/redis/trace-call'

const listed = 8

/** What a ledger knows of what is named in a call: enough to see why it answered as it did. */
export async function situationOf(ledger: Ledger, args: readonly unknown[]): Promise<unknown> {
  const text = writeTraced(args)
  try {
    const { instances, nowMs, obligations, progress, state } = await ledger.survey()
    const named = obligations.filter(({ id }) => text.includes(`"${id}"`))
    const parts = new Map<string, readonly Part[]>()
    for (const { id } of named) parts.set(id, (await ledger.parts(id)).slice(0, listed))
    const docKeys = [...text.matchAll(/"docKey":"([0-9a-f]{24})"/g)].map(([, key]) => key as Digest)
    const some = [...new Set(docKeys)].slice(0, listed)
    const latest = new Map((await ledger.latest(some)).map((known, at) => [some[at], known]))
    const owners = instances.filter(({ owner }) => text.includes(`"${owner}"`))
    return { nowMs, state, progress, obligations: named, parts, owners, latest }
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}
