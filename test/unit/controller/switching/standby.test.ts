import { expect, test } from 'vitest'
import { SwitchingWorld } from '../../../support/switching.ts'

test('a lane is ready with a living instance and every partition in the hands of a member', async () => {
  const of = await SwitchingWorld.open()
  expect(await of.controller().standby('batch')).toEqual({
    lane: 'batch',
    ready: true,
    reasons: [],
    instances: [{ instance: 'embedder-batch-1', alive: true, trouble: '' }],
    group: { name: 'test.embedder-batch', state: 'Stable', members: 1, unassigned: [] }
  })
})

test('a lane whose instances are all dead is not ready', async () => {
  const of = await SwitchingWorld.open()
  of.world.clock.now += 7_200_000
  const { ready, reasons } = await of.controller().standby('batch')
  expect(ready).toBe(false)
  expect(reasons).toEqual(['no embedder-batch is alive: start one'])
})

test('trouble of every instance is a reason, of one beside others it is not', async () => {
  const of = await SwitchingWorld.open()
  const { ledger } = of.world
  const owner = of.owners.get('batch')
  if (owner === undefined) throw new Error('no instance')
  await ledger.renew(owner, 3_600_000, 'provider: wrong key')
  expect((await of.controller().standby('batch')).reasons).toEqual(['embedder-batch-1: provider: wrong key'])
  await ledger.register({ instance: 'embedder-batch-2', service: 'embedder-batch', leaseMs: 3_600_000 })
  expect((await of.controller().standby('batch')).ready).toBe(true)
})

test('partitions that no member has yet are named', async () => {
  const of = await SwitchingWorld.open()
  const group = of.world.log.group(of.names.groups.batch)
  for (const { memberId } of group.describe().members) group.leave(memberId)
  const { ready, reasons } = await of.controller().standby('batch')
  expect(ready).toBe(false)
  expect(reasons[0]).toContain('test.embedder-batch')
})
