// One life of this process in the ledger: its owner id, its lease, the ids of its obligations.
import type { ObligationId, OwnerId } from '../domain/identity.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ledger } from '../ports/ledger.ts'

export interface MembershipOptions {
  readonly instance: string
  readonly service: string
  /** How long after the last renewal others may take over. */
  readonly leaseMs: number
}

export class Membership {
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #options: MembershipOptions
  #owner: OwnerId | undefined
  #nextObligation = 1
  #members = new Map<string, string>()

  constructor(ledger: Ledger, clock: Clock, options: MembershipOptions) {
    this.#ledger = ledger
    this.#clock = clock
    this.#options = options
  }

  get owner(): OwnerId {
    if (this.#owner === undefined) throw new Error('not registered yet')
    return this.#owner
  }

  /** An obligation id that nobody used before: owners are unique for ever, and we count. */
  newObligation(): ObligationId {
    const id = `${this.owner}.${this.#nextObligation.toString(36)}`
    this.#nextObligation += 1
    return id as ObligationId
  }

  /** Begins a life. @returns Kafka member ids that former lives left behind, by group. */
  async begin(): Promise<ReadonlyMap<string, string>> {
    const { owner, ghosts } = await this.#ledger.register(this.#options)
    this.#owner = owner
    this.#nextObligation = 1
    for (const [group, memberId] of this.#members) await this.#ledger.noteMember(owner, group, memberId)
    return ghosts
  }

  /** Notes the member id, so that a later life can make a dead member leave its group. */
  async noteMember(group: string, memberId: string): Promise<void> {
    this.#members.set(group, memberId)
    await this.#ledger.noteMember(this.owner, group, memberId)
  }

  /**
   * Renews the lease until the signal aborts. When the ledger does not know us any more, a new life begins; what the
   * old one held is refused by the ledger from then on.
   * @param trouble - why this instance could not work now; empty when it could. Others see it in the ledger.
   * @param onFailure - is told each failed renewal; the next one follows all the same.
   */
  async keep(trouble: () => string, onFailure: (error: unknown) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#options.leaseMs / 4, signal)
      } catch {
        return
      }
      try {
        const { leaseMs } = this.#options
        if (!(await this.#ledger.renew(this.owner, leaseMs, trouble()))) await this.begin()
      } catch (error) {
        onFailure(error)
      }
    }
  }

  /** Ends this life: what is left unfinished may be taken over at once. */
  async end(): Promise<void> {
    if (this.#owner !== undefined) await this.#ledger.release(this.#owner)
  }
}
