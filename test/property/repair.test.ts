import type { Document } from '@pointsman/core/domain/document'
import type { ObjectId } from '@pointsman/core/domain/identity'
import { docKey, objectId, paymentKey } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verify } from '../../services/controller/src/verify/verify.ts'
import { documentOf, type MemoryWorld } from '../support/memory-world.ts'
import { mend, never, options, stateOf, worldWith } from '../support/repair-world.ts'

const documents = 5
const texts = ['one', 'two', 'three']

/** Versions of a document, the newest last; undefined deletes it. */
type History = readonly (number | undefined)[]

type Damage =
  | { readonly kind: 'object gone' | 'forgotten' | 'dead' | 'expected'; readonly document: number }
  | { readonly kind: 'older object' | 'strange id'; readonly document: number; readonly text: number }
  | { readonly kind: 'older version'; readonly document: number }
  | { readonly kind: 'key forgotten'; readonly text: number }
  | { readonly kind: 'stranger'; readonly text: number }

const aDocument = fc.nat(documents - 1)
const aText = fc.nat(texts.length - 1)
const history: fc.Arbitrary<History> = fc.array(fc.option(aText, { nil: undefined, freq: 5 }), {
  minLength: 1,
  maxLength: 4
})
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('object gone', 'forgotten', 'dead', 'expected', 'older version'),
    document: aDocument
  }),
  fc.record({ kind: fc.constantFrom('older object', 'strange id'), document: aDocument, text: aText }),
  fc.record({ kind: fc.constantFrom('key forgotten', 'stranger'), text: aText })
)

function nameOf(index: number): string {
  return `doc-${index}`
}

function versionOf(index: number, version: number, text: number | undefined): Document {
  const deleted = text === undefined
  return documentOf(nameOf(index), deleted ? '' : (texts[text] ?? ''), { version, deleted })
}

function keyOf(world: MemoryWorld, document: Document) {
  return paymentKey(world.spec, document.textHash)
}

async function inflict(world: MemoryWorld, harm: Damage): Promise<void> {
  const { latest, processed } = stateOf(world)
  if (harm.kind === 'key forgotten') {
    processed.delete(keyOf(world, documentOf('any', texts[harm.text] ?? '')))
    return
  }
  if (harm.kind === 'stranger') {
    await world.store.write([world.objectOf(documentOf('stranger', texts[harm.text] ?? ''))], never)
    return
  }
  const docId = nameOf(harm.document)
  const known = latest.get(docKey(docId))
  const ids = [...world.store.objects.values()].filter(({ properties }) => properties.docId === docId)
  switch (harm.kind) {
    case 'object gone':
      return await world.store.remove(
        ids.map(({ id }) => id),
        never
      )
    case 'forgotten':
      // What is there of an unknown document could have any generation: that is the rebuild's to find out.
      if (ids.length === 0) latest.delete(docKey(docId))
      return
    case 'dead':
    case 'expected':
      if (known?.content !== undefined) latest.set(docKey(docId), { ...known, status: harm.kind })
      return
    case 'older version':
      if (known !== undefined && known.version > 1) {
        latest.set(docKey(docId), { ...known, version: known.version - 1 })
      }
      return
    case 'older object':
      if (known !== undefined && known.generation > 1) {
        const old = world.objectOf(documentOf(docId, texts[harm.text] ?? ''), known.generation - 1)
        await world.store.write([old], never)
      }
      return
    case 'strange id': {
      const object = world.objectOf(documentOf(docId, texts[harm.text] ?? ''), 1)
      const id: ObjectId = objectId(`${docId}-strange`, object.properties.paymentKey, 1)
      await world.store.write([{ ...object, id }], never)
    }
  }
}

/** Texts that have to be admitted again, and whose vector is not where a copy would look for it. */
async function reallyMissing(world: MemoryWorld, newest: readonly Document[]): Promise<Set<string>> {
  const latest = await world.ledger.latest(newest.map(({ docId }) => docKey(docId)))
  const stored = [...world.store.objects.values()]
  const missing = new Set<string>()
  for (const [index, document] of newest.entries()) {
    const known = latest[index]
    const key = keyOf(world, document)
    const isThere = known?.status === 'indexed' && known.content === key.slice(-16)
    const isComing = known === undefined || known.status === 'expected' || known.version < document.version
    if (document.deleted || isThere || !isComing) continue
    const [isProcessed] = await world.ledger.processed([key])
    if (isProcessed !== true || !stored.some(({ properties }) => properties.paymentKey === key))
      missing.add(key)
  }
  return missing
}

test('whatever is damaged in index and ledger: after a repair and a drain all is well, and what was missing is paid for once', async () => {
  const anything = fc.asyncProperty(
    fc.array(history, { minLength: documents, maxLength: documents }),
    fc.array(damage, { minLength: 1, maxLength: 12 }),
    async (histories, damages) => {
      const versions = histories.flatMap((texts, index) =>
        texts.map((text, at) => versionOf(index, at + 1, text))
      )
      const world = await worldWith(...versions)
      for (const harm of damages) await inflict(world, harm)
      world.paid.length = 0

      await mend(world)
      const newest = histories.map((texts, index) => versionOf(index, texts.length, texts.at(-1)))
      const missing = await reallyMissing(world, newest)
      await world.drain()
      // What was deferred until the object was there is mended now.
      const last = await mend(world)
      await world.drain()

      expect(last.repair?.requeued ?? 0).toBe(0)
      const report = await verify(world, options, never)
      expect(report).toMatchObject({ consistent: true, quiet: true })
      const standing = [...world.store.objects.values()].map(
        ({ properties }) => `${properties.docId}: ${properties.text}`
      )
      const wanted = newest.filter(({ deleted }) => !deleted).map(({ docId, text }) => `${docId}: ${text}`)
      expect(standing.toSorted()).toEqual(wanted.toSorted())
      expect(world.paid).toHaveLength(missing.size)
    }
  )
  await fc.assert(anything, { numRuns: 60 })
})
