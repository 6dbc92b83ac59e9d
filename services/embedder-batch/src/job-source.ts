// Vectors from the output of a job that has ended. Lines that came to nothing become orphans, which whichever lane is
// active adopts; a text whose jobs came to nothing too often, or that can never succeed, is dead.
import type { Digest } from '@pointsman/core/domain/identity'
import { Disowned, type Obtained, type VectorSource } from '@pointsman/core/lane/vector-source'
import type { ContentItem } from '@pointsman/core/lane/work'
import type { VectorBytes } from '@pointsman/core/ports/embedder'
import type { JobResults, LineOutcome } from '@pointsman/core/ports/batch-provider'
import type { Part } from '@pointsman/core/ports/ledger'
import type { BatchDeps } from './batch-deps.ts'
import type { Manifest } from './manifest.ts'

/** Parts of one orphan: what an adopter has in memory at once. */
const orphanParts = 256

interface Failed {
  readonly parts: readonly Part[]
  readonly reason: string
}

export class JobSource {
  readonly #manifest: Manifest
  readonly #results: JobResults
  readonly #deps: BatchDeps
  readonly #failed = new Map<Digest, Failed>()
  /** Contents counted as paid. Those that share one come with several pages. */
  readonly #counted = new Set<Digest>()
  #paidTokens = 0

  constructor(manifest: Manifest, results: JobResults, deps: BatchDeps) {
    this.#manifest = manifest
    this.#results = results
    this.#deps = deps
  }

  /** Of the lines read so far; nothing when the provider told a total. */
  get paidTokens(): number {
    return this.#paidTokens
  }

  /** For the work on one page, which gives the memory of its vectors back when it is done. */
  forPage(): VectorSource {
    const given: VectorBytes[] = []
    return {
      obtain: async wanted => {
        const obtained = await this.#obtain(wanted)
        given.push(...obtained.vectors.values())
        return obtained
      },
      release: () => this.#results.release(given)
    }
  }

  async #obtain(wanted: ReadonlyMap<Digest, readonly ContentItem[]>): Promise<Obtained> {
    const outcomes = await this.#results.read([...wanted.keys()])
    const vectors = new Map<Digest, VectorBytes>()
    const dead = new Map<Digest, string>()
    for (const [content, items] of wanted) {
      const outcome = outcomes.get(content) ?? this.#missing()
      if (outcome.kind !== 'failed') this.#count(content, outcome.paidTokens)
      if (outcome.kind === 'vector') vectors.set(content, outcome.vector)
      else if (outcome.kind === 'rejected') dead.set(content, outcome.reason)
      else this.#fail(content, items, outcome.reason, dead)
    }
    // The job's bill is noted as a whole.
    return { vectors, dead, paidTokens: 0, attempts: 1 }
  }

  /** Moves the failed parts seen so far into orphans, when they fill one or when `all` is asked for. */
  async flush(all: boolean, signal: AbortSignal): Promise<void> {
    while (this.#waiting() >= (all ? 1 : orphanParts)) {
      const chosen: Part[] = []
      let reason = ''
      for (const [content, failed] of this.#failed) {
        if (chosen.length >= orphanParts) break
        chosen.push(...failed.parts)
        reason ||= failed.reason
        this.#failed.delete(content)
      }
      await this.#move(chosen, reason, signal)
    }
  }

  /** What is in neither file. */
  #missing(): LineOutcome {
    const { batchId, status } = this.#manifest.job
    return { kind: 'failed', reason: `job ${batchId} ended as ${status} without a line for it` }
  }

  #fail(content: Digest, items: readonly ContentItem[], reason: string, dead: Map<Digest, string>): void {
    const failures = Math.max(...items.map(({ part }) => part.failures)) + 1
    if (this.#counts() && failures >= this.#deps.options.maxFailures) {
      dead.set(content, `${reason} (${failures} jobs came to nothing for it)`)
      return
    }
    const parts = [...(this.#failed.get(content)?.parts ?? []), ...items.map(({ part }) => part)]
    this.#failed.set(content, { parts, reason })
  }

  #count(content: Digest, paidTokens: number): void {
    if (this.#manifest.job.paidTokens > 0 || this.#counted.has(content)) return
    this.#counted.add(content)
    this.#paidTokens += paidTokens
  }

  /** An operator's order is not the text's failure. */
  #counts(): boolean {
    return this.#manifest.job.order === ''
  }

  #waiting(): number {
    return [...this.#failed.values()].reduce((sum, { parts }) => sum + parts.length, 0)
  }

  async #move(parts: readonly Part[], reason: string, signal: AbortSignal): Promise<void> {
    const { gates, ledger, membership, options } = this.#deps
    const { id, owner } = this.#manifest
    const failures = this.#counts() ? 1 : 0
    const worst = Math.max(...parts.map(part => part.failures))
    const delayMs = failures === 0 ? 0 : options.retryDelayMs * 2 ** worst
    const to = { id: membership.newObligation(), kind: 'orphan' } as const
    const fields = { reason, delayMs, attempts: 0, failures }
    const moved = await gates.ledger.run(() => ledger.move(id, owner, parts, to, fields), signal)
    if (moved.kind !== 'moved') throw new Disowned(`manifest ${id} is not ours any more`)
  }
}
