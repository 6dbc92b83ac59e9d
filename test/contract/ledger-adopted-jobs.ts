// What every Ledger must do with jobs that are left of an earlier one.
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { describe, expect, test } from 'vitest'
import { candidateOf, digestOf, hourMs } from '../support/ledger-scene.ts'
import { admit, awaited, expected, job, lanes, latestOf, manifest, object } from '../support/lost-ledger.ts'

const other = '1.2.m' as ObligationId

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
    await ledger.adoptJob(other, job, [awaited('a', 'A')])
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

  describe('a vector that a running job will bring, though nobody waited for it', () => {
    const promising = async (): Promise<Ledger> => {
      const ledger = await lost()
      await ledger.restore([object('x', 'X', 1)])
      await ledger.expect([expected('a', 'A', 5)])
      await ledger.adoptJob(manifest, job, [awaited('a', 'A', { offset: 20n })])
      expect(await ledger.promiseVectors(manifest, ['A', 'B', 'X'].map(digestOf))).toBe(true)
      await ledger.adoptJob(other, job, [])
      await ledger.promiseVectors(other, ['B', 'C'].map(digestOf))
      await ledger.endRebuild(lanes)
      return ledger
    }
    const take = async (ledger: Ledger): Promise<OwnerId> => {
      const { owner } = await ledger.register({ instance: 'b', service: 'embedder-batch', leaseMs: hourMs })
      for (const id of [manifest, other]) await ledger.takeover(id, { owner, epoch: 7, lane: 'batch' })
      return owner
    }
    const offsetsOf = async (ledger: Ledger, id: ObligationId): Promise<readonly bigint[]> =>
      (await ledger.parts(id)).map(({ offset }) => offset)

    test('is waited for: its manifest gets the part, of the job that promised it first', async () => {
      const ledger = await promising()
      expect(await admit(ledger, 10n, { doc: 'b', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
      expect(await admit(ledger, 11n, { doc: 'c', text: 'C', version: 1 })).toEqual({ kind: 'elsewhere' })
      expect(await admit(ledger, 12n, { doc: 'd', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
      const { counts, obligations, progress } = await ledger.survey()
      expect(obligations.map(({ id, parts }) => [id, parts.get(0)])).toEqual([
        [manifest, 3],
        [other, 1]
      ])
      expect(counts).toMatchObject({ admitted: 3, share: 3, embed: 0 })
      expect(progress.get(0)).toMatchObject({ watermark: 10n, unsettled: 4 })
      expect((await ledger.parts(manifest)).map(({ action }) => action)).toEqual(['embed', 'share', 'embed'])
      expect(await latestOf(ledger, 'b')).toMatchObject({ status: 'open', generation: 1 })

      // Its owner serves it as any other, and is told of it.
      const owner = await take(ledger)
      await ledger.advance(manifest, owner, 'submitted', 'terminal', {})
      for (const part of await ledger.parts(manifest)) {
        const { answers } = await ledger.settle(manifest, owner, [{ part, settlement: 'indexed' }], 0)
        expect(answers).toEqual([{ kind: 'settled' }])
      }
      expect(await ledger.advance(manifest, owner, 'terminal', 'archived', {})).toBe('advanced')
      expect((await ledger.survey()).counts).toMatchObject({ indexed: 3, necessaryTokens: 3 + 'B'.length })
    })

    test('is no reason to wait when another object has it, or somebody obtains it', async () => {
      const ledger = await promising()
      expect(await admit(ledger, 10n, { doc: 'd', text: 'X', version: 1 })).toMatchObject({ action: 'copy' })
      expect(await admit(ledger, 11n, { doc: 'e', text: 'A', version: 1 })).toEqual({ kind: 'elsewhere' })
      expect(await offsetsOf(ledger, manifest)).toEqual([11n, 20n])
      expect(await offsetsOf(ledger, other)).toEqual([])
    })

    test.each(['terminal', 'sealed'] as const)('is not waited for when its manifest is %s', async to => {
      const ledger = await promising()
      const owner = await take(ledger)
      expect(await admit(ledger, 10n, { doc: 'b', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
      await ledger.advance(manifest, owner, 'submitted', to, {})
      // Who had joined stays, and others with the same text join it.
      expect(await admit(ledger, 11n, { doc: 'f', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
      expect(await offsetsOf(ledger, manifest)).toEqual([10n, 11n, 20n])
      // The promise of the other job holds, but it is no promise of what the first one had promised.
      expect(await admit(ledger, 12n, { doc: 'c', text: 'C', version: 1 })).toEqual({ kind: 'elsewhere' })
      await ledger.advance(other, owner, 'submitted', to, {})
      expect(await admit(ledger, 13n, { doc: 'g', text: 'G', version: 1 })).toMatchObject({ action: 'embed' })
    })

    test('is paid for when its manifest ended before anybody wanted it', async () => {
      const ledger = await promising()
      const owner = await take(ledger)
      await ledger.advance(other, owner, 'submitted', 'terminal', {})
      expect(await ledger.advance(other, owner, 'terminal', 'archived', {})).toBe('advanced')
      expect(await admit(ledger, 10n, { doc: 'c', text: 'C', version: 1 })).toMatchObject({ action: 'embed' })
      expect(await admit(ledger, 11n, { doc: 'b', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
    })

    test('is waited for while its file may be sent again, until a switch releases what is unsent', async () => {
      const ledger = await promising()
      const owner = await take(ledger)
      await ledger.advance(manifest, owner, 'submitted', 'uploaded', {})
      expect(await admit(ledger, 10n, { doc: 'b', text: 'B', version: 1 })).toEqual({ kind: 'elsewhere' })
      const part = (await ledger.parts(manifest)).find(({ offset }) => offset === 10n)
      await ledger.settle(manifest, owner, [{ part: part!, settlement: 'dead' }], 0)
      await ledger.switchLanes({
        expectedEpoch: 7,
        epoch: 8,
        defaultLane: 'batch',
        lanes: new Map(),
        release: 'unsent'
      })
      const candidates = [candidateOf({ doc: 'h', text: 'B', version: 1 }, 11n)]
      const slices = [{ partition: 0, from: 11n, to: 12n, candidates }]
      const obligation = `${owner}.h` as ObligationId
      const reply = await ledger.admit({ epoch: 8, lane: 'realtime', owner, obligation, slices })
      expect(reply).toMatchObject({ verdicts: [[{ action: 'embed' }]] })
    })

    test('is promised while the ledger is rebuilt, and by a job that runs', async () => {
      const ledger = await lost()
      expect(await ledger.promiseVectors(manifest, [digestOf('B')])).toBe(true)
      await ledger.adoptJob(manifest, job, [])
      await ledger.endRebuild(lanes)
      expect(await ledger.promiseVectors(manifest, [digestOf('B')])).toBe(false)
      expect(await admit(ledger, 10n, { doc: 'b', text: 'B', version: 1 })).toMatchObject({ action: 'embed' })
    })
  })
}
