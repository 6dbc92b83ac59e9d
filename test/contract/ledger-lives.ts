import type { OwnerId } from '@pointsman/core/domain/identity'
import { expect, test } from 'vitest'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { hourMs } from '../support/ledger-scene.ts'

export function livesContract(open: () => Promise<LedgerScene>): void {
  const life = (instance: string, leaseMs = hourMs) => ({ instance, service: 'embedder-realtime', leaseMs })

  test('every life has a name of its own, which begins with the epoch', async () => {
    const { ledger, owner, other } = await open()
    const { owner: again } = await ledger.register(life('one'))
    expect(new Set([owner, other, again]).size).toBe(3)
    expect(again).toMatch(/^1\.\d+$/)
  })

  test('a new life is told of members that former lives left, until it has joined itself', async () => {
    const { ledger, owner, other } = await open()
    await ledger.noteMember(owner, 'group', 'member-1')
    await ledger.noteMember(owner, 'group', 'member-2')
    await ledger.noteMember(owner, 'second', 'member-3')
    await ledger.noteMember(other, 'group', 'member-of-two')

    const ghosts = new Map([
      ['group', 'member-2'],
      ['second', 'member-3']
    ])
    const second = await ledger.register(life('one', 0))
    expect(second.ghosts).toEqual(ghosts)
    await ledger.release(owner)
    const third = await ledger.register(life('one'))
    expect(third.ghosts).toEqual(ghosts)

    await ledger.noteMember(third.owner, 'group', 'member-4')
    const fourth = await ledger.register(life('one'))
    expect(fourth.ghosts).toEqual(ghosts.set('group', 'member-4'))
    expect((await ledger.register(life('three'))).ghosts).toEqual(new Map())
  })

  test('a life that ended in order leaves nothing behind', async () => {
    const { ledger, owner } = await open()
    await ledger.noteMember(owner, 'group', 'member')
    await ledger.release(owner)
    await ledger.release(owner)
    expect((await ledger.register(life('one'))).ghosts).toEqual(new Map())
    expect(await ledger.renew(owner, hourMs, '')).toBe(false)
    await ledger.noteMember(owner, 'group', 'late')
    expect((await ledger.survey()).instances.map(({ instance }) => instance)).toEqual(['two', 'one'])
  })

  test('a lease is renewed for a life that is known, also after it ran out', async () => {
    const { ledger, owner } = await open()
    const leaseOf = async (id: OwnerId): Promise<number> => {
      const { instances, nowMs } = await ledger.survey()
      return (instances.find(instance => instance.owner === id)?.leaseUntilMs ?? 0) - nowMs
    }
    expect(await ledger.renew(owner, 0, '')).toBe(true)
    expect(await leaseOf(owner)).toBeLessThanOrEqual(0)
    expect(await ledger.renew(owner, hourMs, '')).toBe(true)
    expect(await leaseOf(owner)).toBeGreaterThan(hourMs / 2)
    expect(await ledger.renew('1.99' as OwnerId, hourMs, '')).toBe(false)
  })

  test('a life tells with each renewal why it could not work, until it could again or a new life begins', async () => {
    const { ledger, owner } = await open()
    const troubles = async (): Promise<string[]> =>
      (await ledger.survey()).instances.map(({ trouble }) => trouble)
    expect(await troubles()).toEqual(['', ''])
    await ledger.renew(owner, 0, 'the store: is "away"')
    expect(await troubles()).toEqual(['the store: is "away"', ''])
    await ledger.renew(owner, 0, '')
    expect(await troubles()).toEqual(['', ''])
    await ledger.renew(owner, 0, 'no provider')
    await ledger.register(life('one'))
    expect(await troubles()).toEqual(['', ''])
  })

  test('the survey names living and former lives with their members', async () => {
    const { ledger, owner, other } = await open()
    await ledger.noteMember(other, 'group', 'member')
    const { instances } = await ledger.survey()
    expect(instances).toMatchObject([
      { owner, instance: 'one', service: 'embedder-realtime', members: new Map() },
      { owner: other, instance: 'two', members: new Map([['group', 'member']]) }
    ])
  })

  test('a former life that has its lease keeps what it owns, and one that has not is forgotten', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    await scene.admit([{ doc: 'a', text: 'A' }])
    await ledger.register(life('one'))
    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toEqual([])

    await ledger.renew(owner, 0, '')
    await ledger.register(life('one'))
    expect((await ledger.survey()).instances.map(instance => instance.owner)).not.toContain(owner)
    expect(await ledger.adoptable(['request', 'orphan', 'manifest'], 10)).toHaveLength(1)
  })
}
