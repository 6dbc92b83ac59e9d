// Looks at the ledger from inside, before and after every transition, with a memory of its own:
//   I1 OneAdmission   an offset is admitted once in the life of a ledger, at the frontier
//   I2 Covered        what was admitted and is not settled is a part of exactly one obligation, and of no other offset
//   I3 CommitSafe     nothing above the lowest unsettled offset is committed; what is committed and epochs never fall
//   I8 Fence          nothing is admitted with an old epoch, in a foreign lane, draining or paused
//   I9 ReleaseSafe    no part leaves a manifest of which a job may run
//   Lease             nothing is taken over from a life that still has its lease
import type { MemoryLedgerState } from '@pointsman/core/adapters/memory/ledger-state'
import type { Digest, ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Ledger, ObligationKind } from '@pointsman/core/ports/ledger'
import type { Story } from './story.ts'
import { Violation } from './violation.ts'
import type { Call } from './wire.ts'
import type { World } from './world.ts'

type Reply<Name extends keyof Ledger> = Awaited<
  ReturnType<Ledger[Name] extends (...args: never[]) => infer R ? (...args: never[]) => R : never>
>

/** An obligation before somebody took it over. */
interface Held {
  readonly kind: ObligationKind
  readonly owner: OwnerId | undefined
  readonly lease: number | undefined
  readonly contents: readonly Digest[]
}

interface Place {
  readonly obligation: ObligationId
  readonly mayRun: boolean
}

/** What only reads, or concerns lives alone. */
const harmless: ReadonlySet<string> = new Set([
  'state',
  'survey',
  'latest',
  'processed',
  'parts',
  'superseded',
  'watermarks',
  'adoptable',
  'pastJobs',
  'renew',
  'noteMember',
  'register',
  'release',
  'attempt',
  'order',
  'pause',
  'resume',
  'noteRebuild',
  'restore',
  'expect',
  'promiseVectors'
])

export class LedgerWatch {
  readonly #world: World
  readonly #story: Story
  /** Called with payment keys that may be paid for again, and why. */
  readonly #onRisk: (contents: Iterable<Digest>, why: string) => void
  #ledgerId = ''
  #epoch = 0
  /** Unsettled offsets of this ledger, with where they were seen last. */
  #unsettled = new Map<string, Place>()
  #isRebuilding = false
  /** It is an older copy of itself, and nobody has found that out yet. */
  #isOld = false

  constructor(world: World, onRisk: (contents: Iterable<Digest>, why: string) => void) {
    this.#world = world
    this.#story = world.story
    this.#onRisk = onRisk
  }

  /** All payment keys that are in requests now: what a loss of the ledger may cost. */
  requestedContents(): readonly Digest[] {
    const obligations = [...(this.#world.ledgerServer.state?.obligations.values() ?? [])]
    return obligations
      .filter(({ kind }) => kind === 'request')
      .flatMap(({ parts }) => [...parts.values()].flatMap(({ content }) => content ?? []))
  }

  /** Whether what the ledger says may be relied on. */
  get isSound(): boolean {
    return !this.#isOld && !this.#isRebuilding && this.#world.ledgerServer.state?.rebuild === undefined
  }

  /** The ledger was made an older copy of itself. */
  rolledBack(): void {
    this.#isOld = true
    this.#sync()
  }

  before(call: Call): (answer: unknown) => void {
    if (call.method === 'adoptJob' && Array.isArray(call.args[2]) && call.args[2].length > 0) {
      this.#story.note('a rebuild adopted a job for documents')
    }
    if (harmless.has(call.method)) return () => undefined
    this.#sync()
    const { state } = this.#world.ledgerServer
    if (state === undefined) return () => this.#sync()
    const { epoch, draining, pause } = state
    const frontiers = new Map([...state.partitions].map(([p, { frontier, lane }]) => [p, { frontier, lane }]))
    const owner = this.#ownerOf(state, call)
    return answer => {
      if (this.#world.ledgerServer.state?.ledgerId !== state.ledgerId) return this.#sync()
      if (this.#isOld) return this.#sync()
      if (call.method === 'admit')
        this.#afterAdmit(call, answer, { epoch, draining, pause, frontiers }, state)
      if (call.method === 'settle') this.#afterSettle(call, answer)
      if (call.method === 'takeover') this.#afterTakeover(answer, owner)
      this.#compare(call, state)
    }
  }

  /** I3. */
  checkCommit(): void {
    const { log, names } = this.#world
    for (const [partition, frontier] of this.frontiers()) {
      const unsettled = [...this.#unsettled.keys()].flatMap(key => {
        const [p = '', offset = ''] = key.split(':')
        return Number(p) === partition ? [BigInt(offset)] : []
      })
      const lowest = unsettled.reduce((least, offset) => (offset < least ? offset : least), frontier)
      for (const group of Object.values(names.groups)) {
        const committed = log.group(group).committed.get(partition)
        if (!this.isSound || committed === undefined || committed <= lowest) continue
        throw new Violation(
          'I3 CommitSafe',
          `partition ${partition}: ${committed} is committed, W is ${lowest}`
        )
      }
    }
  }

  /** A of each partition. */
  frontiers(): ReadonlyMap<number, bigint> {
    const { state } = this.#world.ledgerServer
    return new Map([...(state?.partitions ?? [])].map(([partition, { frontier }]) => [partition, frontier]))
  }

  #ownerOf(state: MemoryLedgerState, { args, method }: Call): Held | undefined {
    if (method !== 'takeover') return undefined
    const [id] = args
    const record = [...state.obligations.values()].find(obligation => obligation.id === id)
    if (record === undefined) return undefined
    const lease = record.owner === undefined ? undefined : state.owners.get(record.owner)?.leaseUntilMs
    const contents = [...record.parts.values()].flatMap(({ content }) => content ?? [])
    return { kind: record.kind, owner: record.owner, lease, contents }
  }

  #afterTakeover(answer: unknown, before: Held | undefined): void {
    const reply = answer as Reply<'takeover'>
    if (reply.kind !== 'taken' || before === undefined || before.owner === reply.obligation.owner) return
    this.#story.note(`took over: ${before.kind}`)
    if (before.lease !== undefined && before.lease > this.#world.clock.nowMs()) {
      throw new Violation('Lease', `${reply.obligation.id} was taken from ${before.owner}, whose lease runs`)
    }
    if (before.kind === 'request') this.#onRisk(before.contents, 'takeover')
  }

  #afterAdmit(
    { args }: Call,
    answer: unknown,
    before: Pick<MemoryLedgerState, 'epoch' | 'draining' | 'pause'> & {
      readonly frontiers: ReadonlyMap<number, { readonly frontier: bigint; readonly lane: string }>
    },
    state: MemoryLedgerState
  ): void {
    const reply = answer as Reply<'admit'>
    const [admission] = args as Parameters<Ledger['admit']>
    this.#story.note(`admission: ${reply.kind}`)
    if (reply.kind !== 'admitted') return
    for (const [index, { candidates, from, partition, to }] of admission.slices.entries()) {
      const known = before.frontiers.get(partition)
      const isNew = state.partitions.get(partition)?.frontier !== known?.frontier
      if (!isNew) continue
      const what = `partition ${partition} [${from}, ${to})`
      if (known?.frontier !== from) {
        throw new Violation('I1 OneAdmission', `${what} was admitted, the frontier was ${known?.frontier}`)
      }
      if (before.epoch !== admission.epoch || known.lane !== admission.lane) {
        throw new Violation(
          'I8 Fence',
          `${what}: epoch ${admission.epoch}, ${admission.lane}; it is ${before.epoch}, ${known.lane}`
        )
      }
      if (before.draining !== undefined || before.pause !== undefined) {
        throw new Violation('I8 Fence', `${what} was admitted while draining or paused`)
      }
      for (const [at, { offset }] of candidates.entries()) {
        const verdict = reply.verdicts[index]?.[at]
        if (verdict === undefined) throw new Violation('I1 OneAdmission', `${what}: no verdict for ${offset}`)
        this.#story.note(`verdict: ${verdict.kind === 'part' ? verdict.action : verdict.kind}`)
        if (verdict.kind !== 'part' && verdict.kind !== 'elsewhere') continue
        this.#unsettled.set(`${partition}:${offset}`, { obligation: admission.obligation, mayRun: false })
      }
    }
  }

  #afterSettle({ args }: Call, answer: unknown): void {
    const reply = answer as Reply<'settle'>
    const [, , outcomes] = args as Parameters<Ledger['settle']>
    for (const [index, { part, settlement }] of outcomes.entries()) {
      const kind = reply.answers[index]?.kind
      this.#story.note(`settle ${settlement}: ${kind}`)
      if (kind === 'settled') this.#unsettled.delete(`${part.partition}:${part.offset}`)
    }
  }

  /** I2, I3, I9: what the ledger holds is what we know to be unsettled. */
  #compare({ method }: Call, state: MemoryLedgerState): void {
    if (state.rebuild !== undefined || this.#isRebuilding) return this.#sync()
    if (state.epoch < this.#epoch) throw new Violation('I3 CommitSafe', `the epoch fell to ${state.epoch}`)
    this.#epoch = state.epoch
    const held = placesOf(state)
    for (const [key, place] of this.#unsettled) {
      const now = held.get(key)
      if (now === undefined)
        throw new Violation('I2 Covered', `${method}: ${key} is unsettled, and in no obligation`)
      if (place.mayRun && now.obligation !== place.obligation) {
        throw new Violation(
          'I9 ReleaseSafe',
          `${method}: ${key} left ${place.obligation}, of which a job may run`
        )
      }
    }
    for (const [key, { obligation }] of held) {
      if (!this.#unsettled.has(key)) {
        throw new Violation(
          'I2 Covered',
          `${method}: ${key} is in ${obligation}, and was settled or never admitted`
        )
      }
    }
    this.#unsettled = held
  }

  #sync(): void {
    const { state } = this.#world.ledgerServer
    if (state === undefined) return
    const isOther = state.ledgerId !== this.#ledgerId
    if (isOther) this.#isOld = false
    if (!isOther && state.rebuild === undefined && !this.#isRebuilding && !this.#isOld) return
    if (this.#isRebuilding && state.rebuild === undefined) {
      this.#story.note('a rebuild ended')
      if (state.epoch <= this.#epoch) {
        throw new Violation('I3 CommitSafe', `a rebuild ended with epoch ${state.epoch} after ${this.#epoch}`)
      }
    }
    this.#ledgerId = state.ledgerId
    this.#isRebuilding = state.rebuild !== undefined
    this.#unsettled = placesOf(state)
  }
}

function placesOf(state: MemoryLedgerState): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { id, parts, state: step } of state.obligations.values()) {
    for (const key of parts.keys()) {
      const other = places.get(key)
      if (other !== undefined) {
        throw new Violation('I2 Covered', `${key} is in ${id} and in ${other.obligation}`)
      }
      places.set(key, { obligation: id, mayRun: step === 'submitting' || step === 'submitted' })
    }
  }
  return places
}
