import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { StackError } from './stack-error.ts'

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** As `sha256sum * | sha256sum` with the names sorted by their bytes. */
async function sha256OfFolder(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort()
  const lines = await Promise.all(
    names.map(async name => `${await sha256OfFile(join(folder, name))}  ${name}\n`)
  )
  return createHash('sha256').update(lines.join('')).digest('hex')
}

export async function requireSha256(path: string, wanted: string): Promise<void> {
  const found = await sha256OfFile(path)
  if (found !== wanted) throw damaged(basename(path), wanted, found)
}

export async function requireSha256OfFolder(folder: string, wanted: string): Promise<void> {
  const found = await sha256OfFolder(folder)
  if (found !== wanted) throw damaged(`${basename(folder)}/*`, wanted, found)
}

function damaged(what: string, wanted: string, found: string): StackError {
  return new StackError(
    `${what} is damaged or not the pinned one: its SHA-256 is ${found} instead of ${wanted}`
  )
}
