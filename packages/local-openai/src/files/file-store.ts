import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '../api-error.ts'
import type { Clock } from '../clock.ts'
import type { ServerState } from '../server-state.ts'
import type { FileRecord } from './file-record.ts'

/** The files that clients may see, and where their bytes are. */
export class FileStore {
  readonly #folder: string
  readonly #state: ServerState
  readonly #clock: Clock

  /** @param unfinished - ids whose bytes are kept although there is no record of them yet. */
  constructor(folder: string, state: ServerState, clock: Clock, unfinished: ReadonlySet<string>) {
    this.#folder = folder
    this.#state = state
    this.#clock = clock
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      if (!state.files.has(name) && !unfinished.has(name)) rmSync(join(folder, name))
    }
  }

  /** Where the bytes of a file are, or are to be. */
  pathOf(id: string): string {
    return join(this.#folder, id)
  }

  /** Its bytes are there. */
  add(file: FileRecord): void {
    this.#state.commit(this.#clock.nowMs(), { kind: 'file', file })
  }

  /** The oldest first, by the time that is shown. */
  list(): FileRecord[] {
    this.#dropExpired()
    const nowMs = this.#clock.nowMs()
    return [...this.#state.files.values()]
      .filter(file => this.#isVisible(file) && (file.listedMs ?? 0) <= nowMs)
      .toSorted((a, b) => a.createdMs + a.skewMs - (b.createdMs + b.skewMs))
  }

  find(id: string): FileRecord | undefined {
    this.#dropExpired()
    const file = this.#state.files.get(id)
    return file && this.#isVisible(file) ? file : undefined
  }

  /** @throws {ApiError} 404. */
  get(id: string): FileRecord {
    const file = this.find(id)
    if (!file) throw noSuchFile(id)
    return file
  }

  /** @throws {ApiError} 404. */
  delete(id: string): void {
    this.#drop(this.get(id))
  }

  #dropExpired(): void {
    const nowMs = this.#clock.nowMs()
    for (const file of this.#state.files.values()) {
      const endMs = file.goneMs ?? file.expiresMs
      if (endMs !== null && endMs <= nowMs) this.#drop(file)
    }
  }

  #isVisible({ visibleMs }: FileRecord): boolean {
    return visibleMs === undefined || visibleMs <= this.#clock.nowMs()
  }

  #drop({ id }: FileRecord): void {
    this.#state.commit(this.#clock.nowMs(), { kind: 'file-gone', id })
    rmSync(this.pathOf(id), { force: true })
  }
}

export function noSuchFile(id: string): ApiError {
  return new ApiError({
    status: 404,
    message: `No such File object: ${id}`,
    type: 'invalid_request_error',
    param: 'id'
  })
}
