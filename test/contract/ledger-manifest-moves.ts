import type { ManifestState, Part } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'

const failed = { reason: 'failed', delayMs: 0, attempts: 9, failures: 1 }

export function manifestMoveContract(open: () => Promise<LedgerScene>): void {
  const offsets = (parts: readonly Part[]): bigint[] => parts.map(({ offset }) => offset)
  const twoTexts = [
    { doc: 'a', text: 'same' },
    { doc: 'b', text: 'other' },
    { doc: 'c', text: 'same' }
  ]

  test.for(['open', 'sealed', 'uploaded', 'terminal'] satisfies ManifestState[])(
    'I9 a manifest that is %s gives parts away, and stays when it has none left',
    async state => {
      const scene = await open()
      const { ledger, owner } = scene
      const manifest = scene.newId()
      await scene.admit(twoTexts, { manifest })
      await scene.bringTo(manifest, state)
      const [a, b] = await ledger.parts(manifest)
      const to = { id: scene.newId(), kind: 'orphan' as const }

      const moved = await ledger.move(manifest, owner, [a!], to, failed)
      expect(moved.kind === 'moved' && moved.parts.map(({ offset, failures }) => [offset, failures])).toEqual(
        [
          [0n, 1],
          [2n, 1]
        ]
      )
      expect(await scene.obligation(to.id)).toMatchObject({ kind: 'orphan', owner: undefined, attempts: 0 })
      expect(await ledger.move(manifest, owner, [a!], to, failed)).toEqual(moved)

      await ledger.move(manifest, owner, [b!], { id: scene.newId(), kind: 'request' }, failed)
      expect(await scene.obligation(manifest)).toMatchObject({ kind: 'manifest', state, parts: new Map() })
    }
  )

  test.for(['submitting', 'submitted'] satisfies ManifestState[])(
    'I9 a manifest that is %s holds its parts, but lets them be settled',
    async state => {
      const scene = await open()
      const { ledger, owner } = scene
      const [manifest, next] = [scene.newId(), scene.newId()]
      await scene.admit(twoTexts, { manifest })
      await scene.bringTo(manifest, state)
      const parts = await ledger.parts(manifest)
      const before = await dumpLedger(ledger)
      for (const to of [
        { id: scene.newId(), kind: 'orphan' as const },
        { id: scene.newId(), kind: 'request' as const },
        { id: next, kind: 'manifest' as const }
      ]) {
        expect(await ledger.move(manifest, owner, parts, to, failed)).toEqual({ kind: 'held' })
      }
      expect(await dumpLedger(ledger)).toEqual(before)
      expect((await scene.settle(manifest, parts.slice(1, 2))).answers).toEqual([{ kind: 'settled' }])
    }
  )

  test('parts move into a manifest that the first of them makes, and `paying` with them', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    await ledger.attempt(obligation, owner, 1, 3)
    const { sinceMs } = (await scene.obligation(obligation))!
    const [a, b] = await ledger.parts(obligation)
    const to = { id: scene.newId(), kind: 'manifest' as const }

    const first = await ledger.move(obligation, owner, [a!], to, { ...failed, failures: 9 })
    expect(first.kind === 'moved' && offsets(first.parts)).toEqual([0n, 2n])
    expect(await scene.obligation(to.id)).toMatchObject({
      kind: 'manifest',
      state: 'open',
      owner,
      attempts: 0,
      sinceMs,
      reason: 'failed',
      job: { creates: 0 }
    })
    const second = await ledger.move(obligation, owner, [b!], to, failed)
    expect(second.kind === 'moved' && offsets(second.parts)).toEqual([1n])
    expect(await scene.obligation(obligation)).toBeUndefined()
    expect((await scene.admit([{ doc: 'd', text: 'same' }])).verdicts).toEqual([{ kind: 'elsewhere' }])
    expect(offsets(await ledger.parts(to.id))).toEqual([0n, 1n, 2n, 3n])
  })

  test('I5 parts that share a text share it also in the manifest that they moved into', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'm', text: 'M' }], { manifest })
    const { obligation } = await scene.admit(twoTexts)
    const [a, , c] = await ledger.parts(obligation)
    await ledger.move(obligation, owner, [a!, c!], { id: manifest, kind: 'manifest' }, failed)
    expect((await scene.settle(manifest, [a!])).answers).toEqual([{ kind: 'settled' }])
    expect((await scene.admit([{ doc: 'd', text: 'same' }])).verdicts).toEqual([{ kind: 'elsewhere' }])
    await scene.finish(manifest)
    expect((await scene.admit([{ doc: 'e', text: 'same' }])).verdicts).toMatchObject([{ action: 'copy' }])
  })

  test('failures add up to fifteen', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'a longer text' }], { manifest })
    let from = manifest
    for (const expected of [9, 15, 15]) {
      const id = scene.newId()
      const parts = await ledger.parts(from)
      await ledger.move(from, owner, parts, { id, kind: 'manifest' }, { ...failed, failures: 9 })
      const [part] = await ledger.parts(id)
      expect(part).toEqual({ ...parts[0]!, failures: expected })
      from = id
    }
    const fewer = ledger.move(
      from,
      owner,
      [],
      { id: scene.newId(), kind: 'orphan' },
      { ...failed, failures: -1 }
    )
    await expect(fewer).rejects.toBeInstanceOf(RangeError)
  })

  test('a move into a manifest, repeated, answers what it named and moves nothing more', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    const manifest = scene.newId()
    await scene.admit([{ doc: 'm', text: 'M' }], { manifest })
    const [a, b, c] = await ledger.parts(obligation)
    const to = { id: manifest, kind: 'manifest' as const }
    const moved = await ledger.move(obligation, owner, [a!, c!], to, failed)
    expect(moved.kind === 'moved' && offsets(moved.parts)).toEqual([0n, 2n])
    const before = await dumpLedger(ledger)
    expect(await ledger.move(obligation, owner, [a!, c!], to, failed)).toEqual(moved)
    expect(await dumpLedger(ledger)).toEqual(before)

    const rest = await ledger.move(obligation, owner, [b!], to, failed)
    await scene.bringTo(manifest, 'sealed')
    expect(await ledger.move(obligation, owner, [b!], to, failed)).toEqual(rest)
    await scene.finish(manifest)
    expect(await ledger.move(obligation, owner, [b!], to, failed)).toEqual({ kind: 'gone' })
  })

  test('what moves into a manifest unnamed is told of once more when something is settled', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    const [a, , c] = await ledger.parts(obligation)
    const to = { id: scene.newId(), kind: 'manifest' as const }
    await ledger.move(obligation, owner, [c!], to, failed)
    expect(await ledger.move(obligation, owner, [c!], to, failed)).toMatchObject({ parts: [{ offset: 2n }] })
    const { more } = await scene.settle(to.id, [c!])
    expect(more).toEqual([{ ...a!, failures: 1 }])
  })

  test("nothing moves into a manifest that is not open, or another's, or itself", async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'm', text: 'M' }], { manifest })
    const { obligation } = await scene.admit(twoTexts)
    const foreign = await scene.admit([{ doc: 'f', text: 'F' }], { owner: other })
    const parts = await ledger.parts(obligation)
    const held = { kind: 'held' }
    const before = await dumpLedger(ledger)
    const into = (id = manifest) => ({ id, kind: 'manifest' as const })
    expect(
      await ledger.move(foreign.obligation, other, await ledger.parts(foreign.obligation), into(), failed)
    ).toEqual(held)
    expect(await ledger.move(manifest, owner, await ledger.parts(manifest), into(), failed)).toEqual(held)
    expect(await ledger.move(obligation, owner, parts, into(foreign.obligation), failed)).toEqual(held)
    const asOrphan = { id: manifest, kind: 'orphan' as const }
    expect(await ledger.move(obligation, owner, parts, asOrphan, failed)).toEqual({ kind: 'gone' })
    expect(await dumpLedger(ledger)).toEqual(before)

    await scene.bringTo(manifest, 'sealed')
    expect(await ledger.move(obligation, owner, parts, into(), failed)).toEqual(held)
    expect(await ledger.move(obligation, owner, [], into(), failed)).toEqual({ kind: 'moved', parts: [] })
  })

  test('a manifest that a switch has released takes nothing, whoever adopts it: its former owner keeps what it holds', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'm', text: 'M' }], { manifest })
    const { obligation } = await scene.admit(twoTexts)
    const parts = await ledger.parts(obligation)
    const { defaultLane, epoch } = await ledger.state()
    const epochs = { expectedEpoch: epoch, epoch: epoch + 1 }
    await ledger.switchLanes({ ...epochs, lanes: new Map(), defaultLane, release: 'open' })
    const into = { id: manifest, kind: 'manifest' as const }
    expect(await ledger.move(obligation, owner, parts, into, failed)).toEqual({ kind: 'held' })
    const claim = { epoch: epoch + 1, lane: defaultLane }
    expect(await ledger.takeover(manifest, { ...claim, owner: other })).toMatchObject({ kind: 'taken' })
    expect(await ledger.move(obligation, owner, parts, into, failed)).toEqual({ kind: 'held' })
    expect(await ledger.move(manifest, other, await ledger.parts(manifest), into, failed)).toEqual({
      kind: 'held'
    })
    expect((await scene.obligation(obligation))?.owner).toBe(owner)
    const next = { id: scene.newId(), kind: 'manifest' as const }
    expect(await ledger.move(obligation, owner, parts, next, failed)).toMatchObject({ kind: 'moved' })
  })
}
