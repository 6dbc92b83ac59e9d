import type { ObligationId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import { dumpLedger } from '../support/ledger-dump.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { digestOf } from '../support/ledger-scene.ts'

export function settlementContract(open: () => Promise<LedgerScene>): void {
  test('I3 W is the lowest unsettled offset, and follows when that is settled', async () => {
    const scene = await open()
    const { ledger } = scene
    const { obligation } = await scene.admit(['a', 'b', 'c'].map(doc => ({ doc, text: doc })))
    const [a, b, c] = await ledger.parts(obligation)

    await scene.settle(obligation, [b!])
    expect((await ledger.survey()).progress.get(0)).toEqual({
      lane: 'realtime',
      frontier: 3n,
      watermark: 0n,
      unsettled: 2
    })
    await scene.settle(obligation, [a!])
    expect((await ledger.watermarks()).get(0)).toBe(2n)
    await scene.settle(obligation, [c!])
    expect((await ledger.watermarks()).get(0)).toBe(3n)
    expect(await scene.obligation(obligation)).toBeUndefined()
  })

  test('W passes the borders of what is kept together', async () => {
    const scene = await open()
    const { ledger } = scene
    await ledger.openPartition(2, 8_190n)
    const { obligation } = await scene.admit(
      ['a', 'b', 'c', 'd'].map(doc => ({ doc, text: doc })),
      { partition: 2, from: 8_190n }
    )
    for (const [index, part] of (await ledger.parts(obligation)).entries()) {
      expect((await ledger.watermarks()).get(2)).toBe(8_190n + BigInt(index))
      await scene.settle(obligation, [part])
    }
    expect((await ledger.watermarks()).get(2)).toBe(8_194n)
  })

  test('I4 a vector counts as processed, and a document as indexed, from its settlement on', async () => {
    const scene = await open()
    const { ledger } = scene
    const { obligation } = await scene.admit([
      { doc: 'a', text: 'A' },
      { doc: 'b', text: 'B' }
    ])
    expect(await ledger.processed([digestOf('A'), digestOf('B')])).toEqual([false, false])
    expect(await scene.statusOf('a')).toBe('open')

    const [a, b] = await ledger.parts(obligation)
    await scene.settle(obligation, [a!])
    await scene.settle(obligation, [b!], 'dead')
    expect(await ledger.processed([digestOf('A'), digestOf('B')])).toEqual([true, false])
    expect([await scene.statusOf('a'), await scene.statusOf('b')]).toEqual(['indexed', 'dead'])
    expect((await ledger.survey()).counts).toMatchObject({ indexed: 1, dead: 1, processed: 1 })
  })

  test('a content that was superseded meanwhile is not indexed: it stays until it is skipped', async () => {
    const scene = await open()
    const { ledger } = scene
    const old = await scene.admit([{ doc: 'a', text: 'A', version: 1 }])
    const parts = await ledger.parts(old.obligation)
    await scene.admit([{ doc: 'a', text: 'B', version: 2 }])
    expect(await ledger.superseded(parts)).toEqual([true])

    expect((await scene.settle(old.obligation, parts)).answers).toEqual([{ kind: 'superseded' }])
    expect(await ledger.parts(old.obligation)).toEqual(parts)
    expect(await ledger.processed([digestOf('A')])).toEqual([false])
    expect((await scene.settle(old.obligation, parts, 'skipped')).answers).toEqual([{ kind: 'settled' }])
    expect(await scene.obligation(old.obligation)).toBeUndefined()
    expect(await scene.statusOf('a')).toBe('open')
    expect((await ledger.survey()).counts).toMatchObject({ skipped: 1, indexed: 0 })
  })

  test('an old content that was given up does not make the newer one dead', async () => {
    const scene = await open()
    const old = await scene.admit([{ doc: 'a', text: 'A', version: 1 }])
    await scene.index([{ doc: 'a', text: 'B', version: 2 }])
    await scene.settle(old.obligation, await scene.ledger.parts(old.obligation), 'dead')
    expect(await scene.statusOf('a')).toBe('indexed')
  })

  test('I2 what nothing supersedes cannot be skipped', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }, { doc: 'b' }])
    const parts = await scene.ledger.parts(obligation)
    const { answers } = await scene.settle(obligation, parts, 'skipped')
    expect(answers).toEqual([{ kind: 'current' }, { kind: 'current' }])
    expect(await scene.ledger.parts(obligation)).toEqual(parts)
  })

  test('only the owner settles', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])
    const parts = await scene.ledger.parts(obligation)
    const before = await dumpLedger(scene.ledger)

    const { answers, more } = await scene.settle(obligation, parts, 'done', scene.other)
    expect({ answers, more }).toEqual({ answers: [{ kind: 'gone', newer: false }], more: [] })
    const unknown = await scene.settle('1.1.999' as ObligationId, parts)
    expect(unknown.answers).toEqual([{ kind: 'gone', newer: false }])
    expect(await dumpLedger(scene.ledger)).toEqual(before)
  })

  test('a repeated settlement asks nothing of the caller', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([
      { doc: 'a', text: 'A' },
      { doc: 'b', text: 'B' }
    ])
    const [a] = await scene.ledger.parts(obligation)
    await scene.settle(obligation, [a!])
    const before = await dumpLedger(scene.ledger)

    expect((await scene.settle(obligation, [a!])).answers).toEqual([{ kind: 'gone', newer: false }])
    expect(await dumpLedger(scene.ledger)).toEqual(before)
    const twice = await scene.settle(obligation, await scene.ledger.parts(obligation).then(([b]) => [b!, b!]))
    expect(twice.answers).toEqual([{ kind: 'settled' }, { kind: 'gone', newer: false }])
    expect((await scene.ledger.survey()).counts.indexed).toBe(2)
  })

  test('whoever holds a part no more is told whether something newer came', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A', version: 1 }])
    const parts = await scene.ledger.parts(obligation)
    await scene.finish(obligation)
    await scene.admit([{ doc: 'a', version: 2 }])
    expect((await scene.settle(obligation, parts)).answers).toEqual([{ kind: 'gone', newer: true }])
  })

  test('the owner is told of parts that joined, until they are settled', async () => {
    const scene = await open()
    const { ledger } = scene
    const { obligation } = await scene.admit([
      { doc: 'a', text: 'same' },
      { doc: 'b', text: 'other' }
    ])
    const [a, b] = await ledger.parts(obligation)
    await scene.admit([{ doc: 'd', text: 'same' }], { partition: 1 })
    await scene.admit([{ doc: 'c', text: 'same' }])

    const { more } = await scene.settle(obligation, [a!])
    expect(more.map(({ partition, offset, action }) => [partition, offset, action])).toEqual([
      [1, 0n, 'share'],
      [0, 2n, 'share']
    ])
    expect((await scene.settle(obligation, [])).more).toEqual(more)
    expect((await scene.settle(obligation, more.slice(0, 1))).more).toEqual(more.slice(1))
    expect((await scene.settle(obligation, [...more.slice(1), b!])).more).toEqual([])
    expect(await scene.obligation(obligation)).toBeUndefined()
  })

  test('at most 256 parts that joined are told at once', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'first', text: 'same' }])
    const many = Array.from({ length: 300 }, (_, index) => ({ doc: `d${index}`, text: 'same' }))
    await scene.admit(many)

    const first = await scene.settle(
      obligation,
      await scene.ledger.parts(obligation).then(parts => parts.slice(0, 1))
    )
    expect(first.more.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 256 }, (_, index) => BigInt(index + 1))
    )
    const second = await scene.settle(obligation, first.more)
    expect(second.more).toHaveLength(44)
    expect((await scene.settle(obligation, second.more)).more).toEqual([])
    expect((await scene.ledger.survey()).obligations).toEqual([])
  })

  test('I5 the payment ends with the last part that waits for it', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([
      { doc: 'a', text: 'same' },
      { doc: 'b', text: 'same' }
    ])
    const [a, b] = await scene.ledger.parts(obligation)
    await scene.settle(obligation, [a!], 'dead')
    expect((await scene.admit([{ doc: 'c', text: 'same' }])).verdicts).toEqual([{ kind: 'elsewhere' }])

    const { more } = await scene.settle(obligation, [b!], 'dead')
    await scene.settle(obligation, more, 'dead')
    expect((await scene.admit([{ doc: 'd', text: 'same' }])).verdicts).toMatchObject([{ action: 'embed' }])
  })

  test('what was paid and what had to be paid is summed up', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([
      { doc: 'a', text: 'four' },
      { doc: 'b', text: 'four' },
      { doc: 'c', text: 'seven77' }
    ])
    const parts = await scene.ledger.parts(obligation)
    const outcomes = parts.map(part => ({ part, settlement: 'indexed' as const }))
    await scene.ledger.settle(obligation, scene.owner, outcomes, 12)
    expect((await scene.ledger.survey()).counts).toMatchObject({ paidTokens: 12, necessaryTokens: 11 })
  })

  test('a delete is not indexed, and a document not deleted', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }, { doc: 'b' }])
    const [document, deletion] = await scene.ledger.parts(obligation)
    await expect(scene.settle(obligation, [document!], 'deleted')).rejects.toThrow(RangeError)
    await expect(scene.settle(obligation, [deletion!], 'indexed')).rejects.toThrow(RangeError)
  })

  test('an attempt is journalled once, with what it puts at risk, and only for the owner', async () => {
    const scene = await open()
    const { ledger, owner, other } = scene
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A' }])

    expect(await ledger.attempt(obligation, other, 1, 64)).toBe('gone')
    expect(await scene.obligation(obligation)).toMatchObject({
      state: 'admitted',
      attempts: 0,
      inputsAtRisk: 0
    })
    for (const _ of [1, 2]) {
      expect(await ledger.attempt(obligation, owner, 1, 64)).toBe('journalled')
      expect(await scene.obligation(obligation)).toMatchObject({
        state: 'paying',
        attempts: 1,
        inputsAtRisk: 64
      })
    }
    await ledger.attempt(obligation, owner, 2, 32)
    expect(await ledger.attempt(obligation, owner, 1, 64)).toBe('journalled')
    expect(await scene.obligation(obligation)).toMatchObject({ attempts: 2, inputsAtRisk: 32 })
    await scene.finish(obligation)
    expect(await ledger.attempt(obligation, owner, 3, 1)).toBe('gone')
  })
}
