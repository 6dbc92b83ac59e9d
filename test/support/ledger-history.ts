// Carries out commands on several ledgers at once: what a command names is looked up in the first of them, and all get
// the same calls.
import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type {
  Admission,
  AdmitReply,
  Ledger,
  ManifestState,
  Obligation,
  Part,
  SettleOutcome,
  Slice
} from '@pointsman/core/ports/ledger'
import { Failure } from '@pointsman/core/domain/failure'
import type { CandidateChoice, Command, ManifestChoice, SliceChoice } from './ledger-commands.ts'
import { contents, docKeys } from './ledger-contents.ts'
import type { RebuildingCommand } from './ledger-rebuilding.ts'
import { isRebuilding, tellingOf } from './ledger-rebuilding.ts'
import { manifestStates } from './ledger-scene.ts'
import type { Change, SwitchingCommand } from './ledger-switching.ts'
import { carryOut, changeOf, isSwitching } from './ledger-switching.ts'

/** Of the indices 0 to 30. */
const mostly = 27

/** The way forward first. */
const nextStates: Readonly<Record<ManifestState, readonly (ManifestState | 'archived')[]>> = {
  open: ['sealed', 'archived'],
  sealed: ['uploaded', 'archived'],
  uploaded: ['submitting', 'sealed'],
  submitting: ['submitted', 'uploaded', 'sealed'],
  submitted: ['terminal', 'uploaded', 'sealed'],
  terminal: ['archived']
}

type Call = (ledger: Ledger) => Promise<unknown>

/** What one command led to; `answers` in the order of the ledgers. */
export interface Step {
  readonly command: Command
  readonly answers: readonly unknown[]
  /** Of an `admit` or its repetition. */
  readonly admission: Admission | undefined
  /** Of a `drain`, an `abort`, a `switch` or its repetition. */
  readonly change: Change | undefined
}

interface Asked {
  readonly call: Call
  readonly admission?: Admission
  readonly change?: Change
}

export class LedgerHistory {
  readonly #ledgers: readonly [Ledger, ...Ledger[]]
  readonly #calls: Asked[] = []
  readonly #owners: OwnerId[] = ['0.0' as OwnerId]
  readonly #obligations: ObligationId[] = ['0.0.0' as ObligationId]
  /** Every part that was ever seen. */
  readonly parts: Part[] = []
  #nextId = 1

  constructor(...ledgers: readonly [Ledger, ...Ledger[]]) {
    this.#ledgers = ledgers
  }

  get #first(): Ledger {
    return this.#ledgers[0]
  }

  async step(command: Command): Promise<Step> {
    const asked = await this.#ask(command)
    if (command.type !== 'repeat') this.#calls.push(asked)
    const answers: unknown[] = []
    for (const ledger of this.#ledgers) answers.push(await answerOf(asked.call(ledger)))
    await this.#remember(answers[0])
    return { command, answers, admission: asked.admission, change: asked.change }
  }

  async #ask(command: Command): Promise<Asked> {
    if (command.type === 'repeat') {
      return this.#calls[command.call % Math.max(1, this.#calls.length)] ?? { call: noCall }
    }
    if (command.type === 'admit') {
      const admission = await this.#admissionOf(command)
      if (admission === undefined) return { call: noCall }
      return { call: ledger => ledger.admit(admission), admission }
    }
    if (isSwitching(command)) {
      const change = changeOf(command, await this.#first.state())
      return { call: ledger => carryOut(ledger, change), change }
    }
    if (isRebuilding(command)) return { call: tellingOf(command, await this.#first.latest(docKeys)) }
    return { call: await this.#plainCallOf(command) }
  }

  async #plainCallOf(
    command: Exclude<Command, SwitchingCommand | RebuildingCommand | { type: 'repeat' | 'admit' }>
  ): Promise<Call> {
    switch (command.type) {
      case 'openPartition':
        return ledger => ledger.openPartition(command.partition, BigInt(command.logStart))
      case 'register': {
        const { instance, leaseMs } = command
        return ledger => ledger.register({ instance, service: 'test', leaseMs })
      }
      case 'renew':
        return this.#ofOwner(command.owner, (ledger, owner) =>
          ledger.renew(owner, command.leaseMs, command.trouble)
        )
      case 'release':
        return this.#ofOwner(command.owner, (ledger, owner) => ledger.release(owner))
      case 'noteMember':
        return this.#ofOwner(command.owner, (ledger, owner) =>
          ledger.noteMember(owner, command.group, `member of ${owner}`)
        )
      case 'attempt':
        return this.#attemptOf(command)
      case 'settle':
        return this.#settleOf(command)
      case 'move':
        return this.#moveOf(command)
      case 'advance':
        return this.#advanceOf(command)
      case 'order': {
        const { id } = await this.#manifest(command.manifest)
        return ledger => ledger.order(id, command.order)
      }
      case 'takeover': {
        const { id } = await this.#obligation(command.obligation)
        const { lane } = command
        const epoch = (await this.#epoch()) - command.epochBehind
        const owner = await this.#owner(command.owner)
        return ledger => ledger.takeover(id, { owner, epoch, lane })
      }
      case 'pause': {
        const epoch = (await this.#epoch()) - command.epochBehind
        return ledger => ledger.pause(epoch, 'store is away', 'test')
      }
      case 'resume': {
        const epoch = (await this.#epoch()) - command.epochBehind
        return ledger => ledger.resume(epoch)
      }
      case 'adoptable':
        return ledger => ledger.adoptable(command.kinds, command.limit)
    }
  }

  async #admissionOf(command: Extract<Command, { type: 'admit' }>): Promise<Admission | undefined> {
    const { partitions, epoch } = await this.#first.state()
    const owner = await this.#owner(command.owner)
    const lane = command.lane ?? partitions.get(command.slices[0]?.partition ?? 0)?.lane ?? 'realtime'
    const choices = command.slices.filter(
      ({ partition }) => command.lane !== undefined || partitions.get(partition)?.lane === lane
    )
    if (choices.length === 0) return undefined
    const latest = await this.#first.latest(docKeys)
    const versions = latest.map(entry => entry?.version ?? 1)
    const slices = choices.map(choice =>
      sliceOf(choice, partitions.get(choice.partition)?.frontier ?? 0n, versions)
    )
    const manifest = await this.#target(command.manifest, owner)
    const obligation = `${owner}.${this.#nextId++}` as ObligationId
    this.#obligations.push(obligation)
    const admission = { epoch: epoch - command.epochBehind, lane, owner, obligation, slices }
    return manifest === undefined ? admission : { ...admission, manifest }
  }

  async #attemptOf(command: Extract<Command, { type: 'attempt' }>): Promise<Call> {
    const obligation = await this.#obligation(command.obligation)
    const owner = this.#ownerOf(obligation, command.owner)
    const attempt = (obligation.attempts ?? 0) + command.ahead
    return ledger => ledger.attempt(obligation.id, owner, attempt, 10 * attempt)
  }

  async #settleOf(command: Extract<Command, { type: 'settle' }>): Promise<Call> {
    const obligation = await this.#obligation(command.obligation)
    const held = await this.#partsOf(obligation.id)
    const all = held.map((_, part) => ({ part, settlement: 'done' as const }))
    const outcomes = (command.outcomes ?? all).flatMap(({ part, settlement }): SettleOutcome[] => {
      const found = held[part % Math.max(1, held.length)]
      return found === undefined ? [] : [{ part: found, settlement: fitting(found, settlement) }]
    })
    const stray =
      command.stray === undefined ? undefined : this.parts[command.stray % Math.max(1, this.parts.length)]
    if (stray !== undefined) outcomes.push({ part: stray, settlement: fitting(stray, 'done') })
    const owner = this.#ownerOf(obligation, command.owner)
    return ledger => ledger.settle(obligation.id, owner, outcomes, 7)
  }

  async #moveOf(command: Extract<Command, { type: 'move' }>): Promise<Call> {
    const obligation = await this.#obligation(command.obligation)
    const held = await this.#partsOf(obligation.id)
    const parts = command.parts.flatMap(part => held[part % Math.max(1, held.length)] ?? [])
    const owner = this.#ownerOf(obligation, command.owner)
    const into = command.kind === 'manifest' ? await this.#target(command.manifest, owner) : undefined
    const id = into ?? this.#newId()
    const { kind, delayMs, attempts, failures } = command
    return ledger =>
      ledger.move(
        obligation.id,
        owner,
        parts,
        { id, kind },
        { reason: `no. ${id}`, delayMs, attempts, failures }
      )
  }

  async #advanceOf(command: Extract<Command, { type: 'advance' }>): Promise<Call> {
    const manifest = await this.#manifest(command.manifest)
    const owner = this.#ownerOf(manifest, command.owner)
    const now = manifestStates.find(state => state === manifest.state) ?? 'open'
    const from = command.ahead ? (manifestStates[manifestStates.indexOf(now) + 1] ?? now) : now
    const steps = [from, ...nextStates[from]]
    const to = pick(steps, command.step)
    const { fields } = command
    return ledger => ledger.advance(manifest.id, owner, from, to, fields)
  }

  #newId(): ObligationId {
    const id = `m.${this.#nextId++}` as ObligationId
    this.#obligations.push(id)
    return id
  }

  /** The manifest that parts of `owner` are to go into. */
  async #target(choice: ManifestChoice, owner: OwnerId): Promise<ObligationId | undefined> {
    if (choice === undefined) return undefined
    if (choice !== 'own') return (await this.#obligation(choice)).id
    const { obligations } = await this.#first.survey()
    const open = obligations.find(obligation => obligation.owner === owner && obligation.state === 'open')
    return open?.id ?? this.#newId()
  }

  /** Mostly one that lives, at times any obligation. */
  async #manifest(index: number): Promise<Partial<Obligation> & { readonly id: ObligationId }> {
    const { obligations } = await this.#first.survey()
    const manifests = obligations.filter(({ kind }) => kind === 'manifest')
    const living = index < mostly ? manifests[index % Math.max(1, manifests.length)] : undefined
    return living ?? this.#obligation(index)
  }

  /** Mostly one that lives, at times one that has ended. */
  async #obligation(index: number): Promise<Partial<Obligation> & { readonly id: ObligationId }> {
    const { obligations } = await this.#first.survey()
    const living = index < mostly ? obligations[index % Math.max(1, obligations.length)] : undefined
    return living ?? { id: pick(this.#obligations, index) }
  }

  /** Mostly one that lives, at times one that has ended. */
  async #owner(index: number): Promise<OwnerId> {
    const { instances } = await this.#first.survey()
    const living = index < mostly ? instances[index % Math.max(1, instances.length)] : undefined
    return living?.owner ?? pick(this.#owners, index)
  }

  async #ofOwner(index: number, call: (ledger: Ledger, owner: OwnerId) => Promise<unknown>): Promise<Call> {
    const owner = await this.#owner(index)
    return ledger => call(ledger, owner)
  }

  #ownerOf(obligation: Partial<Obligation>, choice: number | undefined): OwnerId {
    const owner = choice === undefined ? obligation.owner : undefined
    return owner ?? pick(this.#owners, choice ?? 0)
  }

  /** None while it is rebuilt. */
  async #partsOf(id: ObligationId): Promise<readonly Part[]> {
    return (await this.#first.state()).rebuild === undefined ? this.#first.parts(id) : []
  }

  async #epoch(): Promise<number> {
    return (await this.#first.state()).epoch
  }

  async #remember(answer: unknown): Promise<void> {
    if (isRegistered(answer)) this.#owners.push(answer.owner)
    const { obligations } = await this.#first.survey()
    const known = new Set(this.parts.map(keyOf))
    for (const { id } of obligations) {
      for (const part of await this.#partsOf(id)) {
        if (!known.has(keyOf(part))) this.parts.push(part)
      }
    }
  }
}

export function isAdmitted(answer: unknown): answer is Extract<AdmitReply, { kind: 'admitted' }> {
  return typeof answer === 'object' && answer !== null && 'kind' in answer && answer.kind === 'admitted'
}

function isRegistered(answer: unknown): answer is { readonly owner: OwnerId } {
  return typeof answer === 'object' && answer !== null && 'ghosts' in answer
}

function keyOf({ partition, offset }: Part): string {
  return `${partition}:${offset}`
}

/** What a ledger that is being rebuilt refuses is an answer as well. */
async function answerOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    if (error instanceof Failure && error.code === 'LEDGER_REBUILDING') return error.code
    throw error
  }
}

async function noCall(): Promise<undefined> {
  return undefined
}

function pick<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length]!
}

function fitting(part: Part, settlement: 'done' | 'skipped' | 'dead'): SettleOutcome['settlement'] {
  if (settlement !== 'done') return settlement
  return part.action === 'delete' ? 'deleted' : 'indexed'
}

function sliceOf(
  { partition, ahead, candidates }: SliceChoice,
  frontier: bigint,
  versions: readonly number[]
): Slice {
  const from = frontier + BigInt(ahead)
  const present = candidates.flatMap((choice, index) =>
    choice.hole ? [] : [candidateOf(choice, from + BigInt(index), versions)]
  )
  return { partition, from, to: from + BigInt(candidates.length), candidates: present }
}

function candidateOf(
  { doc, versionAhead, content, metadataHash }: CandidateChoice,
  offset: bigint,
  versions: readonly number[]
): Slice['candidates'][number] {
  return {
    offset,
    docKey: pick(docKeys, doc),
    version: Math.max(0, pick(versions, doc) + versionAhead),
    content: content === undefined ? undefined : pick(contents, content),
    metadataHash,
    tokens: content === undefined ? 0 : content + 1
  }
}
