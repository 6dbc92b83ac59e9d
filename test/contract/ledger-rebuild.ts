// What every Ledger must do when it is rebuilt.
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { describe, expect, test } from 'vitest'
import { digestOf, hourMs } from '../support/ledger-scene.ts'
import { admit, awaited, expected, job, lanes, latestOf, manifest, object } from '../support/lost-ledger.ts'
import { adoptedJobsContract } from './ledger-adopted-jobs.ts'

/** @param connect - handles of one ledger for several processes; it was never opened. */
export function rebuildContract(adapter: string, connect: () => Promise<() => Ledger>): void {
  const lost = async (): Promise<Ledger> => {
    const ledger = (await connect())()
    await ledger.open('realtime', 'lost')
    return ledger
  }

  describe(`Ledger rebuild contract: ${adapter}`, () => {
    adoptedJobsContract(lost)

    test('a ledger that was lost says so, and refuses everything but what it is told', async () => {
      const ledger = await lost()
      const { rebuild } = await ledger.state()
      expect(rebuild).toMatchObject({ stage: 'waiting', done: 0, total: 0 })
      const refused = { code: 'LEDGER_REBUILDING' }
      const owner = '1.1' as OwnerId
      for (const call of [
        () => ledger.register({ instance: 'a', service: 'b', leaseMs: 1 }),
        () => ledger.openPartition(0, 0n),
        () => ledger.renew(owner, 1, ''),
        () =>
          ledger.admit({ epoch: 1, lane: 'realtime', owner, obligation: manifest, slices: [sliceAt(0n)] }),
        () => ledger.attempt(manifest, owner, 1, 1),
        () => ledger.settle(manifest, owner, [], 0),
        () => ledger.move(manifest, owner, [], { id: '1.2' as ObligationId, kind: 'orphan' }, fields),
        () => ledger.advance(manifest, owner, 'open', 'sealed', {}),
        () => ledger.takeover(manifest, { owner, epoch: 1, lane: 'realtime' }),
        () => ledger.adoptable(['manifest'], 1),
        () => ledger.watermarks(),
        () => ledger.pause(1, 'r', 'a'),
        () => ledger.switchLanes({ ...lanes, expectedEpoch: 1, lanes: new Map(), release: 'open' }),
        () => ledger.correct([])
      ]) {
        await expect(call()).rejects.toMatchObject(refused)
      }
      expect((await ledger.survey()).state.rebuild).toBeDefined()
    })

    test('who opens it while it is rebuilt finds it so, whatever is thought of its absence', async () => {
      const ledger = await lost()
      expect((await ledger.open('batch')).rebuild).toBeDefined()
    })

    test('progress is kept with the ledger', async () => {
      const ledger = await lost()
      expect(await ledger.noteRebuild({ stage: 'index', done: 3, total: 9 })).toBe(true)
      expect((await ledger.state()).rebuild).toMatchObject({ stage: 'index', done: 3, total: 9 })
    })

    test('it ends once, with the epoch, lanes and frontiers that it is given', async () => {
      const ledger = await lost()
      expect(await ledger.endRebuild(lanes)).toBe(true)
      const state = await ledger.state()
      expect(state).toMatchObject({ epoch: 7, defaultLane: 'batch', rebuild: undefined })
      expect(state.partitions).toEqual(lanes.partitions)
      expect(await ledger.endRebuild({ ...lanes, epoch: 9 })).toBe(false)
      expect(await ledger.restore([object('a', 'A', 1)])).toBe(false)
      expect(await ledger.expect([expected('a', 'A', 1)])).toBe(false)
      expect(await ledger.adoptJob(manifest, job, [])).toBe(false)
      expect(await ledger.noteRebuild({ stage: 'log', done: 0, total: 0 })).toBe(false)
      expect((await ledger.state()).epoch).toBe(7)
      expect(await latestOf(ledger, 'a')).toBeUndefined()
    })

    test('objects are known as indexed, of several the highest generation, and their texts as processed', async () => {
      const ledger = await lost()
      await ledger.restore([object('a', 'old', 1), object('a', 'new', 2), object('b', 'B', 4, 6)])
      await ledger.restore([object('a', 'old', 1)])
      await ledger.endRebuild(lanes)
      expect(await latestOf(ledger, 'a')).toMatchObject({ version: 2, generation: 2, status: 'indexed' })
      expect(await latestOf(ledger, 'b')).toMatchObject({ version: 4, generation: 6, status: 'indexed' })
      expect(await ledger.processed([digestOf('old'), digestOf('new'), digestOf('C')])).toEqual([
        true,
        true,
        false
      ])
    })

    test('what stands in the index is not paid for again; another version of it is', async () => {
      const ledger = await lost()
      await ledger.restore([object('a', 'A', 5), object('b', 'B', 5)])
      await ledger.expect([expected('a', 'A', 5), expected('b', 'B2', 6)])
      await ledger.endRebuild(lanes)
      expect(await admit(ledger, 10n, { doc: 'a', text: 'A', version: 5 })).toMatchObject({
        action: 'copy'
      })
      expect(await admit(ledger, 11n, { doc: 'b', text: 'B2', version: 6 })).toMatchObject({
        action: 'embed',
        generation: 6,
        replaces: true
      })
    })

    test('a version that the log supersedes is not paid for, the newest one is', async () => {
      const ledger = await lost()
      await ledger.expect([expected('a', 'A3', 3)])
      await ledger.endRebuild(lanes)
      expect(await latestOf(ledger, 'a')).toMatchObject({ version: 3, status: 'expected' })
      expect(await admit(ledger, 10n, { doc: 'a', text: 'A2', version: 2 })).toEqual({ kind: 'superseded' })
      expect(await admit(ledger, 11n, { doc: 'a', text: 'A3', version: 3 })).toMatchObject({
        action: 'embed'
      })
    })

    test('a deletion ahead is admitted, also of what was never seen', async () => {
      const ledger = await lost()
      await ledger.restore([object('a', 'A', 1)])
      await ledger.expect([expected('a', undefined, 2), expected('b', undefined, 2)])
      await ledger.endRebuild(lanes)
      expect(await admit(ledger, 10n, { doc: 'a', version: 2 })).toMatchObject({ action: 'delete' })
      expect(await admit(ledger, 11n, { doc: 'b', version: 2 })).toMatchObject({ action: 'delete' })
    })

    test('a version that the index has already passed changes nothing', async () => {
      const ledger = await lost()
      await ledger.restore([object('a', 'A9', 9)])
      await ledger.expect([expected('a', 'A3', 3)])
      expect(await latestOf(ledger, 'a')).toMatchObject({ version: 9, status: 'indexed' })
    })

    test('every step may be repeated, in the order in which another controller is behind', async () => {
      const ledger = await lost()
      const objects = [object('a', 'old', 1), object('b', 'B', 1)]
      const ahead = [expected('a', 'A', 5), expected('b', 'B', 3)]
      for (const _ of ['once', 'twice']) {
        await ledger.restore(objects)
        await ledger.expect(ahead)
        await ledger.adoptJob(manifest, job, [awaited('a', 'A')])
      }
      await ledger.endRebuild(lanes)
      expect(await latestOf(ledger, 'a')).toMatchObject({ version: 5, generation: 5, status: 'open' })
      expect(await latestOf(ledger, 'b')).toMatchObject({ version: 3, generation: 1, status: 'indexed' })
      expect(await ledger.parts(manifest)).toHaveLength(1)
      expect((await ledger.survey()).obligations).toHaveLength(1)
    })

    test('a ledger that is given up is empty, and another one', async () => {
      const another = await connect()
      const [first, second] = [another(), another()]
      const { ledgerId } = await first.open('realtime')
      await second.open('realtime')
      await first.openPartition(0, 5n)
      const { owner } = await first.register({ instance: 'a', service: 'b', leaseMs: hourMs })
      await second.distrust('some other ledger', 'a mistake')
      expect((await first.state()).rebuild).toBeUndefined()

      await second.distrust(ledgerId, 'it was rolled back')
      await expect(first.renew(owner, 1, '')).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
      await expect(first.state()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
      const state = await first.open('batch')
      expect(state.ledgerId).not.toBe(ledgerId)
      expect(state).toMatchObject({ defaultLane: 'realtime', rebuild: { because: 'it was rolled back' } })
      expect((await first.survey()).instances).toEqual([])
      // Being rebuilt already, it is not given up once more.
      await first.distrust(state.ledgerId, 'again')
      expect((await first.state()).ledgerId).toBe(state.ledgerId)
      await first.endRebuild(lanes)
      expect(await first.processed([digestOf('A')])).toEqual([false])
    })

    test('a correction is made where the ledger still says what was found', async () => {
      const ledger = await lost()
      await ledger.restore([object('a', 'A', 2), object('b', 'B', 2)])
      await ledger.endRebuild(lanes)
      const found = { version: 2, generation: 2, status: 'indexed' } as const
      const content = digestOf('A')
      const missing = { docKey: digestOf('a'), found, status: 'expected', content } as const
      const stale = {
        docKey: digestOf('b'),
        found: { ...found, version: 1 },
        status: 'expected',
        content
      } as const
      expect(await ledger.correct([missing, stale])).toEqual([true, false])
      expect(await latestOf(ledger, 'a')).toMatchObject({ version: 2, generation: 2, status: 'expected' })
      expect(await latestOf(ledger, 'b')).toMatchObject({ status: 'indexed' })

      const back = {
        docKey: digestOf('a'),
        found: { ...found, status: 'expected' as const },
        status: 'indexed'
      } as const
      expect(await ledger.correct([{ ...back, content: digestOf('other') }])).toEqual([false])
      expect(await ledger.correct([{ ...back, content }])).toEqual([true])
      expect(await latestOf(ledger, 'a')).toMatchObject({ status: 'indexed' })
    })

    test('what is open is not corrected', async () => {
      const ledger = await lost()
      await ledger.endRebuild(lanes)
      await admit(ledger, 10n, { doc: 'a', text: 'A', version: 1 })
      const found = { version: 1, generation: 1, status: 'open' } as const
      const content = digestOf('A')
      expect(await ledger.correct([{ docKey: digestOf('a'), found, status: 'indexed', content }])).toEqual([
        false
      ])
      expect(await ledger.processed([content])).toEqual([false])
    })
  })
}

const fields = { reason: '', delayMs: 0, attempts: 0, failures: 0 }

function sliceAt(from: bigint) {
  return { partition: 0, from, to: from + 1n, candidates: [] }
}
