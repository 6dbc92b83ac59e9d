import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Job } from '@pointsman/core/ports/job'
import type { ManifestState } from '@pointsman/core/ports/ledger'
import { docKey, metadataHash, paymentKey } from '@pointsman/core/runtime/identity'
import { documentOf, type MemoryWorld } from './memory-world.ts'

const steps: readonly ManifestState[] = ['open', 'sealed', 'uploaded', 'submitting', 'submitted', 'terminal']

/** An embedder of the batch lane that does as it is told, in a world whose lane is its own to admit in. */
export class MemoryJobs {
  readonly #world: MemoryWorld
  readonly owner: OwnerId
  #manifests = 0

  private constructor(world: MemoryWorld, owner: OwnerId) {
    this.#world = world
    this.owner = owner
  }

  static async open(world: MemoryWorld): Promise<MemoryJobs> {
    const registration = { instance: 'embedder-batch-1', service: 'embedder-batch', leaseMs: 3_600_000_000 }
    return new MemoryJobs(world, (await world.ledger.register(registration)).owner)
  }

  /** A manifest of so many documents that wait for it, taken as far as `state`. */
  async begin(documents: number, state: ManifestState, fields: Partial<Job> = {}): Promise<ObligationId> {
    this.#manifests += 1
    const manifest = `${this.owner}.${this.#manifests * 2}` as ObligationId
    const obligation = `${this.owner}.${this.#manifests * 2 + 1}` as ObligationId
    const { ledger, spec, log } = this.#world
    const from = (await ledger.state()).partitions.get(0)?.frontier ?? 0n
    const candidates = []
    for (let number = 0; number < documents; number += 1) {
      const document = documentOf(`job-${manifest}-${number}`, `text ${manifest} ${number}`)
      log.append(0, document.docId, await this.#world.codec.encode(document))
      candidates.push({
        offset: from + BigInt(number),
        docKey: docKey(document.docId),
        version: 1,
        content: paymentKey(spec, document.textHash),
        metadataHash: metadataHash(document),
        tokens: 10
      })
    }
    const slices = [{ partition: 0, from, to: from + BigInt(documents), candidates }]
    const reply = await ledger.admit({
      epoch: 1,
      lane: 'realtime',
      owner: this.owner,
      obligation,
      manifest,
      slices
    })
    if (reply.kind !== 'admitted') throw new Error(`not admitted: ${reply.kind}`)
    for (const [index, from] of steps.slice(0, steps.indexOf(state)).entries()) {
      const to = steps[index + 1] ?? state
      if ((await ledger.advance(manifest, this.owner, from, to, {})) !== 'advanced')
        throw new Error(`not ${to}`)
    }
    const creates = steps.indexOf(state) < steps.indexOf('submitting') ? 0 : 1
    await ledger.advance(manifest, this.owner, state, state, { creates, ...fields })
    return manifest
  }

  /** Ends a terminal manifest with all its documents. */
  async archive(manifest: ObligationId, fields: Partial<Job> = {}): Promise<void> {
    const { ledger } = this.#world
    const parts = await ledger.parts(manifest)
    const outcomes = parts.map(part => ({ part, settlement: 'indexed' as const }))
    await ledger.settle(manifest, this.owner, outcomes, 0)
    const answer = await ledger.advance(manifest, this.owner, 'terminal', 'archived', fields)
    if (answer !== 'advanced') throw new Error(answer)
  }
}
