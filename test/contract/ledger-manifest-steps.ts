import type { ObligationId } from '@pointsman/core/domain/identity'
import type { JobOrder } from '@pointsman/core/ports/job'
import type { Part } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { digestOf, manifestStates } from '../support/ledger-scene.ts'

export function manifestStepsContract(open: () => Promise<LedgerScene>): void {
  const offsets = (parts: readonly Part[]): bigint[] => parts.map(({ offset }) => offset)
  const sameTexts = [
    { doc: 'a', text: 'same' },
    { doc: 'b', text: 'other' },
    { doc: 'c', text: 'same' }
  ]

  test('what is known of a job is only overwritten by what is given', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.bringTo(manifest, 'sealed')
    const file = { lines: 1, bytes: 99, tokens: 3, inputFileId: 'file-1' }
    expect(await ledger.advance(manifest, owner, 'sealed', 'uploaded', file)).toBe('advanced')
    const create = { creates: 1, notBeforeMs: 1_795_000_000_123 }
    expect(await ledger.advance(manifest, owner, 'uploaded', 'submitting', create)).toBe('advanced')
    expect((await scene.obligation(manifest))?.job).toMatchObject({ ...file, ...create, batchId: '' })

    expect(await ledger.advance(manifest, owner, 'submitting', 'submitting', { status: 'a "b"' })).toBe(
      'advanced'
    )
    expect(await ledger.advance(manifest, owner, 'submitting', 'sealed', { inputFileId: '' })).toBe(
      'advanced'
    )
    expect(await scene.obligation(manifest)).toMatchObject({
      state: 'sealed',
      job: { ...create, lines: 1, inputFileId: '', status: 'a "b"' }
    })
    const before = await dumpLedger(ledger)
    expect(await ledger.advance(manifest, other, 'sealed', 'uploaded', {})).toBe('gone')
    expect(await ledger.advance(scene.newId(), owner, 'sealed', 'uploaded', {})).toBe('gone')
    expect(await ledger.advance(manifest, owner, 'uploaded', 'submitting', { creates: 9 })).toBe('refused')
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('a step that is repeated notes its fields again', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    expect(await ledger.advance(manifest, owner, 'open', 'sealed', { lines: 1 })).toBe('advanced')
    const before = await dumpLedger(ledger)
    expect(await ledger.advance(manifest, owner, 'open', 'sealed', { lines: 1 })).toBe('advanced')
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test.for([
    ['open', 'uploaded'],
    ['open', 'submitted'],
    ['sealed', 'open'],
    ['sealed', 'submitting'],
    ['uploaded', 'archived'],
    ['uploaded', 'submitted'],
    ['submitting', 'terminal'],
    ['submitting', 'archived'],
    ['submitted', 'archived'],
    ['submitted', 'submitting'],
    ['terminal', 'sealed'],
    ['terminal', 'submitted']
  ] as const)('there is no step from %s to %s', async ([from, to]) => {
    const scene = await open()
    const { ledger, owner } = scene
    await expect(ledger.advance(scene.newId(), owner, from, to, {})).rejects.toBeInstanceOf(RangeError)
  })

  test('a manifest ends when it is archived, not with its last part, and its job is kept', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.bringTo(manifest, 'terminal')
    const fields = { creates: 2, batchId: 'batch-2', status: 'completed', paidTokens: 11 }
    expect(await ledger.advance(manifest, owner, 'terminal', 'archived', fields)).toBe('refused')
    await scene.finish(manifest)
    const { sinceMs } = (await scene.obligation(manifest))!
    expect(await ledger.advance(manifest, owner, 'terminal', 'archived', fields)).toBe('advanced')
    expect(await scene.obligation(manifest)).toBeUndefined()
    const [past] = await ledger.pastJobs(10)
    expect(past).toMatchObject({ ...fields, manifest, sinceMs, lines: 0, order: '' })
    expect(past!.archivedMs).toBeGreaterThanOrEqual(sinceMs)
    expect((await ledger.survey()).counts.jobs).toBe(1)
    expect(await ledger.advance(manifest, owner, 'terminal', 'archived', fields)).toBe('gone')
    expect(await ledger.pastJobs(10)).toHaveLength(1)
  })

  test('what a job charged is told as its total, and counted as paid by what is new in it', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.bringTo(manifest, 'terminal')
    const before = (await ledger.survey()).counts.paidTokens
    for (const paidTokens of [11, 11, 15]) {
      expect(await ledger.advance(manifest, owner, 'terminal', 'terminal', { paidTokens })).toBe('advanced')
    }
    expect((await ledger.survey()).counts.paidTokens).toBe(before + 15)
    await scene.finish(manifest)
    const paidBySettling = (await ledger.survey()).counts.paidTokens
    const archived = await ledger.advance(manifest, owner, 'terminal', 'archived', { paidTokens: 16 })
    expect(archived).toBe('advanced')
    expect((await ledger.survey()).counts.paidTokens).toBe(paidBySettling + 1)
  })

  test('the latest past jobs come first, and what never had a job is not among them', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const archived: ObligationId[] = []
    for (const creates of [1, 0, 3]) {
      const manifest = scene.newId()
      await scene.admit([{ doc: `d${creates}`, text: `t${creates}` }], { manifest })
      await scene.finish(manifest)
      if (creates === 3) await ledger.advance(manifest, owner, 'open', 'sealed', {})
      expect(
        await ledger.advance(manifest, owner, creates === 3 ? 'sealed' : 'open', 'archived', { creates })
      ).toBe('advanced')
      archived.push(manifest)
    }
    const [first, , third] = archived
    expect((await ledger.pastJobs(10)).map(({ manifest }) => manifest)).toEqual([third, first])
    expect((await ledger.pastJobs(1)).map(({ manifest }) => manifest)).toEqual([third])
    expect(await ledger.pastJobs(0)).toEqual([])
  })

  test('an order is left with a manifest, whoever owns it', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    const request = await scene.admit([{ doc: 'b', text: 'B' }])
    for (const order of ['cancel', 'abandon', 'abandon'] satisfies JobOrder[]) {
      expect(await ledger.order(manifest, order)).toBe(true)
      expect((await scene.obligation(manifest))?.job?.order).toBe(order)
    }
    expect(await ledger.order(request.obligation, 'cancel')).toBe(false)
    expect(await ledger.order(scene.newId(), 'cancel')).toBe(false)
  })

  test('what a manifest pays is not journalled as an attempt', async () => {
    const scene = await open()
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    const before = await dumpLedger(scene.ledger)
    expect(await scene.ledger.attempt(manifest, scene.owner, 1, 1)).toBe('gone')
    expect(await dumpLedger(scene.ledger)).toEqual(before)
  })

  test.for(manifestStates)('a manifest that is %s is taken over from a dead life as it is', async state => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.admit([{ doc: 'b', text: 'A' }])
    await scene.bringTo(manifest, state)
    const claim = { owner: other, epoch: 1, lane: 'realtime' as const }
    expect(await ledger.takeover(manifest, claim)).toEqual({ kind: 'refused', reason: 'alive' })
    expect(await ledger.adoptable(['manifest'], 10)).toEqual([])

    await ledger.release(owner)
    expect(await ledger.adoptable(['request', 'orphan'], 10)).toEqual([])
    expect(await ledger.adoptable(['manifest'], 10)).toEqual([manifest])
    await ledger.pause(1, 'store is away', 'test')
    const taken = await ledger.takeover(manifest, { ...claim, lane: 'batch', epoch: 7 })
    expect(taken).toMatchObject({
      kind: 'taken',
      obligation: { id: manifest, kind: 'manifest', state, owner: other, job: { creates: 0 } },
      parts: []
    })
    expect(await ledger.takeover(manifest, claim)).toEqual(taken)
    expect(offsets(await ledger.parts(manifest))).toEqual([0n, 1n])
    expect(await ledger.advance(manifest, owner, state, state, {})).toBe('gone')
    expect((await scene.settle(manifest, [], 'done', other)).more).toEqual([])
  })

  test('a switch makes orphans of what is not sealed, for the lane that is active then', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const [filled, sealed, empty] = [scene.newId(), scene.newId(), scene.newId()]
    await scene.admit(sameTexts, { manifest: filled })
    await scene.admit([{ doc: 's', text: 'S' }], { manifest: sealed })
    await scene.admit([{ doc: 'e', text: 'E' }], { manifest: empty })
    await scene.finish(empty)
    await ledger.advance(sealed, owner, 'open', 'sealed', { creates: 0 })
    await ledger.order(filled, 'cancel')
    await ledger.switchLanes({
      expectedEpoch: 1,
      epoch: 2,
      lanes: new Map([[0, 'batch']]),
      defaultLane: 'batch',
      release: 'open'
    })

    expect(await scene.obligation(filled)).toMatchObject({
      kind: 'orphan',
      state: 'admitted',
      owner: undefined,
      job: undefined,
      reason: 'the lane was switched before it was sent',
      parts: new Map([[0, 3]])
    })
    expect(await scene.obligation(sealed)).toMatchObject({ kind: 'manifest', state: 'sealed', owner })
    expect(await scene.obligation(empty)).toBeUndefined()
    expect(await ledger.advance(filled, owner, 'open', 'sealed', {})).toBe('gone')
    expect((await scene.settle(filled, await ledger.parts(filled))).answers).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'gone', newer: false }))
    )
    expect(await ledger.adoptable(['orphan'], 10)).toEqual([filled])
    const claim = { owner: other, epoch: 2, lane: 'realtime' as const }
    expect(await ledger.takeover(filled, claim)).toEqual({ kind: 'refused', reason: 'fenced' })
    const taken = await ledger.takeover(filled, { ...claim, lane: 'batch' })
    expect(taken.kind === 'taken' && offsets(taken.parts)).toEqual([0n, 1n, 2n])
    expect((await scene.settle(filled, [], 'done', other)).more).toEqual([])
    await scene.settle(filled, await ledger.parts(filled), 'done', other)
    expect(await scene.obligation(filled)).toBeUndefined()
    expect(await ledger.processed([digestOf('same')])).toEqual([true])
  })
}
