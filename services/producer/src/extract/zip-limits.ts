import yauzl from 'yauzl'
import { messageOf } from '@pointsman/core/runtime/message-of'

const maxEntries = 10_000
const maxUnpackedBytes = 200 * 1_048_576
const maxRatio = 200
/** Small files may compress as well as they like. */
const ratioFromBytes = 10 * 1_048_576

export type ZipCheck = { readonly entries: ReadonlyMap<string, Buffer> } | { readonly reason: string }

/**
 * Unpacks an archive once, counting, before a library unpacks it without counting. What the headers say is not
 * believed: yauzl ends an entry that gives more bytes than it announced.
 * @param keep - names of entries to return.
 */
export async function checkZip(bytes: Buffer, keep: readonly string[]): Promise<ZipCheck> {
  const kept = new Map<string, Buffer>()
  let announced = 0
  let count = 0
  try {
    const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true, validateEntrySizes: true })
    for await (const entry of zip.eachEntry()) {
      count += 1
      announced += entry.uncompressedSize
      if (count > maxEntries) return { reason: `zip bomb: more than ${maxEntries} entries` }
      if (announced > maxUnpackedBytes)
        return { reason: `zip bomb: unpacks to more than ${maxUnpackedBytes} bytes` }
      if (announced > ratioFromBytes && announced > bytes.length * maxRatio) {
        return { reason: `zip bomb: unpacks to more than ${maxRatio} times its size` }
      }
      if (entry.isEncrypted()) return { reason: 'encrypted' }
      const content = await readEntry(zip, entry, keep.includes(entry.fileName))
      if (content !== undefined) kept.set(entry.fileName, content)
    }
    return { entries: kept }
  } catch (error) {
    return { reason: `malformed archive: ${messageOf(error)}` }
  }
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, keep: boolean): Promise<Buffer | undefined> {
  if (entry.fileName.endsWith('/')) return undefined
  const parts: Buffer[] = []
  const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry)
  for await (const part of stream) if (keep) parts.push(part)
  return keep ? Buffer.concat(parts) : undefined
}
