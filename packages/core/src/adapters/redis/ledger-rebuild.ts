// How an empty ledger in Redis is told what was before it. The scripts that work while nothing else does.
import type { Digest, ObligationId } from '../../domain/identity.ts'
import type { Job } from '../../ports/job.ts'
import type {
  AwaitedDocument,
  ExpectedDocument,
  LedgerRebuild,
  RebuildProgress,
  RebuiltLanes,
  RestoredObject
} from '../../ports/ledger-rebuild.ts'
import type { LedgerCalls } from './ledger-calls.ts'
import { packAwaited, packExpected, packObjects } from './rebuild-codec.ts'
import { packDigests } from './records.ts'
import { asNumber } from './reply.ts'
import type { Script, ScriptArgument } from './script.ts'
import { loadScript } from './script.ts'

const base = ['server-run', 'ledger', 'rebuilding', 'counted']
const noteScript = loadScript(...base, 'note-rebuild')
const restoreScript = loadScript(...base, 'digests', 'latest', 'restore')
const expectScript = loadScript(...base, 'digests', 'latest', 'expect')
const adoptJobScript = loadScript(...base, 'digests', 'latest', 'obligations', 'parts', 'adopt-job')
const promiseVectorsScript = loadScript(...base, 'digests', 'obligations', 'promised', 'promise-vectors')
const endScript = loadScript(...base, 'end-rebuild')

export class RedisLedgerRebuild implements LedgerRebuild {
  readonly #calls: LedgerCalls

  constructor(calls: LedgerCalls) {
    this.#calls = calls
  }

  async distrust(ledgerId: string, because: string): Promise<void> {
    await this.#calls.distrust(ledgerId, because)
  }

  async noteRebuild({ stage, done, total }: RebuildProgress): Promise<boolean> {
    return this.#tell(noteScript, stage, done, total)
  }

  async restore(objects: readonly RestoredObject[]): Promise<boolean> {
    return this.#tell(restoreScript, packObjects(objects))
  }

  async expect(documents: readonly ExpectedDocument[]): Promise<boolean> {
    return this.#tell(expectScript, packExpected(documents))
  }

  async adoptJob(manifest: ObligationId, job: Job, documents: readonly AwaitedDocument[]): Promise<boolean> {
    return this.#tell(adoptJobScript, manifest, packAwaited(documents), ...Object.entries(job).flat())
  }

  async promiseVectors(manifest: ObligationId, contents: readonly Digest[]): Promise<boolean> {
    return this.#tell(promiseVectorsScript, manifest, packDigests(contents))
  }

  async endRebuild({ epoch, defaultLane, partitions }: RebuiltLanes): Promise<boolean> {
    const told = [...partitions].flatMap(([p, { lane, frontier }]) => [p, lane, frontier.toString()])
    return this.#tell(endScript, epoch, defaultLane, ...told)
  }

  async #tell(script: Script, ...args: readonly ScriptArgument[]): Promise<boolean> {
    return asNumber(await this.#calls.run(script, ...args)) === 1
  }
}
