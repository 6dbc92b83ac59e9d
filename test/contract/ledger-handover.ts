import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Part } from '@pointsman/core/ports/ledger'
import { expect, test, vi } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { hourMs, moveToOrphan } from '../support/ledger-scene.ts'

const atOnce = { reason: 'failed', delayMs: 0, attempts: 9, failures: 0 }

export function handoverContract(open: () => Promise<LedgerScene>): void {
  const oneText = [{ doc: 'a', text: 'A' }]
  const twoTexts = [
    { doc: 'a', text: 'same' },
    { doc: 'b', text: 'other' },
    { doc: 'c', text: 'same' }
  ]
  const offsets = (parts: readonly Part[]): bigint[] => parts.map(({ offset }) => offset)

  test('parts that wait for one vector move together, and newcomers join them there', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    await ledger.attempt(obligation, owner, 1, 3)
    const [, , c] = await ledger.parts(obligation)
    const id = scene.newId()

    const moved = await ledger.move(obligation, owner, [c!], { id, kind: 'orphan' }, atOnce)
    expect(moved.kind === 'moved' && offsets(moved.parts)).toEqual([0n, 2n])
    expect(offsets(await ledger.parts(obligation))).toEqual([1n])
    expect(offsets(await ledger.parts(id))).toEqual([0n, 2n])
    expect(await scene.obligation(id)).toMatchObject({
      kind: 'orphan',
      owner: undefined,
      state: 'admitted',
      attempts: 1,
      inputsAtRisk: 0,
      reason: 'failed',
      notBeforeMs: 0
    })
    expect((await scene.admit([{ doc: 'd', text: 'same' }])).verdicts).toEqual([{ kind: 'elsewhere' }])
    expect(offsets(await ledger.parts(id))).toEqual([0n, 2n, 3n])
  })

  test("a part that waits for nobody else's vector moves alone, and an obligation without parts ends", async () => {
    const scene = await open()
    const { ledger, owner } = scene
    await scene.index([
      { doc: 'x', text: 'X' },
      { doc: 'w', text: 'W' }
    ])
    const { obligation } = await scene.admit([
      { doc: 'y', text: 'X' },
      { doc: 'w', text: 'W', metadataHash: 2 },
      { doc: 'z' }
    ])
    const [copy, ...rest] = await ledger.parts(obligation)
    const [first, second] = [scene.newId(), scene.newId()]
    const single = await ledger.move(obligation, owner, [copy!], { id: first, kind: 'orphan' }, atOnce)
    expect(single).toEqual({ kind: 'moved', parts: [copy] })
    const others = await ledger.move(obligation, owner, rest, { id: second, kind: 'orphan' }, atOnce)
    expect(others).toEqual({ kind: 'moved', parts: rest })
    expect(await scene.obligation(obligation)).toBeUndefined()
  })

  test('a request is bisected into one of the same owner, as old as it was', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    const [, b] = await ledger.parts(obligation)
    const id = scene.newId()
    await ledger.move(
      obligation,
      owner,
      [b!],
      { id, kind: 'request' },
      { ...atOnce, attempts: 0, delayMs: hourMs }
    )

    const half = await scene.obligation(id)
    expect(half).toMatchObject({ kind: 'request', owner, notBeforeMs: 0 })
    expect(half?.sinceMs).toBe((await scene.obligation(obligation))?.sinceMs)
    expect((await scene.settle(id, [b!])).answers).toEqual([{ kind: 'settled' }])
  })

  test('a move that is repeated answers the same and moves nothing more', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const { obligation } = await scene.admit(twoTexts)
    const [a, b] = await ledger.parts(obligation)
    const to = { id: scene.newId(), kind: 'orphan' as const }
    const moved = await ledger.move(obligation, owner, [a!], to, atOnce)
    const before = await dumpLedger(ledger)

    expect(await ledger.move(obligation, owner, [a!], to, atOnce)).toEqual(moved)
    expect(await ledger.move(obligation, owner, [a!, b!], to, atOnce)).toEqual(moved)
    expect(await dumpLedger(ledger)).toEqual(before)
    await scene.finish(obligation)
    expect(await ledger.move(obligation, owner, [a!], to, atOnce)).toEqual(moved)
    expect(await ledger.move(obligation, other, [a!], to, atOnce)).toEqual({ kind: 'gone' })
  })

  test('nobody moves what is not theirs', async () => {
    const scene = await open()
    const { ledger, other } = scene
    const { obligation } = await scene.admit(twoTexts)
    const before = await dumpLedger(ledger)
    const to = { id: scene.newId(), kind: 'orphan' as const }
    expect(await ledger.move(obligation, other, await ledger.parts(obligation), to, atOnce)).toEqual({
      kind: 'gone'
    })
    expect(await dumpLedger(ledger)).toEqual(before)

    const taken = { id: await moveToOrphan(scene, oneText), kind: 'orphan' as const }
    expect(await ledger.move(obligation, scene.owner, [], taken, atOnce)).toEqual({ kind: 'gone' })
  })

  test('a move keeps W where it was', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit(twoTexts)
    const before = (await ledger.survey()).progress
    await ledger.move(
      obligation,
      owner,
      await ledger.parts(obligation),
      { id: scene.newId(), kind: 'orphan' },
      atOnce
    )
    expect((await ledger.survey()).progress).toEqual(before)
  })

  test('an orphan is adopted by the lane of its lowest partition, and by nobody before its time', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const { obligation } = await scene.admit(twoTexts)
    const [a, b] = await ledger.parts(obligation)
    const [soon, later] = [scene.newId(), scene.newId()]
    await ledger.move(obligation, owner, [a!], { id: soon, kind: 'orphan' }, atOnce)
    await ledger.move(obligation, owner, [b!], { id: later, kind: 'orphan' }, { ...atOnce, delayMs: hourMs })

    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([soon])
    const claim = { owner: other, epoch: 1, lane: 'realtime' as const }
    expect(await ledger.takeover(later, claim)).toEqual({ kind: 'refused', reason: 'alive' })
    expect(await ledger.takeover(soon, { ...claim, epoch: 2 })).toEqual({ kind: 'refused', reason: 'fenced' })
    expect(await ledger.takeover(soon, { ...claim, lane: 'batch' })).toEqual({
      kind: 'refused',
      reason: 'fenced'
    })
    await ledger.pause(1, 'store is away', 'test')
    expect(await ledger.takeover(soon, claim)).toEqual({ kind: 'refused', reason: 'paused' })
    await ledger.resume(1)

    const taken = await ledger.takeover(soon, claim)
    expect(taken).toMatchObject({
      kind: 'taken',
      obligation: { kind: 'request', owner: other, reason: 'failed' }
    })
    expect(taken.kind === 'taken' && offsets(taken.parts)).toEqual([0n, 2n])
    expect(await ledger.takeover(soon, claim)).toEqual(taken)
    expect(await ledger.takeover(soon, { ...claim, owner })).toEqual({ kind: 'refused', reason: 'alive' })
    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([])
    expect((await scene.settle(soon, await ledger.parts(soon), 'done', other)).answers).toHaveLength(2)
  })

  test('the time of an orphan comes by itself', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    const id = scene.newId()
    const soon = { ...atOnce, delayMs: 30 }
    await ledger.move(obligation, owner, await ledger.parts(obligation), { id, kind: 'orphan' }, soon)
    await vi.waitFor(async () =>
      expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([id])
    )
  })

  test('the request of a life whose lease ran out, or which was released, is taken over in any lane', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    await ledger.attempt(obligation, owner, 1, 1)
    const claim = { owner: other, epoch: 99, lane: 'batch' as const }
    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([])
    expect(await ledger.takeover(obligation, claim)).toEqual({ kind: 'refused', reason: 'alive' })

    await ledger.renew(owner, 20, '')
    await vi.waitFor(async () =>
      expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([obligation])
    )
    expect(await ledger.takeover(obligation, claim)).toMatchObject({
      kind: 'taken',
      obligation: { owner: other, attempts: 1, state: 'admitted', inputsAtRisk: 0 }
    })
    const back = { ...claim, owner }
    expect(await ledger.takeover(obligation, back)).toEqual({ kind: 'refused', reason: 'alive' })
    await ledger.release(other)
    expect((await ledger.takeover(obligation, back)).kind).toBe('taken')
  })

  test('the former owner can do nothing to what was taken over', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const { obligation, admission } = await scene.admit([{ doc: 'a', text: 'A' }])
    await ledger.renew(owner, 0, '')
    await ledger.takeover(obligation, { owner: other, epoch: 1, lane: 'realtime' })
    const before = await dumpLedger(ledger)

    const parts = await ledger.parts(obligation)
    expect((await scene.settle(obligation, parts)).answers).toEqual([{ kind: 'gone', newer: false }])
    expect(await ledger.attempt(obligation, owner, 1, 1)).toBe('gone')
    const to = { id: scene.newId(), kind: 'orphan' as const }
    expect(await ledger.move(obligation, owner, parts, to, atOnce)).toEqual({ kind: 'gone' })
    expect((await ledger.admit(admission)).kind).toBe('behind')
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('an unknown life takes nothing over, and nobody what has ended', async () => {
    const scene = await open()
    const id = await moveToOrphan(scene, oneText)
    const claim = { owner: '1.99' as OwnerId, epoch: 1, lane: 'realtime' as const }
    expect(await scene.ledger.takeover(id, claim)).toEqual({ kind: 'refused', reason: 'fenced' })
    const ended = { kind: 'refused', reason: 'gone' }
    expect(await scene.ledger.takeover('1.1.9' as ObligationId, { ...claim, owner: scene.owner })).toEqual(
      ended
    )
  })

  test('the oldest is offered first, by the age of its documents', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const oldest = await scene.admit([{ doc: 'a', text: 'A' }])
    const young = await scene.admit([{ doc: 'b', text: 'B' }])
    const [moved, movedOld] = [scene.newId(), scene.newId()]
    await ledger.move(
      young.obligation,
      owner,
      await ledger.parts(young.obligation),
      { id: moved, kind: 'orphan' },
      atOnce
    )
    const parts = await ledger.parts(oldest.obligation)
    await ledger.move(oldest.obligation, owner, parts, { id: movedOld, kind: 'orphan' }, atOnce)

    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([movedOld, moved])
    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 1)).toEqual([movedOld])
  })

  test('the new owner is told of parts that join after the takeover, and of all others by it', async () => {
    const scene = await open()
    const { ledger, other } = scene
    const { obligation } = await scene.admit([{ doc: 'a', text: 'same' }])
    await scene.admit([{ doc: 'b', text: 'same' }])
    await ledger.renew(scene.owner, 0, '')
    const taken = await ledger.takeover(obligation, { owner: other, epoch: 1, lane: 'realtime' })
    expect(taken.kind === 'taken' && offsets(taken.parts)).toEqual([0n, 1n])

    await scene.admit([{ doc: 'c', text: 'same' }])
    const { more } = await ledger.settle(obligation, other, [], 0)
    expect(offsets(more)).toEqual([2n])
  })
}
