// A handle on the ledger as the Redis adapter makes it: the ledger counts its transitions, and each call says how far it
// had come when the caller was answered last. One that has counted fewer was rolled back, and is given up.
import type { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import type { World } from './world.ts'

/** What changes nothing, and so is not counted. */
const readers: ReadonlySet<string> = new Set([
  'open',
  'state',
  'survey',
  'latest',
  'processed',
  'parts',
  'superseded',
  'watermarks',
  'adoptable',
  'pastJobs',
  'distrust',
  'watch'
])

export function countedLedger(ledger: MemoryLedger, world: World): MemoryLedger {
  const { ledgerServer, story } = world
  const known = { ledgerId: '', serial: 0 }
  return new Proxy(ledger, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const { state } = ledgerServer
        if (state?.ledgerId === known.ledgerId && world.serial < known.serial) {
          story.note('a roll-back was found by the count of transitions')
          ledgerServer.begin(state.defaultLane, 'the ledger was rolled back')
          ledgerServer.wake()
        }
        const answer: unknown = await Reflect.apply(value, target, args)
        if (!readers.has(String(key))) world.serial += 1
        known.ledgerId = ledgerServer.state?.ledgerId ?? ''
        known.serial = world.serial
        return answer
      }
    }
  })
}
