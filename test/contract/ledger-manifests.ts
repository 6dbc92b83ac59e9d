import type { Part } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { manifestStates } from '../support/ledger-scene.ts'

export function manifestContract(open: () => Promise<LedgerScene>): void {
  const offsets = (parts: readonly Part[]): bigint[] => parts.map(({ offset }) => offset)
  const sameTexts = [
    { doc: 'a', text: 'same' },
    { doc: 'b', text: 'other' },
    { doc: 'c', text: 'same' }
  ]

  test('what has to be paid for goes into the manifest, everything else into the request', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    await scene.index([{ doc: 'x', text: 'X' }])
    const manifest = scene.newId()
    const { obligation, verdicts } = await scene.admit(
      [
        { doc: 'y', text: 'X' },
        { doc: 'x', text: 'X', metadataHash: 2 },
        { doc: 'z' },
        { doc: 'w', text: 'new' },
        { doc: 'v', text: 'new' },
        { doc: 'u', text: 'X' }
      ],
      { manifest }
    )
    expect(verdicts.map(verdict => (verdict.kind === 'part' ? verdict.action : verdict.kind))).toEqual([
      'copy',
      'share',
      'delete',
      'embed',
      'elsewhere',
      'share'
    ])
    expect(offsets(await ledger.parts(obligation))).toEqual([1n, 2n, 3n, 6n])
    expect(offsets(await ledger.parts(manifest))).toEqual([4n, 5n])
    expect(await scene.obligation(manifest)).toMatchObject({
      kind: 'manifest',
      state: 'open',
      owner,
      job: { creates: 0, batchId: '', order: '' },
      parts: new Map([[0, 2]])
    })
    expect((await scene.obligation(obligation))?.job).toBeUndefined()
  })

  test('a manifest is made by its first part, and a request by its own', async () => {
    const scene = await open()
    await scene.index([{ doc: 'x', text: 'X' }])
    const manifest = scene.newId()
    await scene.admit([{ doc: 'y', text: 'X' }], { manifest })
    expect(await scene.obligation(manifest)).toBeUndefined()

    const { obligation } = await scene.admit([{ doc: 'z', text: 'Z' }], { manifest })
    expect(await scene.obligation(obligation)).toBeUndefined()
    expect(await scene.obligation(manifest)).toBeDefined()
  })

  test('later admissions fill the same manifest, in order of partition and offset', async () => {
    const scene = await open()
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest, partition: 1 })
    await scene.admit([{ doc: 'b', text: 'B' }], { manifest })
    await scene.admit([{ doc: 'c', text: 'A' }], { manifest })
    const places = (await scene.ledger.parts(manifest)).map(({ partition, offset }) => [partition, offset])
    expect(places).toEqual([
      [0, 0n],
      [0, 1n],
      [1, 0n]
    ])
    expect((await scene.obligation(manifest))?.parts).toEqual(
      new Map([
        [0, 2],
        [1, 1]
      ])
    )
  })

  test('a part knows whether its document was admitted before', async () => {
    const scene = await open()
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.admit([{ doc: 'a', text: 'B', version: 2 }, { doc: 'b' }], { manifest })
    const parts = await scene.ledger.parts(manifest)
    expect(parts.map(({ replaces, failures }) => [replaces, failures])).toEqual([
      [false, 0],
      [true, 0]
    ])
  })

  test("I8 a manifest that is not open, or another's, refuses and changes nothing", async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const manifest = scene.newId()
    await scene.admit(sameTexts, { manifest })
    const request = await scene.admit([{ doc: 'r', text: 'R' }])

    const before = await dumpLedger(ledger)
    const closed = { kind: 'closed' }
    expect((await scene.admit([{ doc: 'd', text: 'D' }], { manifest, owner: other })).reply).toEqual(closed)
    const asManifest = { manifest: request.obligation }
    expect((await scene.admit([{ doc: 'd', text: 'D' }], asManifest)).reply).toEqual(closed)
    expect(await dumpLedger(ledger)).toEqual(before)

    await ledger.advance(manifest, owner, 'open', 'sealed', {})
    expect((await scene.admit([{ doc: 'd', text: 'D' }], { manifest })).reply).toEqual(closed)
    const late = await scene.admit([{ doc: 'd', text: 'D' }], { manifest, from: 0n })
    expect(late.reply).toEqual({ kind: 'behind', frontiers: new Map([[0, 4n]]) })
  })

  test('an admission of which nothing is left to its request is not repeated', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifest = scene.newId()
    const { admission } = await scene.admit(sameTexts, { manifest })
    const before = await dumpLedger(ledger)
    expect(await ledger.admit(admission)).toEqual({ kind: 'behind', frontiers: new Map([[0, 3n]]) })
    expect(await dumpLedger(ledger)).toEqual(before)

    const mixed = await scene.admit([{ doc: 'd' }, { doc: 'e', text: 'E' }], { manifest })
    await ledger.advance(manifest, scene.owner, 'open', 'sealed', {})
    expect(await ledger.admit(mixed.admission)).toEqual(mixed.reply)
  })

  test('one id for request and manifest is a mistake', async () => {
    const scene = await open()
    const obligation = scene.newId()
    const both = scene.admit([{ doc: 'a', text: 'A' }], { obligation, manifest: obligation })
    await expect(both).rejects.toBeInstanceOf(RangeError)
  })

  test.for(manifestStates)(
    'I5 what shares the text of a manifest that is %s joins it, from any lane',
    async state => {
      const scene = await open()
      const { ledger, owner, other } = scene
      const manifest = scene.newId()
      await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
      await scene.bringTo(manifest, state)
      await ledger.switchLanes({
        expectedEpoch: 1,
        epoch: 2,
        lanes: new Map(),
        defaultLane: 'realtime',
        release: 'open'
      })
      const { verdicts } = await scene.admit([{ doc: 'b', text: 'A' }], { owner: other, epoch: 2 })
      expect(verdicts).toEqual([{ kind: 'elsewhere' }])
      const parts = await ledger.parts(manifest)
      expect(offsets(parts)).toEqual([0n, 1n])
      if (state === 'open') return

      const { answers, more } = await ledger.settle(
        manifest,
        owner,
        [{ part: parts[0]!, settlement: 'indexed' }],
        5
      )
      expect(answers).toEqual([{ kind: 'settled' }])
      expect(offsets(more)).toEqual([1n])
      expect((await scene.settle(manifest, more)).more).toEqual([])
      expect(await scene.obligation(manifest)).toMatchObject({ kind: 'manifest', state, parts: new Map() })
    }
  )

  test('I5 a vector that its manifest has obtained is copied by whoever needs it next', async () => {
    const scene = await open()
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.finish(manifest)
    const { obligation, verdicts } = await scene.admit([{ doc: 'b', text: 'A' }], { manifest })
    expect(verdicts).toMatchObject([{ kind: 'part', action: 'copy' }])
    expect(offsets(await scene.ledger.parts(obligation))).toEqual([1n])
  })

  test('parts are read in pages that begin after a place', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifest = scene.newId()
    const given = Array.from({ length: 300 }, (_, index) => ({ doc: `d${index}`, text: `t${index}` }))
    await scene.admit(given, { manifest, partition: 1 })
    await scene.admit([{ doc: 'x', text: 'x' }], { manifest })
    const all = await ledger.parts(manifest)
    expect(all).toHaveLength(301)

    const seen: Part[] = []
    for (;;) {
      const page = await ledger.parts(manifest, { after: seen.at(-1), limit: 70 })
      expect(page.length).toBeLessThanOrEqual(70)
      if (page.length === 0) break
      seen.push(...page)
    }
    expect(seen).toEqual(all)
    expect(await ledger.parts(manifest, { after: { partition: 1, offset: 299n }, limit: 5 })).toEqual([])
    expect(offsets(await ledger.parts(manifest, { after: { partition: 0, offset: 9n }, limit: 1 }))).toEqual([
      0n
    ])
    expect(await ledger.parts(scene.newId(), { after: undefined, limit: 5 })).toEqual([])
    await expect(ledger.parts(manifest, { after: undefined, limit: 0 })).rejects.toBeInstanceOf(RangeError)
  })
}
