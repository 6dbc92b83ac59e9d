// Deletes input files that no manifest needs: uploads whose answer was lost, and those of processes that died before
// they noted the file; also uploads that arrived after their ledger was lost and rebuilt, as long as this process knows of
// it. They cost nothing but space, and would expire by themselves.
import type { LaneLoop } from '@pointsman/core/lane/lane-kind'
import type { InputFile } from '@pointsman/core/ports/batch-provider'
import type { Obligation } from '@pointsman/core/ports/ledger'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { BatchDeps } from './batch-deps.ts'

const sweepMs = 3_600_000

export class SweepLoop implements LaneLoop {
  readonly name = 'sweeping of stray files'
  readonly #deps: BatchDeps

  constructor(deps: BatchDeps) {
    this.#deps = deps
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      // Of no importance: what fails today succeeds in an hour.
      await this.#sweep(signal).catch((error: unknown) => {
        signal.throwIfAborted()
        this.#deps.warn(`stray files: ${messageOf(error)}`)
      })
      await this.#deps.clock.sleep(sweepMs, signal)
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { gates, ledger, ledgers, owned, provider } = this.#deps
    const files = await provider.inputFiles(owned.namespace, signal)
    // The ledger is asked after the provider: what was uploaded meanwhile is not in the list.
    const { obligations } = await gates.ledger.run(() => ledger.survey(), signal)
    for (const file of files) {
      if (ledgers.has(file.key.ledger) && isStray(file, obligations))
        await provider.deleteFile(file.fileId, signal)
    }
  }
}

/**
 * A file of a manifest that is sealed may be on its way into the ledger. What a rebuilt ledger adopted may have another
 * name than its file.
 */
function isStray({ fileId, key }: InputFile, obligations: readonly Obligation[]): boolean {
  if (obligations.some(({ job }) => job?.inputFileId === fileId)) return false
  return obligations.find(({ id }) => id === key.manifest)?.state !== 'sealed'
}
