// Finds the manifests that this instance has to carry on, its own and those of the dead, and runs each until it ends.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { LaneLoop } from '@pointsman/core/lane/lane-kind'
import { Disowned } from '@pointsman/core/lane/vector-source'
import { backOffMs } from '@pointsman/core/runtime/back-off'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { BatchDeps, StopSignals } from './batch-deps.ts'
import { type Manifest, manifestOf } from './manifest.ts'
import type { OpenManifest } from './open-manifest.ts'
import { runManifest } from './run-manifest.ts'

const tickMs = 250
/** Manifests that nobody carries on are looked for every so many ticks. */
const adoptTicks = 8
const adoptedAtOnce = 16
const rest = { firstMs: 1_000, longestMs: 30_000 }
/** Orphans are refused under it, manifests are not: a switch may make the one of the other meanwhile. */
const noEpoch = 0

export class ManifestLoop implements LaneLoop {
  readonly name = 'manifests'
  readonly #deps: BatchDeps
  readonly #open: OpenManifest
  readonly #running = new Map<ObligationId, { readonly manifest: Manifest; readonly ended: Promise<void> }>()

  constructor(deps: BatchDeps, open: OpenManifest) {
    this.#deps = deps
    this.#open = open
  }

  /** Manifests of ours that wait for their turn at the provider. */
  get unsubmitted(): number {
    const states = [...this.#running.values()].map(({ manifest }) => manifest.state)
    return states.filter(state => state !== 'submitted' && state !== 'terminal').length
  }

  get running(): readonly Manifest[] {
    return [...this.#running.values()].map(({ manifest }) => manifest)
  }

  async run(signal: AbortSignal, grace: AbortSignal): Promise<void> {
    const { clock, options } = this.#deps
    const stop = { signal, grace }
    try {
      for (let tick = 0; ; tick += 1) {
        // While one waits for its turn anyway, the next may grow as well.
        const sealAfterMs = this.unsubmitted === 0 ? options.sealAfterMs : Number.POSITIVE_INFINITY
        for (const id of this.#open.takeDue(sealAfterMs)) await this.#take(id, stop)
        if (tick % adoptTicks === 0) await this.#adopt(stop)
        await clock.sleep(tickMs, signal)
      }
    } finally {
      await Promise.all([...this.#running.values()].map(({ ended }) => ended))
    }
  }

  async #adopt(stop: StopSignals): Promise<void> {
    const { gates, ledger, membership } = this.#deps
    const ids = await gates.ledger.run(() => ledger.adoptable(['manifest'], adoptedAtOnce), stop.signal)
    for (const id of ids) await this.#take(id, stop)
    // An admission whose answer took long may have begun one that was sealed, and even archived, meanwhile.
    const { obligations } = await gates.ledger.run(() => ledger.survey(), stop.signal)
    for (const { id, kind, owner, parts } of obligations) {
      if (kind !== 'manifest' || owner !== membership.owner) continue
      if (this.#open.holds(id))
        this.#open.found(
          id,
          [...parts.values()].reduce((sum, count) => sum + count, 0)
        )
      else await this.#take(id, stop)
    }
  }

  /** Begins with one that is ours already, or that nobody alive has. One that nothing went into does not exist. */
  async #take(id: ObligationId, stop: StopSignals): Promise<void> {
    if (this.#running.has(id)) return
    const { gates, hit, ledger, membership } = this.#deps
    const claim = { owner: membership.owner, epoch: noEpoch, lane: 'batch' } as const
    const taken = await gates.ledger.run(() => ledger.takeover(id, claim), stop.signal)
    if (taken.kind === 'refused') return
    hit('ba.adopt')
    const manifest = manifestOf(taken.obligation, claim.owner, this.#deps)
    if (manifest !== undefined) this.#begin(manifest, stop)
  }

  #begin(manifest: Manifest, stop: StopSignals): void {
    const ended = this.#carry(manifest, stop).finally(() => this.#running.delete(manifest.id))
    this.#running.set(manifest.id, { manifest, ended })
  }

  /** Again and again if need be: nobody else may while we live. */
  async #carry(manifest: Manifest, stop: StopSignals): Promise<void> {
    const { clock, warn } = this.#deps
    for (let tries = 0; ; tries += 1) {
      try {
        await runManifest(manifest, this.#deps, stop)
        return
      } catch (error) {
        if (stop.signal.aborted) return
        if (error instanceof Disowned) {
          warn(error.message)
          return
        }
        warn(`manifest ${manifest.id} failed as ${manifest.state}, going on: ${messageOf(error)}`)
      }
      await clock.sleep(backOffMs(tries, rest, clock.random()), stop.signal).catch(() => undefined)
    }
  }
}
