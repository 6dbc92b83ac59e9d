// The independent checker. What should be it knows from what was produced; what is it reads raw: a dump of Weaviate, the
// provider's bill, the dead letters. Only when the bill was read is the provider asked what the vectors should have been.

import { type DumpedObject, dumpWeaviate } from '../../bench/support/weaviate-dump.ts'
import { type Expectation, isPoisoned, type Produced } from './expectation.ts'
import type { Bill, ChaosProvider, Payment, ProviderJob } from './provider.ts'

export interface AuditedWorld {
  readonly weaviateUrl: string
  readonly collection: string
  readonly provider: ChaosProvider
  readonly model: string
  readonly dimensions: number
  /** Reason by document. */
  readonly deadLetters: ReadonlyMap<string, string>
}

export interface Audit {
  /** Documents that should stand in the index. */
  readonly live: number
  readonly objects: number
  /** Documents that should have an object and have none. */
  readonly lost: readonly string[]
  /** Documents that have more than one. */
  readonly duplicates: readonly string[]
  /** Objects that are not what their document is now, or of one that is deleted or was never produced. */
  readonly stale: readonly string[]
  /** Objects under a vector that is not that of their text. */
  readonly misassigned: readonly string[]
  /** Payments of texts beyond those that may have been necessary. */
  readonly doublePaid: number
  /** The texts that were paid for too often, and how often. */
  readonly doublePayments: readonly string[]
  /** Texts that were paid for and never produced. */
  readonly strangePayments: number
  readonly deadLetters: number
  /** Given up, although nothing was wrong with it. */
  readonly deadWithoutReason: readonly string[]
  /** Poisoned, and yet neither given up nor superseded. */
  readonly aliveWithPoison: readonly string[]
  readonly bill: Bill
  /** Lines that were charged for and delivered in no file, by a fault of the provider. */
  readonly undeliveredLines: number
}

/** Cosine: vectors are stored as 32-bit floats. */
const sameVector = 0.9999

export async function audit(expected: Expectation, world: AuditedWorld, signal: AbortSignal): Promise<Audit> {
  const { deadLetters, provider } = world
  const bill = await provider.get<Bill>('/bill')
  const { payments } = await provider.get<{ readonly payments: readonly Payment[] }>(
    '/payments?minCount=1&limit=10000000'
  )
  const { jobs } = await provider.get<{ readonly jobs: readonly ProviderJob[] }>('/jobs')
  const struck = jobs.flatMap(({ faults }) => faults).filter(({ kind }) => kind === 'line_missing')
  await provider.put('/latency', { kind: 'fixed', ms: 0 })

  const objects = new Map<string, number>()
  const stale: string[] = []
  const misassigned: string[] = []
  for await (const page of dumpWeaviate(world.weaviateUrl, world.collection, signal)) {
    for (const { properties } of page) {
      const docId = String(properties['docId'])
      objects.set(docId, (objects.get(docId) ?? 0) + 1)
      if (!isRight(properties, expected.newest.get(docId))) stale.push(docId)
    }
    misassigned.push(...(await misassignedOf(page, world, signal)))
  }
  const newest = [...expected.newest.values()]
  const live = liveOf(expected)
  const poisoned = newest.filter(({ deleted, text }) => !deleted && isPoisoned(text))
  const double = payments.flatMap(({ count, textHash }) => {
    const beyond = expected.isKnown(textHash) ? count - expected.necessary(textHash) : 0
    return beyond > 0 ? { textHash, beyond } : []
  })
  return {
    live: live.length,
    objects: [...objects.values()].reduce((sum, count) => sum + count, 0),
    lost: live.filter(({ docId }) => !objects.has(docId)).map(({ docId }) => docId),
    duplicates: [...objects].flatMap(([docId, count]) => (count > 1 ? docId : [])),
    stale,
    misassigned,
    doublePaid: double.reduce((sum, { beyond }) => sum + beyond, 0),
    doublePayments: double.map(({ beyond, textHash }) => `${textHash}: ${beyond}`),
    strangePayments: payments.filter(({ textHash }) => !expected.isKnown(textHash)).length,
    deadLetters: deadLetters.size,
    deadWithoutReason: [...deadLetters].flatMap(([docId, reason]) =>
      expected.poisoned.has(docId) ? [] : `${docId}: ${reason}`
    ),
    aliveWithPoison: poisoned.filter(({ docId }) => !deadLetters.has(docId)).map(({ docId }) => docId),
    bill,
    undeliveredLines: struck.reduce((sum, fault) => sum + fault.struck, 0)
  }
}

/** Documents that should have an object and have none; nothing is asked of the provider. */
export async function lostDocuments(
  expected: Expectation,
  { collection, weaviateUrl }: Pick<AuditedWorld, 'collection' | 'weaviateUrl'>,
  signal: AbortSignal
): Promise<readonly string[]> {
  const lost = new Set(liveOf(expected).map(({ docId }) => docId))
  for await (const page of dumpWeaviate(weaviateUrl, collection, signal))
    for (const { properties } of page) lost.delete(String(properties['docId']))
  return [...lost]
}

function liveOf({ newest }: Expectation): readonly Produced[] {
  return [...newest.values()].filter(({ deleted, text }) => !deleted && !isPoisoned(text))
}

/** What is poisoned never gets there: the version before it stays. */
function isRight(properties: DumpedObject['properties'], newest: Produced | undefined): boolean {
  if (newest === undefined || newest.deleted) return false
  if (isPoisoned(newest.text)) return !isPoisoned(String(properties['text']))
  const { metadata, text, title } = newest
  return properties['text'] === text && properties['title'] === title && properties['metadata'] === metadata
}

async function misassignedOf(
  page: readonly DumpedObject[],
  { dimensions, model, provider }: AuditedWorld,
  signal: AbortSignal
): Promise<readonly string[]> {
  const input = page.map(({ properties }) => String(properties['text']))
  const reply = await fetch(`${provider.url}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer local' },
    body: JSON.stringify({ model, dimensions, input, encoding_format: 'float' }),
    signal
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`true vectors: ${reply.status} ${text}`)
  const { data }: { readonly data: readonly { readonly embedding: readonly number[] }[] } = JSON.parse(text)
  return page.flatMap(({ properties, vector }, index) =>
    cosine(vector, data[index]?.embedding ?? []) > sameVector ? [] : String(properties['docId'])
  )
}

function cosine(stored: readonly number[], other: readonly number[]): number {
  if (other.length !== stored.length) return Number.NaN
  let [dot, mine, others] = [0, 0, 0]
  for (const [index, value] of stored.entries()) {
    const right = other[index] ?? 0
    dot += value * right
    mine += value * value
    others += right * right
  }
  return dot / Math.sqrt(mine * others)
}
