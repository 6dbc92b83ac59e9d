import type { OwnerId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { candidateOf } from '../support/ledger-scene.ts'

export function admissionContract(open: () => Promise<LedgerScene>): void {
  test('I1 an offset is admitted once, whoever asks', async () => {
    const scene = await open()
    await scene.admit([
      { doc: 'a', text: 'A' },
      { doc: 'b', text: 'B' }
    ])

    const before = await dumpLedger(scene.ledger)
    for (const owner of [scene.owner, scene.other]) {
      const { reply } = await scene.admit([{ doc: 'c', text: 'C' }], { from: 0n, owner })
      expect(reply).toEqual({ kind: 'behind', frontiers: new Map([[0, 2n]]) })
    }
    const { reply: ahead } = await scene.admit([{ doc: 'c', text: 'C' }], { from: 3n })
    expect(ahead).toEqual({ kind: 'behind', frontiers: new Map([[0, 2n]]) })
    expect(await dumpLedger(scene.ledger)).toEqual(before)
  })

  test('one partition that is behind refuses the whole admission', async () => {
    const scene = await open()
    await scene.admit([{ doc: 'a', text: 'A' }], { partition: 1 })

    const before = await dumpLedger(scene.ledger)
    const slices = [0, 1].map(partition => ({
      partition,
      from: 0n,
      to: 1n,
      candidates: [candidateOf({ doc: 'b', text: 'B' }, 0n)]
    }))
    const reply = await scene.ledger.admit({
      epoch: 1,
      lane: 'realtime',
      owner: scene.owner,
      obligation: scene.newId(),
      slices
    })
    expect(reply).toEqual({ kind: 'behind', frontiers: new Map([[1, 1n]]) })
    expect(await dumpLedger(scene.ledger)).toEqual(before)
  })

  test('one admission takes slices of several partitions, with holes and without documents', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const obligation = scene.newId()
    const reply = await ledger.admit({
      epoch: 1,
      lane: 'realtime',
      owner,
      obligation,
      slices: [
        { partition: 1, from: 0n, to: 10_000n, candidates: [candidateOf({ doc: 'a', text: 'A' }, 9_000n)] },
        { partition: 0, from: 0n, to: 3n, candidates: [] }
      ]
    })

    expect(reply).toEqual({
      kind: 'admitted',
      verdicts: [[{ kind: 'part', action: 'embed', generation: 1, replaces: false }], []]
    })
    expect(await ledger.watermarks()).toEqual(
      new Map([
        [0, 3n],
        [1, 9_000n]
      ])
    )
    expect((await scene.obligation(obligation))?.parts).toEqual(new Map([[1, 1]]))
  })

  test('a caller who missed the answer gets it again while the obligation lives, whatever happened since', async () => {
    const scene = await open()
    const { ledger } = scene
    const first = await scene.admit([
      { doc: 'a', text: 'A' },
      { doc: 'a', text: 'A2' },
      { doc: 'b', text: 'A' }
    ])
    await ledger.pause(1, 'store is away', 'test')
    await ledger.switchLanes({
      expectedEpoch: 1,
      epoch: 2,
      lanes: new Map([[0, 'batch']]),
      defaultLane: 'batch',
      release: 'open'
    })

    const before = await dumpLedger(ledger)
    expect(await ledger.admit(first.admission)).toEqual(first.reply)
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test("the answer is nobody else's, and ends with the obligation", async () => {
    const scene = await open()
    const { ledger, other } = scene
    const { admission, obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    const behind = { kind: 'behind', frontiers: new Map([[0, 1n]]) }

    expect(await ledger.admit({ ...admission, owner: other })).toEqual(behind)
    await scene.finish(obligation)
    expect(await ledger.admit(admission)).toEqual(behind)
  })

  test('I8 admits nothing with another epoch, in a foreign lane or for an unknown partition', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.switchLanes({
      expectedEpoch: 1,
      epoch: 7,
      lanes: new Map([[1, 'batch']]),
      defaultLane: 'realtime',
      release: 'open'
    })
    const before = await dumpLedger(ledger)
    const fenced = { kind: 'fenced', epoch: 7 }

    const given = [{ doc: 'a', text: 'A' }]
    expect((await scene.admit(given, { epoch: 1 })).reply).toEqual(fenced)
    expect((await scene.admit(given, { epoch: 8 })).reply).toEqual(fenced)
    expect((await scene.admit(given, { epoch: 7, partition: 1 })).reply).toEqual(fenced)
    expect((await scene.admit(given, { epoch: 7, lane: 'batch' })).reply).toEqual(fenced)
    expect((await scene.admit(given, { epoch: 7, partition: 5 })).reply).toEqual(fenced)
    expect(await dumpLedger(ledger)).toEqual(before)
    expect((await scene.admit(given, { epoch: 7 })).reply.kind).toBe('admitted')
    expect((await scene.admit(given, { epoch: 7, partition: 1, lane: 'batch' })).reply.kind).toBe('admitted')
  })

  test('I8 admits nothing while paused, and goes on afterwards', async () => {
    const scene = await open()
    await scene.ledger.pause(1, 'store is away', 'gate')
    const { reply } = await scene.admit([{ doc: 'a', text: 'A' }])
    expect(reply).toEqual({ kind: 'paused', reason: 'store is away' })

    await scene.ledger.resume(1)
    expect((await scene.admit([{ doc: 'a', text: 'A' }])).reply.kind).toBe('admitted')
  })

  test('a life that is not registered admits nothing', async () => {
    const scene = await open()
    const { reply } = await scene.admit([{ doc: 'a', text: 'A' }], { owner: '1.99' as OwnerId })
    expect(reply).toEqual({ kind: 'unregistered' })

    await scene.ledger.release(scene.owner)
    expect((await scene.admit([{ doc: 'a', text: 'A' }])).reply).toEqual({ kind: 'unregistered' })
  })

  test('an admission without work leaves no obligation', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A' }])
    const { obligation, verdicts } = await scene.admit([{ doc: 'a', text: 'A', version: 2 }])

    expect(verdicts).toEqual([{ kind: 'unchanged' }])
    expect(await scene.obligation(obligation)).toBeUndefined()
    expect(await scene.ledger.watermarks()).toEqual(
      new Map([
        [0, 2n],
        [1, 0n]
      ])
    )
  })

  test('offsets and versions up to 2^53 - 1 are told apart', async () => {
    const scene = await open()
    const { ledger } = scene
    const last = BigInt(Number.MAX_SAFE_INTEGER)
    await ledger.openPartition(2, last - 2n)
    const versions = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]
    const { obligation } = await scene.admit(
      versions.map(version => ({ doc: `doc of ${version}`, text: `${version}`, version })),
      { partition: 2, from: last - 2n }
    )

    const parts = await ledger.parts(obligation)
    expect(parts.map(({ offset, generation }) => [offset, generation])).toEqual([
      [last - 2n, versions[0]],
      [last - 1n, versions[1]]
    ])
    await scene.settle(obligation, parts.slice(0, 1))
    expect((await ledger.watermarks()).get(2)).toBe(last - 1n)
    expect((await ledger.survey()).progress.get(2)).toEqual({
      lane: 'realtime',
      frontier: last,
      watermark: last - 1n,
      unsettled: 1
    })
  })

  test('2048 documents fit into one admission, and one more does not', async () => {
    const scene = await open()
    const many = Array.from({ length: 2049 }, (_, index) => ({ doc: `d${index}`, text: `t${index}` }))
    await expect(scene.admit(many)).rejects.toThrow(RangeError)

    const { obligation, verdicts } = await scene.admit(many.slice(1))
    expect(verdicts).toHaveLength(2048)
    expect(new Set((await scene.finish(obligation)).map(({ kind }) => kind))).toEqual(new Set(['settled']))
    expect((await scene.ledger.survey()).counts.indexed).toBe(2048)
  })

  test('a mistake of the caller changes nothing', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const before = await dumpLedger(ledger)
    const good = candidateOf({ doc: 'a', text: 'A' }, 0n)
    const slice = { partition: 0, from: 0n, to: 2n, candidates: [good] }
    const wrong = [
      [],
      [slice, slice],
      [{ ...slice, to: -1n }],
      [{ ...slice, candidates: [{ ...good, offset: 2n }] }],
      [{ ...slice, candidates: [{ ...good, offset: 1n }, good] }],
      [{ ...slice, candidates: [{ ...good, version: 0.5 }] }],
      [{ ...slice, candidates: [{ ...good, metadataHash: -1 }] }],
      [{ ...slice, candidates: [{ ...good, tokens: 2 ** 29 }] }]
    ]
    for (const slices of wrong) {
      const admission = { epoch: 1, lane: 'realtime' as const, owner, obligation: scene.newId(), slices }
      await expect(ledger.admit(admission)).rejects.toThrow(RangeError)
    }
    expect(await dumpLedger(ledger)).toEqual(before)

    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    await ledger.release(owner)
    const again = scene.admit([{ doc: 'b', text: 'B' }], { obligation, owner: scene.other })
    await expect(again).rejects.toThrow(RangeError)
  })
}
