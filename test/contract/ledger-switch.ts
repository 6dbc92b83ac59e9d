// Switches that wait for their old lane, and those that are given up.
import type { Lane } from '@pointsman/core/domain/lane'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { moveToOrphan } from '../support/ledger-scene.ts'

export function switchContract(open: () => Promise<LedgerScene>): void {
  const to = (lane: Lane, expectedEpoch: number, epoch: number) => ({
    expectedEpoch,
    epoch,
    lanes: new Map([
      [0, lane],
      [1, lane]
    ]),
    defaultLane: lane,
    release: 'open' as const
  })
  const refused = (reason: string, epoch = 1) => ({ kind: 'refused', reason, epoch })
  const given = [{ doc: 'new', text: 'new' }]

  test('I8 nothing is admitted and no orphan adopted while a switch drains, and what is in flight goes on', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const orphan = await moveToOrphan(scene, [{ doc: 'a', text: 'A' }])
    const mine = await scene.admit([{ doc: 'b', text: 'B' }])
    const left = await scene.admit([{ doc: 'c', text: 'C' }], { owner: other })
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 5 })).toEqual({ kind: 'draining' })
    expect(await ledger.state()).toMatchObject({
      epoch: 1,
      draining: { epoch: 5, sinceMs: expect.any(Number) },
      handoff: undefined
    })

    const before = await dumpLedger(ledger)
    expect((await scene.admit(given)).reply).toEqual({ kind: 'draining' })
    const claim = { owner, epoch: 1, lane: 'realtime' as const }
    expect(await ledger.takeover(orphan, claim)).toEqual({ kind: 'refused', reason: 'draining' })
    expect(await dumpLedger(ledger)).toEqual(before)

    expect(await ledger.admit(mine.admission)).toEqual(mine.reply)
    expect(await ledger.attempt(mine.obligation, owner, 1, 1)).toBe('journalled')
    expect(await scene.finish(mine.obligation)).toEqual([{ kind: 'settled' }])
    await ledger.release(other)
    expect((await ledger.takeover(left.obligation, claim)).kind).toBe('taken')
  })

  test('I8 a fence is told before a drain, and a drain before a pause', async () => {
    const scene = await open()
    await scene.ledger.pause(1, 'store is away', 'gate')
    await scene.ledger.drain({ expectedEpoch: 1, epoch: 5 })
    expect((await scene.admit(given)).reply).toEqual({ kind: 'draining' })
    expect((await scene.admit(given, { epoch: 5 })).reply).toEqual({ kind: 'fenced', epoch: 1 })
  })

  test('a drain makes orphans of open manifests alone, so that they do not grow old meanwhile', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const [filled, sealed] = [scene.newId(), scene.newId()]
    await scene.admit([{ doc: 's', text: 'S' }], { manifest: sealed })
    await ledger.advance(sealed, owner, 'open', 'sealed', { lines: 1 })
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest: filled })
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })

    expect(await scene.obligation(filled)).toMatchObject({
      kind: 'orphan',
      owner: undefined,
      state: 'admitted',
      job: undefined
    })
    expect(await scene.obligation(sealed)).toMatchObject({ state: 'sealed', owner, job: { lines: 1 } })
    expect(await ledger.switchLanes(to('batch', 1, 5))).toMatchObject({ handoff: { released: 1 } })
    const claim = { owner, epoch: 5, lane: 'batch' as const }
    expect((await ledger.takeover(filled, claim)).kind).toBe('taken')
  })

  test('what an aborted drain has released is not counted by the next switch', async () => {
    const scene = await open()
    const { ledger } = scene
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest: scene.newId() })
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })
    await ledger.abortSwitch(5)
    expect(await ledger.switchLanes(to('batch', 1, 6))).toMatchObject({ handoff: { released: 0 } })
  })

  test('a drain that is asked for again changes nothing, not even its beginning', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })
    const before = [await ledger.state(), await dumpLedger(ledger)]
    const sinceMs = (await ledger.state()).draining?.sinceMs ?? Infinity
    await expect.poll(() => scene.nowMs()).toBeGreaterThan(sinceMs)
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 5 })).toEqual({ kind: 'draining' })
    expect([await ledger.state(), await dumpLedger(ledger)]).toEqual(before)
  })

  test('while one switch drains, no other drains or is made', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })
    const before = await dumpLedger(ledger)
    for (const epoch of [3, 4, 6, 50]) {
      expect(await ledger.drain({ expectedEpoch: 1, epoch })).toEqual(refused('draining'))
      expect(await ledger.switchLanes(to('batch', 1, epoch))).toEqual(refused('draining'))
    }
    expect(await ledger.drain({ expectedEpoch: 2, epoch: 5 })).toEqual(refused('epoch'))
    expect(await ledger.switchLanes(to('batch', 2, 5))).toEqual(refused('epoch'))
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('the switch that drains ends it by being made, and the late repetition of its drain is refused', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })
    expect(await ledger.switchLanes(to('batch', 1, 5))).toMatchObject({ kind: 'switched' })
    expect(await ledger.state()).toMatchObject({ epoch: 5, draining: undefined })

    expect(await ledger.drain({ expectedEpoch: 1, epoch: 5 })).toEqual(refused('epoch', 5))
    expect((await ledger.state()).draining).toBeUndefined()
    expect((await scene.admit(given, { epoch: 5, lane: 'batch' })).reply.kind).toBe('admitted')
  })

  test('an epoch that does not rise is a mistake', async () => {
    const { ledger } = await open()
    for (const epoch of [1, 0, 1.5]) {
      await expect(ledger.drain({ expectedEpoch: 1, epoch })).rejects.toThrow(RangeError)
    }
  })

  test('a switch that is aborted while it drains ends its drain and is never made', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.drain({ expectedEpoch: 1, epoch: 5 })
    expect(await ledger.abortSwitch(5)).toBe('aborted')
    expect(await ledger.state()).toMatchObject({ epoch: 1, draining: undefined, handoff: undefined })
    expect((await scene.admit(given)).reply.kind).toBe('admitted')

    const before = await dumpLedger(ledger)
    expect(await ledger.abortSwitch(5)).toBe('aborted')
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 5 })).toEqual(refused('aborted'))
    expect(await ledger.switchLanes(to('batch', 1, 5))).toEqual(refused('aborted'))
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('a switch that is aborted before anybody carries it out is never made', async () => {
    const { ledger } = await open()
    expect(await ledger.abortSwitch(5)).toBe('aborted')
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 5 })).toEqual(refused('aborted'))
    expect(await ledger.switchLanes(to('batch', 1, 5))).toEqual(refused('aborted'))
    expect(await ledger.switchLanes(to('batch', 1, 6))).toMatchObject({ kind: 'switched' })
  })

  test('a switch that was made is not aborted any more, nor one that was overtaken', async () => {
    const { ledger } = await open()
    await ledger.switchLanes(to('batch', 1, 5))
    const before = await dumpLedger(ledger)
    for (const epoch of [5, 4, 1]) expect(await ledger.abortSwitch(epoch)).toBe('passed')
    expect(await dumpLedger(ledger)).toEqual(before)
    expect(await ledger.switchLanes(to('realtime', 5, 6))).toMatchObject({ kind: 'switched' })
  })

  test('an aborted switch stays so, also after an earlier one was aborted', async () => {
    const { ledger } = await open()
    expect(await ledger.abortSwitch(100)).toBe('aborted')
    expect(await ledger.abortSwitch(20)).toBe('aborted')
    for (const epoch of [9, 20, 100]) {
      expect(await ledger.switchLanes(to('batch', 1, epoch))).toEqual(refused('aborted'))
    }
    expect(await ledger.switchLanes(to('batch', 1, 101))).toMatchObject({ kind: 'switched' })
  })

  test('an abort ends the drain of its own switch and of earlier ones, not that of a later one', async () => {
    const { ledger } = await open()
    await ledger.drain({ expectedEpoch: 1, epoch: 10 })
    expect(await ledger.abortSwitch(9)).toBe('aborted')
    expect(await ledger.state()).toMatchObject({ draining: { epoch: 10 } })
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 8 })).toEqual(refused('aborted'))
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 11 })).toEqual(refused('draining'))

    expect(await ledger.abortSwitch(11)).toBe('aborted')
    expect((await ledger.state()).draining).toBeUndefined()
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 10 })).toEqual(refused('aborted'))
    expect(await ledger.drain({ expectedEpoch: 1, epoch: 12 })).toEqual({ kind: 'draining' })
  })
}
