// A ledger with two partitions at offset 0, both in the realtime lane, and two living owners; short words for admissions.
import { hash } from 'node:crypto'
import type { Digest, ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type {
  Admission,
  AdmitReply,
  Candidate,
  Ledger,
  ManifestState,
  Obligation,
  Part,
  SettleAnswer,
  SettleReply,
  Settlement,
  Verdict
} from '@pointsman/core/ports/ledger'

export const hourMs = 3_600_000

/** In the order in which a manifest goes through them. */
export const manifestStates: readonly ManifestState[] = [
  'open',
  'sealed',
  'uploaded',
  'submitting',
  'submitted',
  'terminal'
]

/** A document and its text; no text is a tombstone. */
export interface Given {
  readonly doc: string
  readonly text?: string
  readonly version?: number
  readonly metadataHash?: number
}

export interface Conditions {
  readonly partition?: number
  readonly owner?: OwnerId
  readonly epoch?: number
  readonly lane?: Lane
  readonly from?: bigint
  readonly obligation?: ObligationId
  readonly manifest?: ObligationId
}

export interface Admitted {
  readonly obligation: ObligationId
  readonly admission: Admission
  readonly reply: AdmitReply
  /** Of the one slice. */
  readonly verdicts: readonly Verdict[]
}

export function digestOf(name: string): Digest {
  return hash('sha256', name, 'hex').slice(0, 24) as Digest
}

export class LedgerScene {
  readonly ledger: Ledger
  readonly owner: OwnerId
  readonly other: OwnerId
  readonly #frontiers = new Map<number, bigint>()
  #nextId = 1

  private constructor(ledger: Ledger, owner: OwnerId, other: OwnerId) {
    this.ledger = ledger
    this.owner = owner
    this.other = other
  }

  static async open(ledger: Ledger): Promise<LedgerScene> {
    await ledger.open('realtime')
    await ledger.openPartition(0, 0n)
    await ledger.openPartition(1, 0n)
    const life = { service: 'embedder-realtime', leaseMs: hourMs }
    const { owner } = await ledger.register({ instance: 'one', ...life })
    const { owner: other } = await ledger.register({ instance: 'two', ...life })
    return new LedgerScene(ledger, owner, other)
  }

  newId(): ObligationId {
    return `${this.owner}.${this.#nextId++}` as ObligationId
  }

  /** Admits documents at the frontier of one partition. */
  async admit(given: readonly Given[], conditions: Conditions = {}): Promise<Admitted> {
    const { partition = 0, owner = this.owner, epoch = 1, lane = 'realtime' } = conditions
    const { obligation = this.newId(), from = this.#frontiers.get(partition) ?? 0n } = conditions
    const candidates = given.map((document, index) => candidateOf(document, from + BigInt(index)))
    const to = from + BigInt(given.length)
    const { manifest } = conditions
    const slices = [{ partition, from, to, candidates }]
    const request = { epoch, lane, owner, obligation, slices }
    const admission: Admission = manifest === undefined ? request : { ...request, manifest }
    const reply = await this.ledger.admit(admission)
    if (reply.kind === 'admitted') this.#frontiers.set(partition, to)
    const verdicts = reply.kind === 'admitted' ? (reply.verdicts[0] ?? []) : []
    return { obligation, admission, reply, verdicts }
  }

  /** Settles parts as done, or otherwise, for the first owner. */
  async settle(
    obligation: ObligationId,
    parts: readonly Part[],
    settlement: Settlement | 'done' = 'done',
    owner: OwnerId = this.owner
  ): Promise<SettleReply> {
    const outcomes = parts.map(part => ({
      part,
      settlement:
        settlement === 'done'
          ? part.action === 'delete'
            ? ('deleted' as const)
            : ('indexed' as const)
          : settlement
    }))
    return this.ledger.settle(obligation, owner, outcomes, 0)
  }

  async finish(obligation: ObligationId): Promise<readonly SettleAnswer[]> {
    return (await this.settle(obligation, await this.ledger.parts(obligation))).answers
  }

  /** Admits and settles, as a lane does. */
  async index(given: readonly Given[], conditions: Conditions = {}): Promise<Admitted> {
    const admitted = await this.admit(given, conditions)
    await this.finish(admitted.obligation)
    return admitted
  }

  /** Takes an open manifest of the first owner as far as `state`. */
  async bringTo(manifest: ObligationId, state: ManifestState): Promise<void> {
    for (const [index, from] of manifestStates.slice(0, manifestStates.indexOf(state)).entries()) {
      await this.ledger.advance(manifest, this.owner, from, manifestStates[index + 1]!, {})
    }
  }

  async obligation(id: ObligationId): Promise<Obligation | undefined> {
    return (await this.ledger.survey()).obligations.find(obligation => obligation.id === id)
  }

  /** Ledger time. */
  async nowMs(): Promise<number> {
    return (await this.ledger.survey()).nowMs
  }

  async statusOf(doc: string): Promise<string | undefined> {
    return (await this.ledger.latest([digestOf(doc)]))[0]?.status
  }
}

/** Admits documents and gives them up: an orphan that may be adopted at once. */
export async function moveToOrphan(scene: LedgerScene, given: readonly Given[]): Promise<ObligationId> {
  const { obligation } = await scene.admit(given)
  const parts = await scene.ledger.parts(obligation)
  const to = { id: scene.newId(), kind: 'orphan' as const }
  await scene.ledger.move(obligation, scene.owner, parts, to, {
    reason: 'failed',
    delayMs: 0,
    attempts: 9,
    failures: 0
  })
  return to.id
}

export function candidateOf({ doc, text, version = 1, metadataHash = 1 }: Given, offset: bigint): Candidate {
  const content = text === undefined ? undefined : digestOf(text)
  return { offset, docKey: digestOf(doc), version, content, metadataHash, tokens: text?.length ?? 0 }
}
