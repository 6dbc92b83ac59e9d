// A form with one file, read from the disk while it is sent. Not the SDK's own form: it makes a copy of every piece, which
// the garbage collector finds late, so that a file of 200 MB takes 200 MB. A stream of known length is not sent in chunks.
import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

const pieceBytes = 65_536
/**
 * Pieces are used again in turn. `fetch` takes one when the socket has taken the one before, so that two would do; with
 * these many none can be written to while it is still being sent.
 */
const pieces = 32

export interface MultipartFile {
  readonly body: ReadableStream<Uint8Array>
  readonly headers: Readonly<Record<string, string>>
}

export interface FormFields {
  /** Of the part `file`. */
  readonly fileName: string
  readonly bytes: number
  /** In front of the file. */
  readonly fields: Readonly<Record<string, string>>
}

export function multipartFile(handle: FileHandle, { bytes, fields, fileName }: FormFields): MultipartFile {
  const boundary = `pointsman-${randomUUID()}`
  const part = (disposition: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`
  const values = Object.entries(fields).map(([name, value]) => `${part(`name="${name}"`)}\r\n${value}\r\n`)
  const opening = `${part(`name="file"; filename="${fileName.replaceAll(/["\r\n]/g, '_')}"`)}`
  const head = Buffer.from(`${values.join('')}${opening}Content-Type: application/octet-stream\r\n\r\n`)
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    body: ReadableStream.from(inPieces(head, handle, tail)),
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + bytes + tail.length)
    }
  }
}

async function* inPieces(head: Buffer, handle: FileHandle, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head
  const ring: Buffer[] = []
  let position = 0
  for (let turn = 0; ; turn += 1) {
    const piece = (ring[turn % pieces] ??= Buffer.allocUnsafeSlow(pieceBytes))
    const { bytesRead } = await handle.read(piece, 0, pieceBytes, position)
    if (bytesRead === 0) break
    position += bytesRead
    yield piece.subarray(0, bytesRead)
  }
  yield tail
}
