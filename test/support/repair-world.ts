// What tests of repairs share: damage done by hand to a world in memory, and what is asked of it afterwards.
import type { Document } from '@pointsman/core/domain/document'
import type { Digest, ObjectId } from '@pointsman/core/domain/identity'
import type { Correction } from '@pointsman/core/ports/ledger'
import { expect } from 'vitest'
import { repair } from '../../services/controller/src/verify/repair.ts'
import { verify } from '../../services/controller/src/verify/verify.ts'
import type { RepairDeps } from '../../services/controller/src/verify/verify-deps.ts'
import { verifyReport, type VerifyReport } from '../../services/controller/src/verify/verify-report.ts'
import { documentOf, MemoryWorld } from './memory-world.ts'

export const never = new AbortController().signal
export const options = { examples: 10, removeUnknown: false, onProgress: () => undefined }

export async function worldWith(...documents: readonly Document[]): Promise<MemoryWorld> {
  const world = new MemoryWorld()
  await world.produce(...documents)
  await world.drain()
  return world
}

export function textOf(docId: string, fields: Partial<Document> = {}): Document {
  return documentOf(docId, `text of ${docId}`, fields)
}

export async function mend(world: RepairDeps, given: Partial<typeof options> = {}): Promise<VerifyReport> {
  return verifyReport.parse(await repair(world, { ...options, ...given }, never))
}

export async function expectAllWell(world: MemoryWorld): Promise<void> {
  await world.drain()
  const report = await verify(world, options, never)
  expect(report).toMatchObject({ consistent: true, quiet: true })
}

export async function forget(world: MemoryWorld, docId: string): Promise<readonly ObjectId[]> {
  const ids = [...world.store.objects.values()]
    .filter(({ properties }) => properties.docId === docId)
    .map(({ id }) => id)
  await world.store.remove(ids, never)
  return ids
}

export function stateOf(world: MemoryWorld) {
  return world.ledgerServer.state ?? expect.unreachable('there is no ledger')
}

export async function recordsOf(world: MemoryWorld, docId: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const [partition, { end, start }] of await world.admin.bounds()) {
    for await (const records of world.ranges.scan(partition, start, end, never)) {
      for (const { key, value } of records) if (key === docId) found.push(Buffer.from(value ?? []).toString())
    }
  }
  return found
}

/** The parts of a world whose index lists these objects and does not find them by their document. */
export function unfindable(world: MemoryWorld, ids: readonly ObjectId[]) {
  const { admin, clock, codec, ledger, letters, ranges, spec, store } = world
  const hidden = new Set(ids)
  const deps = {
    admin,
    clock,
    codec,
    ledger,
    letters,
    ranges,
    spec,
    walks: 0,
    store: {
      page: async (after: ObjectId | undefined, limit: number) => {
        const page = await store.page(after, limit, never)
        if (page.length === 0) deps.walks += 1
        return page
      },
      existing: store.existing.bind(store),
      count: store.count.bind(store),
      unindexed: store.unindexed.bind(store),
      remove: store.remove.bind(store),
      heads: async (docIds: readonly string[]) =>
        (await store.heads(docIds, never)).filter(({ id }) => !hidden.has(id))
    }
  }
  return deps
}

/** The parts of a world, in which something happens right before the first correction. */
export function interrupted(world: MemoryWorld, event: () => Promise<void>): RepairDeps {
  const { admin, clock, codec, ledger, letters, ranges, spec, store } = world
  let isFirst = true
  return {
    admin,
    clock,
    codec,
    letters,
    ranges,
    spec,
    store,
    ledger: {
      survey: () => ledger.survey(),
      latest: (keys: readonly Digest[]) => ledger.latest(keys),
      processed: (contents: readonly Digest[]) => ledger.processed(contents),
      correct: async (corrections: readonly Correction[]) => {
        if (isFirst) await event()
        isFirst = false
        return await ledger.correct(corrections)
      }
    }
  }
}
