import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import { newLedgerState } from '@pointsman/core/adapters/memory/ledger-state'
import { expect, test } from 'vitest'
import { ledgerContract } from '../contract/ledger.ts'
import { rebuildContract } from '../contract/ledger-rebuild.ts'
import { hourMs, LedgerScene } from '../support/ledger-scene.ts'

ledgerContract('memory', () => new MemoryLedger(new MemoryLedgerServer(() => Date.now())))

rebuildContract('memory', async () => {
  const server = new MemoryLedgerServer(() => Date.now())
  return () => new MemoryLedger(server)
})

test('the lease of another instance that ran out is remembered for a day, for whoever makes its members leave', async () => {
  let nowMs = 1
  const ledger = new MemoryLedger(new MemoryLedgerServer(() => nowMs))
  await ledger.open('realtime')
  const life = { service: 'test', leaseMs: hourMs }
  await ledger.register({ instance: 'gone', ...life })
  const instances = async (): Promise<string[]> =>
    (await ledger.survey()).instances.map(({ instance }) => instance)

  nowMs += 24 * hourMs
  await ledger.register({ instance: 'one', ...life })
  expect(await instances()).toEqual(['gone', 'one'])
  nowMs += hourMs
  await ledger.register({ instance: 'two', ...life })
  expect(await instances()).toEqual(['one', 'two'])
})

test('a part that the ledger does not know of any more is what it knows after its settlement', async () => {
  const state = newLedgerState('ledger', 'realtime')
  const scene = await LedgerScene.open(new MemoryLedger(new MemoryLedgerServer(() => 1, { state })))
  const { obligation } = await scene.admit([
    { doc: 'a', text: 'A', version: 5 },
    { doc: 'b', version: 6 }
  ])
  const parts = await scene.ledger.parts(obligation)
  state.latest.clear()

  expect((await scene.settle(obligation, parts, 'skipped')).answers).toEqual([
    { kind: 'current' },
    { kind: 'current' }
  ])
  await scene.finish(obligation)
  const known = await scene.ledger.latest(parts.map(part => part.docKey))
  expect(known).toMatchObject([
    { generation: 5, status: 'indexed' },
    { generation: 6, content: undefined, status: 'indexed' }
  ])
})

test('of archived manifests the last thousand jobs are kept', async () => {
  const state = newLedgerState('ledger', 'realtime')
  const scene = await LedgerScene.open(new MemoryLedger(new MemoryLedgerServer(() => 1, { state })))
  for (const text of ['A', 'B']) {
    const manifest = scene.newId()
    await scene.admit([{ doc: text, text }], { manifest })
    await scene.finish(manifest)
    await scene.ledger.advance(manifest, scene.owner, 'open', 'archived', { creates: 1 })
    const [past] = state.pastJobs
    if (text === 'A') state.pastJobs = Array.from({ length: 1000 }, () => past!)
  }
  expect(state.pastJobs).toHaveLength(1000)
  const [latest, ...older] = await scene.ledger.pastJobs(1001)
  expect(older).not.toContainEqual(latest)
})
