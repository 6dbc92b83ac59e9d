import type { ObligationId } from '@pointsman/core/domain/identity'
import { docKey, paymentKey } from '@pointsman/core/runtime/identity'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { describe, expect, test } from 'vitest'
import { documentOf } from '../../../support/memory-world.ts'
import { killed, RebuildWorld, versionOf } from '../../../support/rebuild-world.ts'

const never = new AbortController().signal

const a = documentOf('a', 'text a')
const b = documentOf('b', 'text b')
const c = documentOf('c', 'text c')

/** `a` and `b` are indexed and committed; `c` was never read. */
async function withTwoIndexed(): Promise<RebuildWorld> {
  const of = new RebuildWorld()
  await of.world.produce(a, b)
  await of.world.drain()
  await of.keeper().step(never)
  await of.commit()
  await of.world.produce(c)
  return of
}

/** Everything that is admitted from now on, by what is to be done for it. */
async function admitted(of: RebuildWorld) {
  const before = (await of.world.ledger.survey()).counts
  await of.world.drain()
  const { copy, embed, superseded, unchanged } = (await of.world.ledger.survey()).counts
  return {
    embed: embed - before.embed,
    copy: copy - before.copy,
    superseded: superseded - before.superseded,
    unchanged: unchanged - before.unchanged
  }
}

describe('a ledger that is gone', () => {
  test('comes back: W from Kafka, documents and texts from the index, a higher epoch', async () => {
    const of = await withTwoIndexed()
    of.world.ledgerServer.lose()
    const state = await of.rebuilt()
    expect(state).toMatchObject({ rebuild: undefined, epoch: 2 })
    expect(await of.statuses(a, b, c)).toEqual(['indexed', 'indexed', 'expected'])
    const bounds = await of.world.admin.bounds()
    const ends = [...bounds].map(([p, { end }]) => [p, p === of.world.log.partitionOf('c') ? end - 1n : end])
    expect([...state.partitions].map(([p, { frontier }]) => [p, frontier])).toEqual(ends)
    expect(await admitted(of)).toMatchObject({ embed: 1, copy: 0 })
  })

  test('what was indexed and not committed is read again, and not paid for', async () => {
    const of = new RebuildWorld()
    await of.world.produce(a)
    await of.world.drain()
    await of.keeper().step(never)
    await of.commit()
    await of.world.produce(b, c)
    await of.world.drain()
    of.world.ledgerServer.lose()
    await of.rebuilt()
    expect(await admitted(of)).toMatchObject({ embed: 0, copy: 2 })
  })

  test('versions that were superseded before the loss are not paid for again', async () => {
    const of = new RebuildWorld()
    await of.world.produce(versionOf('d', 'stays', 1))
    await of.world.drain()
    await of.keeper().step(never)
    await of.commit()
    await of.world.produce(versionOf('d', 'old', 2), versionOf('d', 'older', 3), versionOf('d', 'new', 4))
    of.world.ledgerServer.lose()
    await of.rebuilt()
    expect(await admitted(of)).toMatchObject({ embed: 1, superseded: 2 })
    expect([...of.world.store.objects.values()].map(({ properties }) => properties.text)).toEqual(['new'])
  })

  test('a newest record that can never be admitted does not stand in the way of the one before it', async () => {
    const of = await withTwoIndexed()
    await of.world.produce(versionOf('d', 'good', 1), versionOf('d', 'not its hash', 2))
    of.world.ledgerServer.lose()
    const spoiled = { ...versionOf('d', 'x', 3), textHash: 'f'.repeat(64) as typeof a.textHash }
    await of.world.produce(spoiled)
    await of.rebuilt()
    expect(await of.statuses(spoiled)).toEqual(['expected'])
    expect((await of.world.ledger.latest([docKey('d')]))[0]?.version).toBe(2)
  })

  test('it is new, and nothing is rebuilt, where Kafka tells of none', async () => {
    const of = new RebuildWorld()
    await of.world.produce(a)
    const state = await of.rebuilt()
    expect(state).toMatchObject({ rebuild: undefined, epoch: 1 })
    const [opened] = await of.world.control.read(0n, never)
    expect(opened?.record).toMatchObject({ kind: 'opened', ledgerId: state.ledgerId, because: '' })
  })

  test('without a record of its life in the control log, the epoch rises all the same', async () => {
    const of = new RebuildWorld()
    await of.world.produce(a)
    await of.world.drain()
    await of.commit('batch')
    of.world.ledgerServer.lose()
    expect((await of.rebuilt()).epoch).toBe(2)
  })

  test('progress stands in the ledger, with the reason', async () => {
    const of = await withTwoIndexed()
    of.world.ledgerServer.lose()
    await expect(of.keeper('ctl.index').step(never)).rejects.toBe(killed)
    const { rebuild } = await of.world.ledger.open('realtime')
    expect(rebuild).toMatchObject({ stage: 'index', because: 'there was a ledger, and it is gone' })
  })
})

describe('a controller that dies while it rebuilds', () => {
  const windows: readonly Failpoint[] = [
    'ctl.life',
    'ctl.files',
    'ctl.index',
    'ctl.log',
    'ctl.jobs',
    'ctl.rebuilt'
  ]
  test.each(windows)('at %s is followed by one that ends it, in the same life', async window => {
    const of = await withTwoIndexed()
    const batch = await of.job('1.1.1', [c])
    of.world.ledgerServer.lose()
    await expect(of.keeper(window).step(never)).rejects.toBe(killed)
    const state = await of.rebuilt()
    expect(state).toMatchObject({ rebuild: undefined, epoch: 2 })
    const records = await of.world.control.read(0n, never)
    expect(records.map(({ record }) => record?.kind)).toEqual(['opened', 'opened'])
    const { obligations } = await of.world.ledger.survey()
    expect(obligations).toMatchObject([{ kind: 'manifest', job: { batchId: batch }, state: 'submitted' }])
    expect(await of.statuses(a, b, c)).toEqual(['indexed', 'indexed', 'open'])
  })

  test('two of them at once make one ledger', async () => {
    const of = await withTwoIndexed()
    await of.job('1.1.1', [c])
    of.world.ledgerServer.lose()
    await Promise.all([of.keeper().step(never), of.keeper().step(never)])
    const { ledgerId, rebuild } = await of.world.ledger.open('realtime')
    expect(rebuild).toBeUndefined()
    const records = await of.world.control.read(0n, never)
    const lives = records.flatMap(({ record }) => (record?.kind === 'opened' ? [record.ledgerId] : []))
    expect(new Set(lives).size).toBe(2)
    expect(lives.at(-1)).toBe(ledgerId)
    expect(await admitted(of)).toMatchObject({ embed: 0 })
  })
})

describe('jobs of the lost ledger', () => {
  test('one that runs is adopted, and nobody pays for its texts', async () => {
    const of = await withTwoIndexed()
    await of.job('1.1.1', [a, c])
    of.world.ledgerServer.lose()
    await of.rebuilt()
    const { obligations } = await of.world.ledger.survey()
    expect(obligations).toMatchObject([{ id: '1.1.1', job: { lines: 2 } }])
    expect([...(obligations[0]?.parts ?? [])]).toEqual([[of.world.log.partitionOf('c'), 1]])
    expect(await admitted(of)).toMatchObject({ embed: 0 })
  })

  test('a text of one that runs is not paid for when it is wanted later, of one that has ended it is', async () => {
    const of = await withTwoIndexed()
    await of.job('1.1.1', [documentOf('x', 'ended')])
    of.world.provider.server.finishAll()
    await of.job('1.1.2', [documentOf('y', 'running')])
    of.world.ledgerServer.lose()
    await of.rebuilt()
    await of.world.produce(documentOf('v', 'ended'), documentOf('w', 'running'), documentOf('z', 'running'))
    // `c`, and the text of the job that nobody waits for the end of.
    expect(await admitted(of)).toMatchObject({ embed: 2 })
    const parts = await of.world.ledger.parts('1.1.2' as ObligationId)
    expect(parts.map(part => part.docKey).toSorted()).toEqual(['w', 'z'].map(docKey).toSorted())
  })

  test('one that has the vector already is preferred to one that may bring it', async () => {
    const of = await withTwoIndexed()
    const done = await of.job('1.1.1', [c])
    of.world.provider.server.finishAll()
    await of.job('1.1.2', [c])
    of.world.ledgerServer.lose()
    await of.rebuilt()
    const { obligations } = await of.world.ledger.survey()
    const withParts = obligations.filter(({ parts }) => parts.size > 0)
    expect(withParts).toMatchObject([{ job: { batchId: done } }])
    expect(obligations).toHaveLength(2)
  })

  test('of one that ended without some lines, the others may go elsewhere', async () => {
    const of = await withTwoIndexed()
    of.world.provider.server.poison('text c')
    await of.job('1.1.1', [c])
    of.world.provider.server.finishAll()
    of.world.ledgerServer.lose()
    await of.rebuilt()
    const { obligations } = await of.world.ledger.survey()
    expect(obligations).toMatchObject([{ id: '1.1.1', parts: new Map() }])
    expect(await admitted(of)).toMatchObject({ embed: 1 })
  })

  test('an input file that no job uses is deleted first, so that a late call for it can only fail', async () => {
    const of = await withTwoIndexed()
    const fileId = await of.upload('1.1.3', [c])
    of.world.ledgerServer.lose()
    await of.rebuilt()
    expect(of.world.provider.server.inputs.has(fileId)).toBe(false)
    expect(await admitted(of)).toMatchObject({ embed: 1 })
  })

  test('those that were harvested to their end are left alone', async () => {
    const of = await withTwoIndexed()
    await of.job('1.1.1', [a])
    const { server } = of.world.provider
    server.finishAll()
    for (const fileId of [...server.inputs.keys(), ...server.results.keys()]) {
      await of.world.provider.deleteFile(fileId, never)
    }
    of.world.ledgerServer.lose()
    await of.rebuilt()
    expect((await of.world.ledger.survey()).obligations).toEqual([])
  })

  test('two records of one version that differ are adopted for no job: either may be the newest when it is admitted', async () => {
    const of = await withTwoIndexed()
    const [first, second] = [versionOf('d', 'one', 5), versionOf('d', 'other', 5)]
    await of.job('1.1.1', [second])
    await of.world.produce(first, second, versionOf('e', 'twice', 5), versionOf('e', 'twice', 5))
    await of.job('1.1.2', [versionOf('e', 'twice', 5)])
    of.world.ledgerServer.lose()
    await of.rebuilt()
    const { obligations } = await of.world.ledger.survey()
    expect(obligations.map(({ id, parts }) => [id, parts.size])).toEqual([
      ['1.1.2', 1],
      ['1.1.1', 0]
    ])
    await of.world.drain()
    // The later one it is, and it waits for the job that brings its text.
    const waiting = await of.world.ledger.parts('1.1.1' as ObligationId)
    expect(waiting).toMatchObject([
      { docKey: docKey('d'), content: paymentKey(of.world.spec, second.textHash) }
    ])
    const texts = [...of.world.store.objects.values()].map(({ properties }) => properties.text)
    expect(texts.filter(text => text === 'one' || text === 'other')).toEqual(['one'])
  })
})
