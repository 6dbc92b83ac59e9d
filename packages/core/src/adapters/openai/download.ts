// Files of the provider, streamed. A download that is cut may end as if it were whole: only the size that the provider
// knows tells.
import type { OpenAI } from 'openai'
import { Failure } from '../../domain/failure.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import { askWithin } from './client.ts'
import { fieldOf, numberOf } from './field.ts'
import { jobFailure } from './job-failure.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** A cut download is tried this often before the caller is told. */
export const maxTries = 3

export interface DownloadFrom {
  readonly client: OpenAI
  /** For the first byte, and between any two. */
  readonly deadlineMs: number
}

/**
 * The bytes of a file, as they come; a chunk is empty once the next one is asked for.
 * @throws {Failure} `JOB_GONE`, and as every call.
 */
export async function* streamFile(
  { client, deadlineMs }: DownloadFrom,
  fileId: string,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  // Its own: a deadline's signal ends with the headers, and the body has to be stopped too.
  const stop = new AbortController()
  try {
    const response = await withDeadline(deadlineMs, signal, () =>
      client.files.content(fileId, { signal: stop.signal, timeout: 2 * deadlineMs })
    )
    const reader = response.body?.getReader()
    while (reader !== undefined) {
      const { done, value } = await withDeadline(deadlineMs, signal, () => reader.read())
      if (done) return
      yield value
      // Not left to the garbage collector: it comes late, and a file of 400 MB would take 100.
      if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength)
        value.buffer.transfer(0)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw jobFailure(error, true)
  } finally {
    stop.abort()
  }
}

/** Brings a whole file down to the disk. */
export async function downloadFile(
  from: DownloadFrom,
  spool: Spool,
  fileId: string,
  signal: AbortSignal
): Promise<SpoolFile> {
  const bytes = await sizeOf(from, fileId, signal)
  for (let tries = 1; ; tries += 1) {
    const file = await spool.create()
    try {
      const written = await write(from, spool, file, fileId, signal)
      if (bytes === undefined || written === bytes) return file
      throw new Failure('EMBED_UNAVAILABLE', `file ${fileId} came as ${written} of its ${bytes} bytes`)
    } catch (error) {
      await file[Symbol.asyncDispose]()
      if (tries === maxTries || !isCut(error)) throw error
    }
  }
}

/** Fetching costs nothing, so what may only have been cut is fetched again at once. */
export function isCut(error: unknown): boolean {
  return (
    error instanceof Failure && (error.code === 'EMBED_UNAVAILABLE' || error.code === 'EMBED_OUTCOME_UNKNOWN')
  )
}

/** @returns undefined when the provider does not say. */
export async function sizeOf(
  { client, deadlineMs }: DownloadFrom,
  fileId: string,
  signal: AbortSignal
): Promise<number | undefined> {
  try {
    const file: unknown = await askWithin(deadlineMs, signal, options =>
      client.files.retrieve(fileId, options)
    )
    return numberOf(fieldOf(file, 'bytes'))
  } catch (error) {
    signal.throwIfAborted()
    throw jobFailure(error, true)
  }
}

async function write(
  from: DownloadFrom,
  spool: Spool,
  { handle }: SpoolFile,
  fileId: string,
  signal: AbortSignal
): Promise<number> {
  let written = 0
  for await (const chunk of streamFile(from, fileId, signal)) {
    await spool.guard(() => handle.writeFile(chunk))
    written += chunk.byteLength
  }
  await spool.guard(() => handle.sync())
  return written
}
