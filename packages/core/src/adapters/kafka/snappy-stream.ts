import { uncompress } from 'snappy'

// Java clients wrap snappy in the frame of xerial's stream: magic, two versions, then blocks with their length.
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const headerBytes = 16

/** Inflates snappy as Java clients (xerial's stream) and others (one raw block) write it. */
export async function decodeSnappy(buffer: Buffer): Promise<Buffer> {
  if (!buffer.subarray(0, magic.length).equals(magic)) return inflate(buffer)
  const blocks: Promise<Buffer>[] = []
  let at = headerBytes
  while (at < buffer.length) {
    const length = buffer.readInt32BE(at)
    blocks.push(inflate(buffer.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(await Promise.all(blocks))
}

async function inflate(block: Buffer): Promise<Buffer> {
  const inflated = await uncompress(block, { asBuffer: true })
  return Buffer.isBuffer(inflated) ? inflated : Buffer.from(inflated)
}
