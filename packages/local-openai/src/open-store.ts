import { join } from 'node:path'
import { isTerminal } from './batches/batch-record.ts'
import { FileStore } from './files/file-store.ts'
import { ServerState } from './server-state.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface Store extends Disposable {
  readonly state: ServerState
  readonly files: FileStore
  readonly virtualClock: VirtualClock
  /** For the inputs of jobs. */
  readonly jobsFolder: string
}

/** @param folder - keeps everything; what is in it is taken up again. */
export function openStore(folder: string, clockFactor: number): Store {
  const state = new ServerState(folder)
  // It may have been ahead of the system's when the server ended, and time never goes back.
  const virtualClock = new VirtualClock(Math.max(Date.now(), state.latestMs), clockFactor)
  const unfinished = [...state.batches.values()].filter(batch => !isTerminal(batch))
  const unfinishedFiles = new Set(unfinished.flatMap(batch => [batch.outputFileId, batch.errorFileId]))
  const files = new FileStore(join(folder, 'files'), state, virtualClock, unfinishedFiles)
  return {
    state,
    files,
    virtualClock,
    jobsFolder: join(folder, 'jobs'),
    [Symbol.dispose]: () => state[Symbol.dispose]()
  }
}
