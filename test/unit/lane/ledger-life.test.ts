import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import { LedgerLife } from '@pointsman/core/lane/ledger-life'
import type { Admission, Ledger, LedgerState } from '@pointsman/core/ports/ledger'
import { expect, test, vi } from 'vitest'

async function openLife(): Promise<{
  readonly server: MemoryLedgerServer
  readonly handle: MemoryLedger
  readonly life: LedgerLife
  readonly admission: (from: bigint, to: bigint) => Admission
}> {
  const server = new MemoryLedgerServer(() => 1)
  const handle = new MemoryLedger(server)
  const life = new LedgerLife(handle, await handle.open('realtime'))
  await life.ledger.openPartition(0, 0n)
  const { owner } = await life.ledger.register({ instance: 'one', service: 'test', leaseMs: 1_000 })
  let admissions = 0
  const admission = (from: bigint, to: bigint): Admission => {
    admissions += 1
    return {
      owner,
      epoch: 1,
      lane: 'realtime',
      obligation: `${owner}.${admissions}` as ObligationId,
      slices: [{ partition: 0, from, to, candidates: [] }]
    }
  }
  return { server, handle, life, admission }
}

/** Answers of the ledger that arrive when the test says so. */
function heldBack<Answer>(answer: Promise<Answer>): {
  readonly give: () => void
  readonly answer: Promise<Answer>
} {
  const given = Promise.withResolvers<void>()
  return { give: given.resolve, answer: given.promise.then(() => answer) }
}

test('a call that finds another ledger, or none, ends the life, and no later call reaches the ledger', async () => {
  const { handle, life, server } = await openLife()
  const renew = vi.spyOn(handle, 'renew')
  server.lose()
  await expect(life.ledger.watermarks()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })

  expect(life.over.aborted).toBe(true)
  await handle.open('realtime')
  await expect(life.ledger.renew('1.1' as OwnerId, 1, '')).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
  expect(renew).not.toHaveBeenCalled()
  expect(life.distrusted).toBeUndefined()
})

test('a ledger that is being rebuilt ends the life, also if it only tells so', async () => {
  const { handle, life, server } = await openLife()
  server.lose()
  await handle.open('realtime', 'lost')
  await expect(life.ledger.state()).rejects.toMatchObject({ code: 'LEDGER_REBUILDING' })

  expect(life.over.aborted).toBe(true)
  expect(life.distrusted).toBeUndefined()
})

test('an answer that comes after the end of the life is refused: nothing may be paid for on its account', async () => {
  const { handle, life } = await openLife()
  const late = heldBack(Promise.resolve('journalled' as const))
  vi.spyOn(handle, 'attempt').mockImplementation(() => late.answer)
  const journalled = life.ledger.attempt('1.1.1' as ObligationId, '1.1' as OwnerId, 1, 16)
  life.distrust('in a test')
  late.give()

  await expect(journalled).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })
})

test('any other failure leaves the life as it is', async () => {
  const { handle, life } = await openLife()
  vi.spyOn(handle, 'watermarks').mockRejectedValueOnce(new Error('no answer'))
  await expect(life.ledger.watermarks()).rejects.toThrow('no answer')

  expect(life.over.aborted).toBe(false)
})

type Fall = readonly [
  name: string,
  ask: (ledger: Ledger, admission: Admission) => Promise<unknown>,
  told: string
]
const falls: readonly Fall[] = [
  ['the state', ledger => ledger.state(), 'A of partition 0 fell from 5 to 0'],
  [
    'a refused admission',
    (ledger, admission) => ledger.admit(admission),
    'A of partition 0 fell from 5 to 0'
  ],
  ['an opened partition', ledger => ledger.openPartition(0, 0n), 'A of partition 0 fell from 5 to 0'],
  ['the watermarks', ledger => ledger.watermarks(), 'W of partition 0 fell from 5 to 0']
]

test.each(falls)(
  '%s with less than was answered before tells of a ledger that was rolled back',
  async (...fall) => {
    const [, ask, told] = fall
    const { admission, life, server } = await openLife()
    const snapshot = server.snapshot()
    expect((await life.ledger.admit(admission(0n, 5n))).kind).toBe('admitted')
    await life.ledger.watermarks()
    server.rollBack(snapshot)
    await expect(ask(life.ledger, admission(5n, 6n))).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })

    expect(life.distrusted).toBe(`the ledger was rolled back: ${told}`)
  }
)

test('an epoch that fell tells of a ledger that was rolled back', async () => {
  const { life, server } = await openLife()
  const snapshot = server.snapshot()
  const lanes = new Map([[0, 'batch' as const]])
  const release = 'open' as const
  await life.ledger.switchLanes({ expectedEpoch: 1, epoch: 7, lanes, defaultLane: 'batch', release })
  await life.ledger.state()
  server.rollBack(snapshot)
  await expect(life.ledger.state()).rejects.toMatchObject({ code: 'LEDGER_FOREIGN' })

  expect(life.distrusted).toBe('the ledger was rolled back: the epoch fell from 7 to 1')
})

test('answers that overtake each other prove nothing', async () => {
  const { admission, handle, life } = await openLife()
  const older: { give: () => void; answer: Promise<LedgerState> } = heldBack(handle.state())
  vi.spyOn(handle, 'state').mockImplementationOnce(() => older.answer)
  const asked = life.ledger.state()
  const olderMarks = heldBack(handle.watermarks())
  vi.spyOn(handle, 'watermarks').mockImplementationOnce(() => olderMarks.answer)
  const askedMarks = life.ledger.watermarks()
  await life.ledger.admit(admission(0n, 5n))
  await life.ledger.watermarks()
  await life.ledger.state()
  older.give()
  olderMarks.give()

  expect((await asked).partitions.get(0)?.frontier).toBe(0n)
  expect((await askedMarks).get(0)).toBe(0n)
  expect(life.over.aborted).toBe(false)
})

test('a repeated admission, answered as the first time though A has moved on, proves nothing', async () => {
  const { admission, life } = await openLife()
  const first = admission(0n, 5n)
  await life.ledger.admit(first)
  await life.ledger.admit(admission(5n, 9n))
  await life.ledger.state()
  const again = await life.ledger.admit(first)

  // Without a part it is not kept: told is the true frontier.
  expect(again).toEqual({ kind: 'behind', frontiers: new Map([[0, 9n]]) })
  await life.ledger.state()
  expect(life.over.aborted).toBe(false)
})
