import { randomBytes, randomUUID } from 'node:crypto'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `file-` and 22 letters and digits. */
export function newFileId(): string {
  return `file-${Array.from(randomBytes(22), byte => base62[byte % 62]).join('')}`
}

/** `batch_` and 32 hexadecimal digits, of which the first 8 are the time. */
export function newBatchId(nowMs: number): string {
  return `batch_${timeHex(nowMs)}${newHex().slice(8)}`
}

/** 32 hexadecimal digits. */
export function newHex(): string {
  return randomUUID().replaceAll('-', '')
}

export function timeHex(nowMs: number): string {
  return Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')
}
