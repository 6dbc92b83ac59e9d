// What a cut leaves for the new lanes, and how it tells that they have taken over.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { LaneSwitch, ManifestState } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { manifestStates } from '../support/ledger-scene.ts'

export function handoffContract(open: () => Promise<LedgerScene>): void {
  const change = (lanes: readonly (readonly [number, Lane])[], release: LaneSwitch['release'] = 'open') => ({
    expectedEpoch: 1,
    epoch: 5,
    lanes: new Map(lanes),
    defaultLane: 'batch' as const,
    release
  })
  const toBatch = change([
    [0, 'batch'],
    [1, 'batch']
  ])
  const force = { ...toBatch, release: 'unsent' as const }

  test('a switch tells its cut, and of the partitions that changed their lane that none has begun', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.openPartition(10, 7n)
    await scene.admit([{ doc: 'a', text: 'A' }], { partition: 1 })
    const earliest = await scene.nowMs()
    const reply = await ledger.switchLanes(
      change([
        [10, 'batch'],
        [0, 'realtime'],
        [1, 'batch'],
        [77, 'batch']
      ])
    )
    const latest = await scene.nowMs()
    const { handoff } = await ledger.state()
    expect(reply).toEqual({ kind: 'switched', handoff })
    expect(handoff).toEqual({
      epoch: 5,
      cutMs: expect.any(Number),
      frontiers: new Map([
        [0, 0n],
        [1, 1n],
        [10, 7n]
      ]),
      admittedMs: new Map([
        [1, undefined],
        [10, undefined]
      ]),
      released: 0,
      cancelled: 0
    })
    expect([...(handoff?.frontiers.keys() ?? [])]).toEqual([0, 1, 10])
    expect([...(handoff?.admittedMs.keys() ?? [])]).toEqual([1, 10])
    expect(handoff?.cutMs).toBeGreaterThanOrEqual(earliest)
    expect(handoff?.cutMs).toBeLessThanOrEqual(latest)
  })

  test('the first admission of a partition that changed is noted, no later one, and a repeated switch tells it', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.switchLanes(change([[0, 'batch']]))
    const earliest = await scene.nowMs()
    const inBatch = { epoch: 5, lane: 'batch' as const }
    await scene.admit([{ doc: 'x', text: 'X' }], { partition: 1, epoch: 5 })
    expect((await ledger.state()).handoff?.admittedMs).toEqual(new Map([[0, undefined]]))

    await scene.admit([{ doc: 'x', text: 'X' }], { ...inBatch, from: 9n })
    expect((await ledger.state()).handoff?.admittedMs).toEqual(new Map([[0, undefined]]))
    const first = await scene.admit([{ doc: 'a', text: 'A' }], inBatch)
    const { handoff } = await ledger.state()
    const admittedMs = handoff?.admittedMs.get(0)
    expect(admittedMs).toBeGreaterThanOrEqual(earliest)
    expect(admittedMs).toBeLessThanOrEqual(await scene.nowMs())

    await expect.poll(() => scene.nowMs()).toBeGreaterThan(admittedMs ?? Infinity)
    await ledger.admit(first.admission)
    await scene.admit([{ doc: 'b', text: 'B' }], inBatch)
    const before = await dumpLedger(ledger)
    expect(await ledger.switchLanes(change([[0, 'batch']]))).toEqual({ kind: 'switched', handoff })
    expect((await ledger.state()).handoff).toEqual(handoff)
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('an admission without documents begins a lane too', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.switchLanes(toBatch)
    await scene.admit([], { epoch: 5, lane: 'batch', partition: 1 })
    const admittedMs = (await ledger.state()).handoff?.admittedMs
    expect(admittedMs).toEqual(
      new Map([
        [0, undefined],
        [1, expect.any(Number)]
      ])
    )
  })

  test('a later cut forgets the handoff of an earlier one, and its repetition is refused', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.switchLanes(toBatch)
    await scene.admit([{ doc: 'a', text: 'A' }], { epoch: 5, lane: 'batch' })
    const later = { ...change([[1, 'realtime']]), expectedEpoch: 5, epoch: 9 }
    expect(await ledger.switchLanes(later)).toMatchObject({
      handoff: { epoch: 9, admittedMs: new Map([[1, undefined]]) }
    })
    expect((await ledger.state()).handoff?.admittedMs).toEqual(new Map([[1, undefined]]))
    await scene.admit([{ doc: 'b', text: 'B' }], { epoch: 9, lane: 'batch' })
    expect((await ledger.state()).handoff?.admittedMs).toEqual(new Map([[1, undefined]]))
    expect(await ledger.switchLanes(toBatch)).toEqual({ kind: 'refused', reason: 'epoch', epoch: 9 })
  })

  /** A manifest of two documents for each state, with a job as it has then. */
  async function oneOfEach(scene: LedgerScene): Promise<ReadonlyMap<ManifestState, ObligationId>> {
    const manifests = new Map<ManifestState, ObligationId>()
    for (const state of manifestStates) {
      const manifest = scene.newId()
      manifests.set(state, manifest)
      await scene.admit([{ doc: `${state} 1`, text: `${state} 1` }], { manifest })
      await scene.admit([{ doc: `${state} 2`, text: `${state} 2` }], { manifest, partition: 1 })
      await scene.bringTo(manifest, state)
      const fields = { creates: 1, inputFileId: `file of ${state}`, lines: 2, progressMs: 7 }
      await scene.ledger.advance(manifest, scene.owner, state, state, fields)
    }
    return manifests
  }

  test('a forced switch releases what was not sent, has what runs cancelled, and counts both', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const manifests = await oneOfEach(scene)
    const before = new Map((await ledger.survey()).obligations.map(one => [one.id, one]))
    const reply = await ledger.switchLanes(force)
    expect(reply).toMatchObject({ handoff: { released: 6, cancelled: 2 } })

    for (const [state, id] of manifests) {
      const former = before.get(id)
      const isReleased = state === 'open' || state === 'sealed' || state === 'uploaded'
      const order = state === 'submitting' || state === 'submitted' ? 'cancel' : ''
      const fields = isReleased
        ? {
            kind: 'orphan',
            owner: undefined,
            state: 'admitted',
            job: undefined,
            reason: 'the lane was switched before it was sent'
          }
        : { job: { ...former?.job, order } }
      expect(await scene.obligation(id)).toEqual({ ...former, ...fields })
      expect(await ledger.advance(id, owner, state, state, {})).toBe(isReleased ? 'gone' : 'advanced')
    }
    const dump = await dumpLedger(ledger)
    expect(await ledger.switchLanes(force)).toEqual(reply)
    expect(await dumpLedger(ledger)).toEqual(dump)
  })

  test('a switch without force releases open manifests alone and cancels nothing', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifests = await oneOfEach(scene)
    const before = (await ledger.survey()).obligations.filter(({ id }) => id !== manifests.get('open'))
    expect(await ledger.switchLanes(toBatch)).toMatchObject({ handoff: { released: 2, cancelled: 0 } })
    const after = (await ledger.survey()).obligations
    expect(after.filter(({ id }) => id !== manifests.get('open'))).toEqual(before)
    expect(after.find(({ id }) => id === manifests.get('open'))).toMatchObject({ kind: 'orphan' })
  })

  test('a forced switch leaves the order to give a job up, and cancels one that is to be cancelled', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifests = await oneOfEach(scene)
    const [submitting, submitted] = [manifests.get('submitting')!, manifests.get('submitted')!]
    await ledger.order(submitting, 'abandon')
    await ledger.order(submitted, 'cancel')
    expect(await ledger.switchLanes(force)).toMatchObject({ handoff: { cancelled: 1 } })
    expect((await scene.obligation(submitting))?.job?.order).toBe('abandon')
    expect((await scene.obligation(submitted))?.job?.order).toBe('cancel')
  })

  test.for(['open', 'sealed', 'uploaded'] as const)(
    'what a forced switch released when it was %s is a request like any other of the new lane',
    async state => {
      const scene = await open()
      const { ledger, other } = scene
      const manifest = (await oneOfEach(scene)).get(state)!
      await ledger.order(manifest, 'cancel')
      const shared = await scene.admit([{ doc: 'late', text: `${state} 1` }], { owner: other })
      expect(shared.verdicts).toEqual([{ kind: 'elsewhere' }])
      await ledger.switchLanes(force)

      expect(await ledger.order(manifest, 'abandon')).toBe(false)
      expect((await scene.settle(manifest, await ledger.parts(manifest))).answers).toEqual(
        Array.from({ length: 3 }, () => ({ kind: 'gone', newer: false }))
      )
      const claim = { owner: other, epoch: 5, lane: 'batch' as const }
      expect(await ledger.takeover(manifest, { ...claim, lane: 'realtime' })).toMatchObject({
        reason: 'fenced'
      })
      const taken = await ledger.takeover(manifest, claim)
      expect(taken).toMatchObject({ kind: 'taken', obligation: { kind: 'request', job: undefined } })
      expect(taken.kind === 'taken' && taken.parts.length).toBe(3)
      const to = { id: scene.newId(), kind: 'manifest' as const }
      const fields = { reason: 'retried', delayMs: 0, attempts: 0, failures: 0 }
      const moved = await ledger.move(manifest, other, await ledger.parts(manifest), to, fields)
      expect(moved.kind).toBe('moved')
      expect((await scene.obligation(to.id))?.job).toMatchObject({ creates: 0, inputFileId: '', order: '' })
      expect(await scene.obligation(manifest)).toBeUndefined()
      expect(await ledger.pastJobs(9)).toEqual([])
    }
  )

  test('an empty manifest ends with its release and counts for nothing', async () => {
    const scene = await open()
    const { ledger } = scene
    const manifest = scene.newId()
    await scene.admit([{ doc: 'a', text: 'A' }], { manifest })
    await scene.bringTo(manifest, 'uploaded')
    await scene.finish(manifest)
    expect(await ledger.switchLanes(force)).toMatchObject({ handoff: { released: 0, cancelled: 0 } })
    expect((await ledger.survey()).obligations).toEqual([])
  })
}
