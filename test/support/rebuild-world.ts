// A world whose ledger may be lost, and controllers that keep it. W is committed when a test says so.
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { namesOf } from '@pointsman/core/runtime/names'
import { docKey, paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import type { Document } from '@pointsman/core/domain/document'
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Parts } from '../../services/controller/src/parts.ts'
import { LedgerKeeper } from '../../services/controller/src/rebuild/ledger-keeper.ts'
import { documentOf, MemoryWorld } from './memory-world.ts'

const never = new AbortController().signal

export const killed = new Error('killed')

export class RebuildWorld {
  readonly world = new MemoryWorld()
  readonly names = namesOf('test')
  readonly warned: string[] = []

  /** Of one controller, with a handle of its own. */
  parts(): Parts {
    const { admin, clock, codec, control, embedder, letters, provider, ranges, spec, store } = this.world
    const ledger = new MemoryLedger(this.world.ledgerServer)
    const { names } = this
    return { admin, clock, codec, control, embedder, ledger, letters, names, provider, ranges, spec, store }
  }

  /** A controller with a handle of its own. @param dieAt - the failpoint at which it is killed. */
  keeper(dieAt?: Failpoint, parts = this.parts()): LedgerKeeper {
    return new LedgerKeeper({
      parts,
      hit: name => {
        if (name === dieAt) throw killed
      },
      listGraceMs: 1_000,
      initialMode: 'realtime',
      warn: message => this.warned.push(message),
      info: () => undefined
    })
  }

  /** Loses nothing else; the next controller does all. @returns the state afterwards, as a new process finds it. */
  async rebuilt() {
    await this.keeper().step(never)
    return this.world.ledger.open('realtime')
  }

  /** As embedders do twice a second. @param group - either may be behind. */
  async commit(group: 'realtime' | 'batch' = 'realtime'): Promise<void> {
    const { committed } = this.world.log.group(this.names.groups[group])
    for (const [partition, watermark] of await this.world.ledger.watermarks()) {
      if (watermark > (committed.get(partition) ?? -1n)) committed.set(partition, watermark)
    }
  }

  /** A job of the lost ledger, as the provider knows it. @returns its batch id. */
  async job(manifest: string, documents: readonly Document[]): Promise<string> {
    const { provider, spec } = this.world
    const key = {
      namespace: this.names.namespace,
      ledger: this.#ledgerId,
      manifest: manifest as ObligationId
    }
    const fileId = await this.upload(manifest, documents)
    const report = await provider.create({ ...key, create: 1 }, fileId, never)
    if (spec.model !== provider.model) throw new Error('the provider has another model')
    return report.batchId
  }

  async upload(manifest: string, documents: readonly Document[]): Promise<string> {
    const { provider, spec } = this.world
    const key = {
      namespace: this.names.namespace,
      ledger: this.#ledgerId,
      manifest: manifest as ObligationId
    }
    const lines = documents.map(({ text }, offset) => ({
      content: paymentKey(spec, textHash(text)),
      partition: 0,
      offset: BigInt(offset),
      text
    }))
    const { fileId } = await provider.upload(
      key,
      (async function* () {
        yield* lines
      })(),
      never
    )
    return fileId
  }

  /** Of the ledger that is there, and may be lost. */
  get #ledgerId(): string {
    return this.world.ledgerServer.state?.ledgerId ?? 'the lost one'
  }

  async statuses(...documents: readonly Document[]): Promise<readonly (string | undefined)[]> {
    const latest = await this.world.ledger.latest(documents.map(({ docId }) => docKey(docId)))
    return latest.map(one => one?.status)
  }
}

export function versionOf(docId: string, text: string, version: number): Document {
  return documentOf(docId, text, { version })
}
