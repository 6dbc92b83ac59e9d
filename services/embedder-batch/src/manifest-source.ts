// Vectors that a manifest promises: what a request has to pay for moves into the open manifest, and with it whoever
// waits for the same text. When the lane is not active any more, it becomes an orphan for the one that is.
import { Disowned, type Obtained, type VectorSource } from '@pointsman/core/lane/vector-source'
import type { ContentItem, Work } from '@pointsman/core/lane/work'
import type { Digest } from '@pointsman/core/domain/identity'
import type { BatchDeps } from './batch-deps.ts'
import { type Fill, fillOf, type OpenManifest, textOf } from './open-manifest.ts'

export interface ManifestSourceDeps extends Pick<BatchDeps, 'ledger' | 'gates' | 'membership' | 'provider'> {
  readonly open: OpenManifest
  readonly limits: () => Fill
  /** Is the batch lane the one that this partition is in? */
  readonly isActive: (partition: number) => boolean
}

export class ManifestSource implements VectorSource {
  readonly #work: Work
  readonly #deps: ManifestSourceDeps

  constructor(work: Work, deps: ManifestSourceDeps) {
    this.#work = work
    this.#deps = deps
  }

  async obtain(wanted: ReadonlyMap<Digest, readonly ContentItem[]>, signal: AbortSignal): Promise<Obtained> {
    const { isActive, limits, open, provider } = this.#deps
    const items = [...wanted.values()].flat()
    const texts = [...wanted.values()].flatMap(([first]) => (first ? [textOf(first)] : []))
    for (;;) {
      // As the ledger decides it for orphans: texts of partitions in both lanes would go to and fro for ever otherwise.
      const isOurs = isActive(Math.min(...items.map(({ part }) => part.partition)))
      const manifest = isOurs
        ? open.roomFor(
            fillOf(texts, text => provider.lineBytes(text)),
            limits()
          )
        : undefined
      if (await this.#move(items, manifest, signal)) {
        if (manifest !== undefined) open.note(manifest, texts)
        return { vectors: new Map(), dead: new Map(), paidTokens: 0, attempts: this.#work.attempts }
      }
      if (manifest !== undefined) open.closed(manifest)
    }
  }

  release(): void {}

  /** @returns false when the manifest takes nothing any more. */
  async #move(
    items: readonly ContentItem[],
    manifest: ReturnType<OpenManifest['roomFor']> | undefined,
    signal: AbortSignal
  ): Promise<boolean> {
    const { gates, ledger, membership } = this.#deps
    const { attempts, obligation, owner } = this.#work
    const to =
      manifest === undefined
        ? ({ id: membership.newObligation(), kind: 'orphan' } as const)
        : ({ id: manifest, kind: 'manifest' } as const)
    const parts = items.map(({ part }) => part)
    const reason = manifest === undefined ? 'its lane was switched off' : ''
    const fields = { reason, delayMs: 0, attempts: manifest === undefined ? attempts : 0, failures: 0 }
    const moved = await gates.ledger.run(() => ledger.move(obligation, owner, parts, to, fields), signal)
    if (moved.kind === 'gone') throw new Disowned(`obligation ${obligation} is not ours any more`)
    return moved.kind === 'moved'
  }
}
