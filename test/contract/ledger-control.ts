import type { Lane } from '@pointsman/core/domain/lane'
import type { Ledger } from '@pointsman/core/ports/ledger'
import { expect, test, vi } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'

export function controlContract(open: () => Promise<LedgerScene>, make: () => Ledger): void {
  const toBatch = (expectedEpoch: number, epoch: number, partitions: readonly number[] = [0, 1]) => ({
    expectedEpoch,
    epoch,
    lanes: new Map(partitions.map(partition => [partition, 'batch' as Lane])),
    defaultLane: 'batch' as const,
    release: 'open' as const
  })

  test('there is no ledger before it is opened', async () => {
    const ledger = make()
    await expect(ledger.state()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
    await expect(ledger.register({ instance: 'a', service: 'b', leaseMs: 1 })).rejects.toMatchObject({
      code: 'LEDGER_FOREIGN'
    })
  })

  test('opening makes the ledger once', async () => {
    const ledger = make()
    const made = await ledger.open('realtime')
    expect(made).toEqual({
      ledgerId: expect.stringMatching(/.{16}/),
      epoch: 1,
      draining: undefined,
      pause: undefined,
      defaultLane: 'realtime',
      partitions: new Map(),
      handoff: undefined
    })
    expect(await ledger.open('batch')).toEqual(made)
    expect(await ledger.state()).toEqual(made)
  })

  test('a partition is opened once, in the default lane', async () => {
    const { ledger } = await open()
    expect(await ledger.openPartition(7, 100n)).toEqual({ lane: 'realtime', frontier: 100n })
    expect(await ledger.openPartition(7, 200n)).toEqual({ lane: 'realtime', frontier: 100n })
    await ledger.switchLanes({
      expectedEpoch: 1,
      epoch: 2,
      lanes: new Map(),
      defaultLane: 'batch',
      release: 'open'
    })
    expect(await ledger.openPartition(7, 0n)).toEqual({ lane: 'realtime', frontier: 100n })
    expect(await ledger.openPartition(8, 0n)).toEqual({ lane: 'batch', frontier: 0n })
  })

  test('a switch changes lanes and epoch at once and tells the frontiers at the cut, also when asked again', async () => {
    const scene = await open()
    const { ledger } = scene
    await scene.admit([{ doc: 'a', text: 'A' }], { partition: 1 })
    const cut = new Map([
      [0, 0n],
      [1, 1n]
    ])
    expect(await ledger.switchLanes(toBatch(1, 5, [1, 9]))).toMatchObject({
      kind: 'switched',
      handoff: { frontiers: cut }
    })
    expect(await ledger.state()).toMatchObject({
      epoch: 5,
      defaultLane: 'batch',
      partitions: new Map([
        [0, { lane: 'realtime', frontier: 0n }],
        [1, { lane: 'batch', frontier: 1n }]
      ])
    })

    await scene.admit([{ doc: 'b', text: 'B' }], { epoch: 5 })
    const before = await dumpLedger(ledger)
    expect(await ledger.switchLanes(toBatch(1, 5, [1, 9]))).toMatchObject({
      kind: 'switched',
      handoff: { frontiers: cut }
    })
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('a switch that expects another epoch changes nothing, and an epoch never falls', async () => {
    const { ledger } = await open()
    await ledger.switchLanes(toBatch(1, 5))
    const before = await dumpLedger(ledger)
    expect(await ledger.switchLanes(toBatch(1, 6, []))).toEqual({
      kind: 'refused',
      reason: 'epoch',
      epoch: 5
    })
    expect(await ledger.switchLanes(toBatch(4, 7, []))).toEqual({
      kind: 'refused',
      reason: 'epoch',
      epoch: 5
    })
    await expect(ledger.switchLanes(toBatch(5, 5))).rejects.toThrow(RangeError)
    expect(await dumpLedger(ledger)).toEqual(before)
  })

  test('work in flight is finished across a switch', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    await scene.ledger.switchLanes(toBatch(1, 2))
    expect(await scene.ledger.attempt(obligation, scene.owner, 1, 1)).toBe('journalled')
    expect(await scene.finish(obligation)).toEqual([{ kind: 'settled' }])
  })

  test('a pause keeps its reason until it is ended, and needs the current epoch', async () => {
    const { ledger } = await open()
    expect(await ledger.pause(2, 'too late', 'x')).toBe(false)
    expect((await ledger.state()).pause).toBeUndefined()

    expect(await ledger.pause(1, 'store is away', 'gate')).toBe(true)
    expect(await ledger.pause(1, 'holiday', 'operator')).toBe(true)
    expect((await ledger.state()).pause).toMatchObject({ reason: 'store is away', actor: 'gate' })
    expect((await ledger.state()).pause?.sinceMs).toBeGreaterThan(0)

    expect(await ledger.resume(2)).toBe(false)
    expect((await ledger.state()).pause).toBeDefined()
    expect(await ledger.resume(1)).toBe(true)
    expect(await ledger.resume(1)).toBe(true)
    expect((await ledger.state()).pause).toBeUndefined()
  })

  test('a pause outlives a switch', async () => {
    const { ledger } = await open()
    await ledger.pause(1, 'store is away', 'gate')
    await ledger.switchLanes(toBatch(1, 2))
    expect((await ledger.state()).pause).toMatchObject({ reason: 'store is away' })
  })

  test('whoever watches is woken by every change of lanes, drain, pause and partitions, until the watch is over', async () => {
    const { ledger } = await open()
    const changes = [
      () => ledger.pause(1, 'x', 'y'),
      () => ledger.resume(1),
      () => ledger.drain({ expectedEpoch: 1, epoch: 2 }),
      () => ledger.abortSwitch(2),
      () => ledger.switchLanes(toBatch(1, 3)),
      () => ledger.openPartition(6, 0n)
    ]
    const woken = vi.fn<() => void>()
    const last = vi.fn<() => void>()
    {
      await using _ = await ledger.watch(woken)
      for (const change of changes) {
        woken.mockClear()
        await change()
        await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      }
    }
    woken.mockClear()
    await using _ = await ledger.watch(last)
    await ledger.pause(3, 'x', 'y')
    await vi.waitFor(() => expect(last).toHaveBeenCalled())
    expect(woken).not.toHaveBeenCalled()
  })

  test('documents and payment keys that were never seen are unknown', async () => {
    const { ledger } = await open()
    expect(await ledger.latest([])).toEqual([])
    expect(await ledger.processed([])).toEqual([])
    expect(await ledger.superseded([])).toEqual([])
  })
}
