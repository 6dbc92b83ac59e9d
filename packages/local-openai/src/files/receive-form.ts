import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import type { BusboyFileStream } from '@fastify/busboy'
import { invalidRequest } from '../api-error.ts'

export interface UploadForm {
  readonly fields: ReadonlyMap<string, string>
  /** The part named `file`. */
  readonly file: StoredPart | undefined
}

export interface StoredPart {
  readonly filename: string
  readonly bytes: number
  /** It was longer than wanted: the rest was read and thrown away, so that the client hears the answer. */
  readonly isCut: boolean
}

const bufferBytes = 256 * 1024

/**
 * Reads a form of `multipart/form-data` to its end, and streams the part named `file` to `path`.
 * @throws {ApiError} 400 for a form that cannot be read; then there may be something at `path`.
 */
export async function receiveForm(
  request: IncomingMessage,
  path: string,
  maxFileBytes: number
): Promise<UploadForm> {
  const fields = new Map<string, string>()
  const abandon = new AbortController()
  let storing: Promise<StoredPart> | undefined
  const form = openForm(request, maxFileBytes)
  form.on('field', (name, value) => fields.set(name, value))
  form.on('file', (name, stream, filename) => {
    if (name !== 'file' || storing) return stream.resume()
    storing = store(stream, filename, path, abandon.signal)
    // Its failure is heard of below; until then nobody listens.
    storing.catch(() => undefined)
    return undefined
  })
  try {
    await pipeline(request, form)
  } catch (error) {
    abandon.abort()
    await storing?.catch(() => undefined)
    throw unreadable(error)
  }
  return { fields, file: await storing }
}

function openForm({ headers }: IncomingMessage, maxFileBytes: number): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      highWaterMark: bufferBytes,
      fileHwm: bufferBytes,
      limits: { fileSize: maxFileBytes, fields: 100 }
    })
  } catch (error) {
    throw unreadable(error)
  }
}

async function store(
  stream: BusboyFileStream,
  filename: string,
  path: string,
  signal: AbortSignal
): Promise<StoredPart> {
  const target = createWriteStream(path)
  await pipeline(stream, target, { signal })
  return { filename, bytes: target.bytesWritten, isCut: stream.truncated }
}

function unreadable(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return invalidRequest(`We could not parse the multipart form of your request: ${reason}.`)
}
