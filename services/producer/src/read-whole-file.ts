import type { SourceFile } from './open-source-file.ts'

const stepBytes = 1_048_576

/**
 * Reads a file to its end, however long it says it is: some grow, and some say 0.
 * @returns undefined when it is longer than `maxBytes`.
 * @throws what the file system throws
 */
export async function readWholeFile(
  { handle, sizeBytes }: SourceFile,
  maxBytes: number,
  signal: AbortSignal
): Promise<Buffer | undefined> {
  if (sizeBytes > maxBytes) return undefined
  const parts: Buffer[] = []
  let total = 0
  for (;;) {
    signal.throwIfAborted()
    const wanted = total === 0 ? Math.min(sizeBytes + 1, maxBytes + 1) : stepBytes
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, null)
    if (bytesRead === 0) break
    parts.push(buffer.subarray(0, bytesRead))
    total += bytesRead
    if (total > maxBytes) return undefined
  }
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
}
