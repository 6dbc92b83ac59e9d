// What survives a restart besides the bill: the files' and the jobs' records. Every change is a line of a log,
// written before it is shown to anybody; a line may hold several changes, which then happen together.

import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { batchRecordSchema } from './batches/batch-record.ts'
import type { BatchRecord } from './batches/batch-record.ts'
import { fileRecordSchema } from './files/file-record.ts'
import type { FileRecord } from './files/file-record.ts'
import { JsonLog } from './json-log.ts'

const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), file: fileRecordSchema }),
  z.object({ kind: z.literal('file-gone'), id: z.string() }),
  z.object({ kind: z.literal('batch'), batch: batchRecordSchema }),
  z.object({ kind: z.literal('clock') })
])

const lineSchema = z.object({ atMs: z.number(), changes: z.array(changeSchema) })

export type Change = Readonly<z.output<typeof changeSchema>>

export class ServerState implements Disposable {
  readonly #files = new Map<string, FileRecord>()
  readonly #batches = new Map<string, BatchRecord>()
  #latestMs = 0
  readonly #log: JsonLog

  /** @throws {Error} when the folder holds the state of another version. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    const path = join(folder, 'state.jsonl')
    const replay = (value: unknown): void => {
      const { atMs, changes } = lineSchema.parse(value)
      this.#apply(atMs, changes)
    }
    JsonLog.open(path, replay)[Symbol.dispose]()
    this.#log = this.#rewrite(path)
  }

  /** The oldest first. */
  get files(): ReadonlyMap<string, FileRecord> {
    return this.#files
  }

  /** The oldest first. */
  get batches(): ReadonlyMap<string, BatchRecord> {
    return this.#batches
  }

  /** The latest moment that anything happened at; 0 when nothing has. */
  get latestMs(): number {
    return this.#latestMs
  }

  /** @param atMs - of the virtual clock, which goes on from there after a restart. */
  commit(atMs: number, ...changes: readonly Change[]): void {
    this.#log.append({ atMs, changes })
    this.#apply(atMs, changes)
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]()
  }

  #apply(atMs: number, changes: readonly Change[]): void {
    this.#latestMs = Math.max(this.#latestMs, atMs)
    for (const change of changes) {
      switch (change.kind) {
        case 'file':
          this.#files.set(change.file.id, change.file)
          break
        case 'file-gone':
          this.#files.delete(change.id)
          break
        case 'batch':
          this.#batches.set(change.batch.id, change.batch)
          break
        case 'clock':
          break
      }
    }
  }

  /** Leaves out what is superseded. */
  #rewrite(path: string): JsonLog {
    const newPath = `${path}.new`
    rmSync(newPath, { force: true })
    const log = JsonLog.open(newPath, () => undefined)
    const changes: Change[] = [
      ...[...this.#files.values()].map(file => ({ kind: 'file' as const, file })),
      ...[...this.#batches.values()].map(batch => ({ kind: 'batch' as const, batch }))
    ]
    log.append({ atMs: this.#latestMs, changes: [{ kind: 'clock' }] })
    for (const change of changes) log.append({ atMs: 0, changes: [change] })
    renameSync(newPath, path)
    return log
  }
}
