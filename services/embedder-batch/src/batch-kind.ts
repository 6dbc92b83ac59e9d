// What the batch lane does otherwise: texts go into the open manifest instead of to the provider, and manifests are
// carried on beside the stream, in whatever mode the stream is.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { LaneKind, LaneLoop } from '@pointsman/core/lane/lane-kind'
import type { VectorSource } from '@pointsman/core/lane/vector-source'
import type { LaneFeed, Offer } from '@pointsman/core/lane/lane-feed'
import type { Item, Work } from '@pointsman/core/lane/work'
import type { BatchDeps } from './batch-deps.ts'
import { ManifestLoop } from './manifest-loop.ts'
import { jobsConsidered, nextManifestLines } from './manifest-size.ts'
import { ManifestSource } from './manifest-source.ts'
import { type Fill, fillOf, OpenManifest, textOf } from './open-manifest.ts'
import { SweepLoop } from './sweep-files.ts'

/** How often it is looked whether a full manifest found its way to the provider, and how large the next may be. */
const roomMs = 100
const sizeMs = 30_000

export interface BatchKindDeps extends BatchDeps {
  readonly feed: Pick<LaneFeed, 'state'>
}

export class BatchKind implements LaneKind {
  readonly loops: readonly LaneLoop[]
  readonly open: OpenManifest
  readonly manifests: ManifestLoop
  readonly #deps: BatchKindDeps
  #manifest: ObligationId | undefined
  #epoch: number | undefined
  #maxLines: number

  constructor(deps: BatchKindDeps) {
    const { clock, membership, options, provider } = deps
    this.#deps = deps
    this.#maxLines = options.maxLines
    this.open = new OpenManifest({
      newId: () => membership.newObligation(),
      lineBytes: text => provider.lineBytes(text),
      nowMs: () => clock.nowMs()
    })
    this.manifests = new ManifestLoop(deps, this.open)
    const sizing = { name: 'sizing', run: async (signal: AbortSignal) => this.#followSize(signal) }
    this.loops = [this.manifests, sizing, new SweepLoop(deps)]
  }

  /** Waits while a full manifest waits for its turn at the provider: the log is the place for what comes next. */
  async ready({ documents }: Offer, signal: AbortSignal): Promise<{ readonly manifest: ObligationId }> {
    const { clock, gates, provider } = this.#deps
    await gates.spool.pass(signal)
    this.#followEpoch()
    const texts = [...documents].map(([{ tokens }, { document }]) => ({ tokens, text: document.text }))
    const manifest = this.open.roomFor(
      fillOf(texts, text => provider.lineBytes(text)),
      this.#limits()
    )
    this.#manifest = manifest
    while (this.open.waiting + this.manifests.unsubmitted > 1) await clock.sleep(roomMs, signal)
    return { manifest }
  }

  closed(manifest: ObligationId): void {
    this.open.closed(manifest)
  }

  admitted(items: readonly Item[]): readonly Item[] {
    const promised = items.filter(({ part }) => part.action === 'embed')
    if (this.#manifest !== undefined) {
      this.open.note(this.#manifest, promised.map(textOf))
    }
    return items.filter(({ part }) => part.action !== 'embed')
  }

  sourceOf(work: Work): VectorSource {
    const { gates, ledger, membership, provider, feed } = this.#deps
    return new ManifestSource(work, {
      gates,
      ledger,
      membership,
      provider,
      open: this.open,
      limits: () => this.#limits(),
      isActive: partition => feed.state?.partitions.get(partition)?.lane === 'batch'
    })
  }

  /** A switch has released what was open: that would be refused, at the cost of a round trip and another linger. */
  #followEpoch(): void {
    const epoch = this.#deps.feed.state?.epoch
    if (this.#manifest !== undefined && epoch !== this.#epoch) this.open.closed(this.#manifest)
    this.#epoch = epoch
  }

  #limits(): Fill {
    const { maxBytes, maxEnqueuedTokens, maxJobs } = this.#deps.options
    return { lines: this.#maxLines, tokens: maxEnqueuedTokens / maxJobs, bytes: maxBytes }
  }

  async #followSize(signal: AbortSignal): Promise<void> {
    const { clock, gates, ledger, options } = this.#deps
    for (;;) {
      const past = await gates.ledger.run(() => ledger.pastJobs(jobsConsidered), signal)
      this.#maxLines = nextManifestLines(past, options)
      await clock.sleep(sizeMs, signal)
    }
  }
}
