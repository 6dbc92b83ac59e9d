// What was fetched, kept outside the work tree: one folder per part and version.
//
//   C1  A folder appears under its final name only when complete: it is built beside it and renamed.
//   C2  A folder counts as intact only while its files have the sizes and times written in its stamp at that moment,
//       so a truncated or edited file is seen at the next start, without reading half a gigabyte.

import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'

const stampName = '.complete'

export function cacheRoot(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pointsman')
}

export type CacheState = 'intact' | 'missing' | 'damaged'

export async function stateOf(folder: string): Promise<CacheState> {
  const stamp = await readFile(join(folder, stampName), 'utf8').catch(() => undefined)
  if (stamp === undefined) return (await stat(folder).catch(() => undefined)) ? 'damaged' : 'missing'
  return stamp === (await inventory(folder)) ? 'intact' : 'damaged'
}

/** @param build - fills the empty folder it is given, and throws unless the content is what was asked for. */
export async function install(folder: string, build: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = `${folder}.${process.pid}.${randomUUID().slice(0, 8)}`
  await mkdir(scratch, { recursive: true })
  try {
    await build(scratch)
    await writeFile(join(scratch, stampName), await inventory(scratch))
    await rm(folder, { recursive: true, force: true })
    await rename(scratch, folder)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** One line per file: path, bytes, time of change. */
async function inventory(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && entry.name !== stampName)
  const lines = files.map(async file => {
    const path = join(file.parentPath, file.name)
    const { size, mtimeMs } = await stat(path)
    return `${relative(folder, path)} ${size} ${Math.trunc(mtimeMs)}`
  })
  return (await Promise.all(lines)).sort().join('\n')
}
