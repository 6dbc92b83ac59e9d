import { constants, linkSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileStore } from '../files/file-store.ts'
import type { BatchRecord } from './batch-record.ts'
import { findJobFault } from './job-fault.ts'
import { JobInput } from './job-input.ts'

/** The open files of a job that runs: its input, its output and its errors. */
export class JobFiles implements AsyncDisposable {
  readonly input: JobInput
  readonly #output: FileHandle
  readonly #errors: FileHandle
  readonly #store: FileStore

  private constructor(input: JobInput, output: FileHandle, errors: FileHandle, store: FileStore) {
    this.input = input
    this.#output = output
    this.#errors = errors
    this.#store = store
  }

  /** Where the input of a job is while it runs: a link, because its file may be deleted or expire meanwhile. */
  static inputPath(jobsFolder: string, { id }: BatchRecord): string {
    return join(jobsFolder, id)
  }

  /** Before the first reading. @param path - of the input's file. */
  static keepInput(path: string, inputPath: string): void {
    rmSync(inputPath, { force: true })
    linkSync(path, inputPath)
  }

  static async open(jobsFolder: string, store: FileStore, batch: BatchRecord): Promise<JobFiles> {
    await using opened = new AsyncDisposableStack()
    const order = findJobFault(batch.faults, 'output_order')?.order
    const path = JobFiles.inputPath(jobsFolder, batch)
    const input = opened.use(await JobInput.open(path, order ?? batch.orderSeed))
    const flags = constants.O_WRONLY | constants.O_CREAT
    const output = opened.use(await open(store.pathOf(batch.outputFileId), flags))
    const errors = opened.use(await open(store.pathOf(batch.errorFileId), flags))
    opened.move()
    return new JobFiles(input, output, errors, store)
  }

  static remove(jobsFolder: string, batch: BatchRecord): void {
    rmSync(JobFiles.inputPath(jobsFolder, batch), { force: true })
  }

  /** @returns how many bytes were written. */
  writeOutput(bytes: Buffer, position: number): Promise<number> {
    return write(this.#output, bytes, position)
  }

  /** @returns how many bytes were written. */
  writeErrors(bytes: Buffer, position: number): Promise<number> {
    return write(this.#errors, bytes, position)
  }

  /** Closes them, cut to what the record says; a file without a line is removed. */
  async finish({ errorBytes, errorFileId, outputBytes, outputFileId }: BatchRecord): Promise<void> {
    await this.#output.truncate(outputBytes)
    await this.#errors.truncate(errorBytes)
    await this[Symbol.asyncDispose]()
    if (outputBytes === 0) await rm(this.#store.pathOf(outputFileId), { force: true })
    if (errorBytes === 0) await rm(this.#store.pathOf(errorFileId), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.input[Symbol.dispose]()
    await this.#output.close()
    await this.#errors.close()
  }
}

async function write(file: FileHandle, bytes: Buffer, position: number): Promise<number> {
  for (let written = 0; written < bytes.length; ) {
    const result = await file.write(bytes, written, bytes.length - written, position + written)
    written += result.bytesWritten
  }
  return bytes.length
}
