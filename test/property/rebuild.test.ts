// What a rebuild makes of whatever the index, the provider and the control log hold when a ledger is lost.
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { Document } from '@pointsman/core/domain/document'
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import { paymentKey, textHash } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SwitchRefused } from '../../services/controller/src/switching/switch-refused.ts'
import { Switcher } from '../../services/controller/src/switching/switcher.ts'
import { digestOf } from '../support/ledger-scene.ts'
import { documentOf } from '../support/memory-world.ts'
import { RebuildWorld } from '../support/rebuild-world.ts'
import { wishFor } from '../support/switching.ts'

const never = new AbortController().signal
const documents = Array.from({ length: 5 }, (_, index) => documentOf(`d${index}`, `text ${index}`))
const someDocuments = fc.subarray(documents, { minLength: 1 })

/** A ledger that has worked, and is not alone in knowing that it did. */
async function worked(): Promise<RebuildWorld> {
  const of = new RebuildWorld()
  await of.world.produce(documentOf('a', 'text a'), documentOf('b', 'text b'))
  await of.world.drain()
  await of.keeper().step(never)
  await of.commit()
  return of
}

test('of all objects of a document, in any order, the one of the highest generation is known', async () => {
  const object = fc.record({ doc: fc.nat(2), generation: fc.nat(9) })
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 12 }), async objects => {
      const ledger = new MemoryLedger(new MemoryLedgerServer(() => 0))
      await ledger.open('realtime', 'lost')
      for (const { doc, generation } of objects) {
        const content = digestOf(`text ${generation}`)
        await ledger.restore([{ docKey: digestOf(`d${doc}`), content, version: generation, generation }])
      }
      for (const [doc, some] of Map.groupBy(objects, one => one.doc)) {
        const [latest] = await ledger.latest([digestOf(`d${doc}`)])
        const highest = Math.max(...some.map(({ generation }) => generation))
        const content = digestOf(`text ${highest}`).slice(8)
        expect(latest).toMatchObject({ generation: highest, content, status: 'indexed' })
      }
    })
  )
})

test('every text that some job has or may bring waits for a job, and for one that has it if there is one', async () => {
  const ended = fc.record({ lines: someDocuments, share: fc.double({ min: 0, max: 1, noNaN: true }) })
  const plan = fc.record({ ended: fc.array(ended, { maxLength: 2 }), live: someDocuments })
  await fc.assert(
    fc.asyncProperty(plan, async given => {
      const of = await worked()
      await of.world.produce(...documents)
      const { server } = of.world.provider
      server.plan(...given.ended.map(({ share }) => ({ ending: 'expired' as const, share })))
      for (const [index, { lines }] of given.ended.entries()) await of.job(`1.1.${index}`, lines)
      server.finishAll()
      server.advance(await of.job('1.1.9', given.live), 'in_progress')
      const has = new Map<Digest, string[]>()
      const may = new Map<Digest, string[]>()
      for (const { hasEnded, key, lines, output } of server.jobs) {
        for (const { content } of hasEnded ? output.map(({ line }) => line) : lines) {
          const names = hasEnded ? has : may
          names.set(content, [...(names.get(content) ?? []), key.manifest])
        }
      }
      of.world.ledgerServer.lose()
      await of.rebuilt()

      const waiting = await partsByContent(of)
      for (const document of documents) {
        const content = contentOf(of, document)
        const wanted = has.get(content) ?? may.get(content)
        if (wanted === undefined) expect(waiting.has(content)).toBe(false)
        else expect(wanted).toContain(waiting.get(content))
      }
    }),
    { numRuns: 60 }
  )
})

test('after a rebuild no call of a creator that was lost makes a job that pays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someDocuments, { minLength: 1, maxLength: 4 }), async files => {
      const of = await worked()
      const { names, world } = of
      const { ledgerId } = await world.ledger.state()
      const uploaded: { readonly fileId: string; readonly manifest: ObligationId }[] = []
      for (const [index, lines] of files.entries()) {
        const manifest = `1.1.${index}` as ObligationId
        uploaded.push({ manifest, fileId: await of.upload(manifest, lines) })
      }
      world.ledgerServer.lose()
      await of.rebuilt()

      for (const { fileId, manifest } of uploaded) {
        const key = { namespace: names.namespace, ledger: ledgerId, manifest, create: 1 }
        await world.provider.create(key, fileId, never)
      }
      world.provider.server.finishAll()
      expect(world.provider.server.paidTokens).toBe(0)
    }),
    { numRuns: 30 }
  )
})

test('lanes survive a loss after any switches', async () => {
  const wish = fc.record({
    target: fc.constantFrom('realtime' as const, 'batch' as const),
    share: fc.constantFrom(0.5, 1)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { maxLength: 4 }), async wishes => {
      const of = await worked()
      const switcher = new Switcher({
        parts: of.parts(),
        hit: () => undefined,
        self: 'test',
        warn: () => undefined,
        onEnd: () => undefined
      })
      for (const { share, target } of wishes) {
        await switcher.request(wishFor(target, { share, evenIfUnready: true }), never).catch(refused => {
          // A share that falls is none: nothing has changed.
          expect(refused).toBeInstanceOf(SwitchRefused)
        })
      }
      const before = await of.world.ledger.state()
      of.world.ledgerServer.lose()
      const after = await of.rebuilt()
      expect(after.defaultLane).toBe(before.defaultLane)
      for (const [partition, { lane }] of before.partitions) {
        expect(after.partitions.get(partition)?.lane).toBe(lane)
      }
      expect(after.epoch).toBeGreaterThan(before.epoch)
    }),
    { numRuns: 60 }
  )
})

function contentOf({ world }: RebuildWorld, { text }: Document): Digest {
  return paymentKey(world.spec, textHash(text))
}

/** The obligation that each text waits in. */
async function partsByContent({ world }: RebuildWorld): Promise<ReadonlyMap<Digest, string>> {
  const { obligations } = await world.ledger.survey()
  const found = new Map<Digest, string>()
  for (const { id } of obligations) {
    for (const { content } of await world.ledger.parts(id)) {
      if (content !== undefined) found.set(content, id)
    }
  }
  return found
}
