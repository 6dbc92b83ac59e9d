import { open } from 'node:fs/promises'
import { isRecord } from '../request-checks.ts'

/** A longer first line is taken unread: a batch of it tells what is wrong. */
const maxBytes = 1024 * 1024

/**
 * What stands in the first line of a JSONL file.
 * @returns undefined when it is not a JSON object. A byte order mark is passed over: a batch complains of it.
 */
export async function readFirstLine(path: string): Promise<Record<string, unknown> | undefined> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(maxBytes), 0, maxBytes, 0)
  const end = buffer.subarray(0, bytesRead).indexOf(0x0a)
  if (end === -1 && bytesRead === maxBytes) return {}
  const text = buffer.toString('utf8', 0, end === -1 ? bytesRead : end).replace(/^\u{FEFF}/u, '')
  try {
    const line: unknown = JSON.parse(text)
    return isRecord(line) ? line : undefined
  } catch {
    return undefined
  }
}
