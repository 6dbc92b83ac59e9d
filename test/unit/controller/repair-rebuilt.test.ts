import { docKey } from '@pointsman/core/runtime/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verify } from '../../../services/controller/src/verify/verify.ts'
import { documentOf } from '../../support/memory-world.ts'
import { RebuildWorld, versionOf } from '../../support/rebuild-world.ts'
import { mend, never, options } from '../../support/repair-world.ts'

test('after a loss and a rebuild nothing is to be repaired: deleted, given up, seen again, changed to and fro', async () => {
  const of = new RebuildWorld()
  const { world } = of
  await world.produce(
    versionOf('plain', 'plain', 1),
    versionOf('deleted', 'gone soon', 1),
    versionOf('seen again', 'same', 1),
    versionOf('to and fro', 'A', 1),
    versionOf('to and fro', 'B', 2)
  )
  await world.drain()
  await world.produce(
    documentOf('deleted', '', { version: 2, deleted: true }),
    versionOf('seen again', 'same', 2),
    versionOf('to and fro', 'A', 3)
  )
  await world.drain()
  await world.produce(versionOf('poison', 'poison', 1))
  world.log.append(0, 'broken', new TextEncoder().encode('{'))
  await world.drain(() => 'dead')
  await of.keeper().step(never)
  await of.commit()

  world.ledgerServer.lose()
  await of.rebuilt()
  const report = await mend(world)
  expect(report).toMatchObject({ consistent: true, quiet: true, repair: null, dead: { count: 2 } })
})

test.each([
  ['once more', 1],
  ['as another version with nothing new', 2]
])(
  'a record that was sent %s and given up once is no loss, though the letter names the first of the two',
  async (_, version) => {
    const of = new RebuildWorld()
    const { world } = of
    const poison = versionOf('poison', 'poison', 1)
    await world.produce(poison)
    await world.drain(() => 'open')
    await world.produce({ ...poison, version })
    await world.drain()
    const { obligations } = await world.ledger.survey()
    const [{ id, owner } = { id: undefined, owner: undefined }] = obligations
    if (id === undefined || owner === undefined) throw new Error('nothing is open')
    const [part] = await world.ledger.parts(id)
    if (part === undefined) throw new Error('nothing is open')
    const { records } = await world.ranges.read(part.partition, [part.offset], never)
    const [{ key, value } = { key: undefined, value: undefined }] = records
    const { offset, partition } = part
    const letter = { partition, offset, key, value, reason: 'poison', attempts: 3, atMs: 1 }
    await world.letters.write([letter], never)
    await world.ledger.settle(id, owner, [{ part, settlement: 'dead' }], 0)
    await of.keeper().step(never)
    await of.commit()

    world.ledgerServer.lose()
    await of.rebuilt()
    const report = await mend(world)
    expect(report).toMatchObject({ consistent: true, repair: null, dead: { count: 1 } })
  }
)

test('a loss in the middle of anything, and a damaged index: rebuild, repair and drain bring it all back', async () => {
  const texts = ['one', 'two', 'three']
  const write = fc.record({ document: fc.nat(3), text: fc.option(fc.nat(2), { nil: undefined, freq: 4 }) })
  const anything = fc.asyncProperty(
    fc.array(write, { maxLength: 8 }),
    fc.array(write, { maxLength: 8 }),
    fc.array(fc.nat(3), { maxLength: 3 }),
    fc.array(fc.nat(3), { maxLength: 3 }),
    async (committed, uncommitted, missing, doubled) => {
      const of = new RebuildWorld()
      const { world } = of
      const newest = new Map<string, string | undefined>()
      let version = 0
      const produce = async (writes: typeof committed): Promise<void> => {
        for (const { document, text } of writes) {
          version += 1
          const deleted = text === undefined
          const written = texts[text ?? 0] ?? ''
          newest.set(`d${document}`, deleted ? undefined : written)
          await world.produce(documentOf(`d${document}`, deleted ? '' : written, { version, deleted }))
        }
        await world.drain()
      }
      await produce(committed)
      await of.keeper().step(never)
      await of.commit()
      await produce(uncommitted)

      for (const document of missing) {
        const heads = await world.store.heads([`d${document}`], never)
        await world.store.remove(
          heads.map(({ id }) => id),
          never
        )
      }
      world.ledgerServer.lose()
      await of.rebuilt()
      for (const document of doubled) {
        const [latest] = await world.ledger.latest([docKey(`d${document}`)])
        if (latest === undefined || latest.generation < 2) continue
        await world.store.write([world.objectOf(versionOf(`d${document}`, 'stray', 1))], never)
      }
      await world.drain()
      await mend(world)
      await world.drain()
      await mend(world)

      expect(await verify(world, options, never)).toMatchObject({ consistent: true, quiet: true })
      const standing = [...world.store.objects.values()]
        .map(({ properties }) => `${properties.docId}: ${properties.text}`)
        .toSorted()
      const wanted = [...newest].flatMap(([docId, text]) => (text === undefined ? [] : [`${docId}: ${text}`]))
      expect(standing).toEqual(wanted.toSorted())
    }
  )
  await fc.assert(anything, { numRuns: 50 })
})
