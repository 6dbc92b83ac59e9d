// What every Ledger must do with jobs that are left of an earlier one.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { hourMs } from '../support/ledger-scene.ts'
import { admit, awaited, expected, job, lanes, latestOf, manifest, object } from '../support/lost-ledger.ts'

/** @param lost - a ledger that is being rebuilt. */
export function adoptedJobsContract(lost: () => Promise<Ledger>): void {
  test('a job is a manifest again, and who waits for its line waits for it', async () => {
    const ledger = await lost()
    await ledger.expect([expected('a', 'A', 5), expected('b', 'A', 5)])
    expect(
      await ledger.adoptJob(manifest, job, [awaited('a', 'A'), awaited('b', 'A', { offset: 11n })])
    ).toBe(true)
    await ledger.endRebuild(lanes)
    expect(await ledger.parts(manifest)).toMatchObject([{ partition: 0, offset: 12n, action: 'embed' }])
    const { obligations, progress } = await ledger.survey()
    expect(obligations).toMatchObject([{ id: manifest, kind: 'manifest', state: 'submitted', job }])
    expect(progress.get(0)).toMatchObject({ watermark: 10n, frontier: 10n, unsettled: 1 })
    // The other document with this text joins when it comes, and the one that waits already is covered.
    expect(await admit(ledger, 10n, { doc: 'c', text: 'C', version: 1 })).toMatchObject({ action: 'embed' })
    expect(await admit(ledger, 11n, { doc: 'b', text: 'A', version: 5 })).toEqual({ kind: 'elsewhere' })
    expect(await admit(ledger, 12n, { doc: 'a', text: 'A', version: 5 })).toEqual({ kind: 'covered' })
    expect((await ledger.parts(manifest)).map(({ offset }) => offset)).toEqual([11n, 12n])
  })

  test('what a job obtains has a generation of its own, above that of the object it replaces', async () => {
    const ledger = await lost()
    await ledger.restore([object('a', 'old', 2, 7)])
    await ledger.expect([expected('a', 'A', 5)])
    await ledger.adoptJob(manifest, job, [awaited('a', 'A')])
    await ledger.endRebuild(lanes)
    expect(await latestOf(ledger, 'a')).toMatchObject({ version: 5, generation: 8, status: 'open' })
    expect(await ledger.parts(manifest)).toMatchObject([{ generation: 8 }])
  })

  test('a document waits for the line of one job, the first that is told, and in the version that is expected', async () => {
    const ledger = await lost()
    await ledger.expect([expected('a', 'A', 5), expected('b', 'B', 5)])
    await ledger.adoptJob(manifest, job, [
      awaited('a', 'A'),
      awaited('a', 'A'),
      awaited('b', 'B', { version: 4 })
    ])
    await ledger.adoptJob('1.2.m' as ObligationId, job, [awaited('a', 'A')])
    await ledger.endRebuild(lanes)
    expect((await ledger.survey()).obligations.map(({ parts }) => [...parts])).toEqual([[[0, 1]], []])
    expect(await latestOf(ledger, 'b')).toMatchObject({ status: 'expected' })
  })

  test('W is the lowest unsettled offset below A, wherever parts of jobs stand', async () => {
    const ledger = await lost()
    const places = [
      { doc: 'a', offset: 3n },
      { doc: 'b', offset: 9_000n },
      { doc: 'c', offset: 20n, partition: 1 }
    ]
    await ledger.expect(places.map(({ doc }) => expected(doc, doc, 5)))
    await ledger.adoptJob(
      manifest,
      job,
      places.map(({ doc, ...place }) => awaited(doc, doc, place))
    )
    const partitions = new Map([
      [0, { lane: 'realtime' as const, frontier: 8_000n }],
      [1, { lane: 'realtime' as const, frontier: 20n }]
    ])
    await ledger.endRebuild({ ...lanes, partitions })
    expect(await ledger.watermarks()).toEqual(
      new Map([
        [0, 3n],
        [1, 20n]
      ])
    )
    const { owner } = await ledger.register({ instance: 'b', service: 'embedder-batch', leaseMs: hourMs })
    await ledger.takeover(manifest, { owner, epoch: 0, lane: 'batch' })
    const [first] = await ledger.parts(manifest)
    await ledger.settle(manifest, owner, [{ part: first!, settlement: 'indexed' }], 0)
    expect((await ledger.watermarks()).get(0)).toBe(8_000n)
    expect((await ledger.survey()).progress.get(0)).toMatchObject({ watermark: 8_000n, unsettled: 1 })
  })

  test("a manifest that was adopted is anybody's to take over, and is settled as any other", async () => {
    const ledger = await lost()
    await ledger.expect([expected('a', 'A', 5)])
    await ledger.adoptJob(manifest, job, [awaited('a', 'A')])
    await ledger.endRebuild(lanes)
    const { owner } = await ledger.register({ instance: 'b', service: 'embedder-batch', leaseMs: hourMs })
    expect(await ledger.adoptable(['manifest'], 9)).toEqual([manifest])
    const taken = await ledger.takeover(manifest, { owner, epoch: 0, lane: 'batch' })
    expect(taken).toMatchObject({
      kind: 'taken',
      obligation: { state: 'submitted', job: { batchId: 'batch' } }
    })
    await ledger.advance(manifest, owner, 'submitted', 'terminal', {})
    const [part] = await ledger.parts(manifest)
    expect(part).toMatchObject({ generation: 5, replaces: true, tokens: 3 })
    const settled = await ledger.settle(manifest, owner, [{ part: part!, settlement: 'indexed' }], 0)
    expect(settled.answers).toEqual([{ kind: 'settled' }])
    expect(await ledger.advance(manifest, owner, 'terminal', 'archived', {})).toBe('advanced')
    // Its offset is ahead of A: it is passed when it is admitted.
    expect((await ledger.watermarks()).get(0)).toBe(10n)
    expect(await admit(ledger, 10n, { doc: 'c', text: 'A', version: 1 })).toMatchObject({ action: 'copy' })
  })
}
