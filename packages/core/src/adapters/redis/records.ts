// Fixed-width records, big-endian, as the scripts' headers tell them. Numbers of 7 bytes hold all of 0 to 2^53-1.
import type { Digest } from '../../domain/identity.ts'

const digestBytes = 12

export function writeUInt56(buffer: Buffer, value: number, at: number): void {
  buffer.writeUIntBE(Math.floor(value / 2 ** 32), at, 3)
  buffer.writeUInt32BE(value % 2 ** 32, at + 3)
}

export function readUInt56(buffer: Buffer, at: number): number {
  return buffer.readUIntBE(at, 3) * 2 ** 32 + buffer.readUInt32BE(at + 3)
}

/** Undefined leaves zeros. */
export function writeDigest(buffer: Buffer, digest: Digest | undefined, at: number): void {
  if (digest !== undefined) buffer.write(digest, at, digestBytes, 'hex')
}

export function readDigest(buffer: Buffer, at: number): Digest {
  return buffer.toString('hex', at, at + digestBytes) as Digest
}

export function packDigests(digests: readonly Digest[]): Buffer {
  return Buffer.from(digests.join(''), 'hex')
}

/** `count` records of `width` bytes, zeroed, each written by `write` at its place. */
export function packRecords<Item>(
  items: readonly Item[],
  width: number,
  write: (buffer: Buffer, item: Item, at: number) => void
): Buffer {
  const buffer = Buffer.alloc(items.length * width)
  items.forEach((item, index) => write(buffer, item, index * width))
  return buffer
}
