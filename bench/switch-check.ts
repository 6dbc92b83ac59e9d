// Checks what came of a series from three things alone: the list of what was produced, the provider's bill, and a raw dump
// of Weaviate. Only when the bill has been read is the provider asked what the vectors should have been.
import { createHash } from 'node:crypto'
import type { Document } from '@pointsman/core/domain/document'
import { type DumpedObject, dumpWeaviate } from './support/weaviate-dump.ts'

export interface CheckedWorld {
  readonly weaviateUrl: string
  readonly collection: string
  /** Of the provider: its API, and what it has beside it. */
  readonly provider: { readonly url: string; readonly adminUrl: string }
  readonly model: string
  readonly dimensions: number
}

export interface SwitchCheck {
  /** Records that were produced, and documents that should stand in the index. */
  readonly produced: number
  readonly documents: number
  /** Documents that should have an object and have none. */
  readonly lost: number
  /** Documents that have more than one object. */
  readonly duplicates: number
  /** Objects with another text than the newest of their document, or of one that is deleted or was never produced. */
  readonly stale: number
  /** Objects under a vector that is not that of their text. */
  readonly misassigned: number
  /** Tokens that were charged, and those of every text that was charged, counted once. */
  readonly paidTokens: number
  readonly necessaryTokens: number
  /** Payments beyond the first of each text: by the producer's rules none of them was necessary. */
  readonly doublePayments: number
  /** Texts that were paid for and never produced. */
  readonly strangePayments: number
}

interface Bill {
  readonly realtime: { readonly tokens: number }
  readonly batch: { readonly tokens: number }
}

interface Payment {
  readonly textHash: string
  readonly count: number
  readonly tokens: number
}

const hashDigits = 32
/** Cosine: vectors are stored as 32-bit floats. */
const sameVector = 0.9999

export async function checkSwitches(
  produced: readonly Document[],
  world: CheckedWorld,
  signal: AbortSignal
): Promise<SwitchCheck> {
  const bill = await read<Bill>(`${world.provider.adminUrl}/bill`, signal)
  const { payments } = await read<{ readonly payments: readonly Payment[] }>(
    `${world.provider.adminUrl}/payments?minCount=1&limit=10000000`,
    signal
  )
  const known = new Set(produced.map(({ text }) => hashOf(text)))
  const newest = newestOf(produced)
  const dump = await readDump(newest, world, signal)
  const live = [...newest.values()].filter(({ deleted }) => !deleted)
  return {
    produced: produced.length,
    documents: live.length,
    lost: live.filter(({ docId }) => !dump.objects.has(docId)).length,
    duplicates: [...dump.objects.values()].filter(count => count > 1).length,
    stale: dump.stale,
    misassigned: dump.misassigned,
    paidTokens: bill.realtime.tokens + bill.batch.tokens,
    necessaryTokens: payments.reduce((sum, { tokens }) => sum + tokens, 0),
    doublePayments: payments.reduce((sum, { count }) => sum + count - 1, 0),
    strangePayments: payments.filter(({ textHash }) => !known.has(textHash)).length
  }
}

/** Equal versions of a document are the same record, produced again. */
function newestOf(produced: readonly Document[]): ReadonlyMap<string, Document> {
  const newest = new Map<string, Document>()
  for (const document of produced) {
    const known = newest.get(document.docId)
    if (known === undefined || known.version < document.version) newest.set(document.docId, document)
  }
  return newest
}

interface Dump {
  /** How many objects, by document. */
  readonly objects: ReadonlyMap<string, number>
  readonly stale: number
  readonly misassigned: number
}

async function readDump(
  newest: ReadonlyMap<string, Document>,
  world: CheckedWorld,
  signal: AbortSignal
): Promise<Dump> {
  const { adminUrl } = world.provider
  const body = JSON.stringify({ kind: 'fixed', ms: 0 })
  await fetch(`${adminUrl}/latency`, { method: 'PUT', headers: json, body, signal })
  const objects = new Map<string, number>()
  let [stale, misassigned] = [0, 0]
  for await (const page of dumpWeaviate(world.weaviateUrl, world.collection, signal)) {
    for (const { properties } of page) {
      const docId = String(properties['docId'])
      objects.set(docId, (objects.get(docId) ?? 0) + 1)
      const document = newest.get(docId)
      if (document === undefined || document.deleted || document.text !== properties['text']) stale += 1
    }
    misassigned += await countMisassigned(page, world, signal)
  }
  return { objects, stale, misassigned }
}

async function countMisassigned(
  page: readonly DumpedObject[],
  { dimensions, model, provider }: CheckedWorld,
  signal: AbortSignal
): Promise<number> {
  const input = page.map(({ properties }) => String(properties['text']))
  const body = JSON.stringify({ model, dimensions, input, encoding_format: 'base64' })
  const reply = await fetch(`${provider.url}/embeddings`, {
    method: 'POST',
    headers: { ...json, authorization: 'Bearer local' },
    body,
    signal
  })
  if (!reply.ok) throw new Error(`true vectors: ${reply.status} ${await reply.text()}`)
  const { data }: { readonly data: readonly { readonly embedding: string }[] } = JSON.parse(
    await reply.text()
  )
  return page.filter(({ vector }, index) => {
    const bytes = Buffer.from(data[index]?.embedding ?? '', 'base64')
    return !(cosine(vector, bytes) > sameVector)
  }).length
}

/** @param other - float32, little-endian. */
function cosine(stored: readonly number[], other: Buffer): number {
  if (other.length !== stored.length * 4) return Number.NaN
  let [dot, mine, others] = [0, 0, 0]
  for (const [index, value] of stored.entries()) {
    const right = other.readFloatLE(index * 4)
    dot += value * right
    mine += value * value
    others += right * right
  }
  return dot / Math.sqrt(mine * others)
}

const json = { 'content-type': 'application/json' }

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashDigits)
}

async function read<Answer>(url: string, signal: AbortSignal): Promise<Answer> {
  const reply = await fetch(url, { signal })
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`)
  return JSON.parse(await reply.text())
}
