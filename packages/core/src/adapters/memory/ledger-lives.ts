// Lives of instances: registration, leases, and the Kafka members that dead lives leave behind.
import type { OwnerId } from '../../domain/identity.ts'
import type { Instance, Registration } from '../../ports/ledger.ts'
import type { MemoryLedgerState } from './ledger-state.ts'

/** A life whose lease ran out so long ago left nothing behind that anybody waits for. */
const forgetMs = 86_400_000

export function register(
  state: MemoryLedgerState,
  { instance, service, leaseMs }: Registration,
  nowMs: number
): { readonly owner: OwnerId; readonly ghosts: ReadonlyMap<string, string> } {
  const ghosts = new Map<string, string>()
  for (const [id, record] of state.owners) {
    const former = record.instance === instance
    if (former) {
      for (const [group, member] of [...record.ghosts, ...record.members]) ghosts.set(group, member)
    }
    // A former life that still has its lease may be another process by mistake: it keeps what it owns.
    if (record.leaseUntilMs <= (former ? nowMs : nowMs - forgetMs)) state.owners.delete(id)
  }
  const owner = `${state.epoch}.${state.nextOwner}` as OwnerId
  state.nextOwner += 1
  const leaseUntilMs = nowMs + leaseMs
  state.owners.set(owner, { instance, service, leaseUntilMs, members: new Map(), ghosts, trouble: '' })
  return { owner, ghosts: new Map(ghosts) }
}

export function noteMember(state: MemoryLedgerState, owner: OwnerId, group: string, memberId: string): void {
  const record = state.owners.get(owner)
  if (record === undefined) return
  // It has joined, so the ghost of its group is gone: a join waits for all members.
  record.ghosts.delete(group)
  record.members.set(group, memberId)
}

export function instancesOf(state: MemoryLedgerState): Instance[] {
  return [...state.owners].map(([owner, { instance, service, leaseUntilMs, members, trouble }]) => ({
    owner,
    instance,
    service,
    leaseUntilMs,
    members: new Map(members),
    trouble
  }))
}
