import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Clock } from '@pointsman/core/ports/clock'
import type { FileMemory } from './file-memory.ts'
import { codeOf, reasonOf } from './open-source-file.ts'
import type { ReadContext } from './read-context.ts'
import { readableExtensions } from './read-file.ts'
import { isWanted } from './read-root.ts'
import type { Root } from './resolve-sources.ts'
import { walkFolder } from './walk-folder.ts'

/** Of files asked for at once: each answer may cross a network. */
const atOnce = 64

/**
 * Looks at every file of a root, opening none.
 * @returns false when the root could not be looked into: then the look counts for nothing.
 */
export async function lookAtRoot(
  root: Root,
  memory: FileMemory,
  narrowed: Pick<ReadContext, 'only'>,
  clock: Clock,
  signal: AbortSignal
): Promise<boolean> {
  memory.beginLook(clock.nowMs())
  try {
    let paths: string[] = []
    for await (const item of itemsOf(root, narrowed, signal)) {
      if (typeof item === 'string') paths.push(item)
      else if (item.path === '') return false
      else memory.meetRefused(item.path, item.reason)
      if (paths.length < atOnce) continue
      await meetAll(root, paths, memory)
      paths = []
    }
    await meetAll(root, paths, memory)
    memory.endLook()
    return true
  } finally {
    memory.abandonLook()
  }
}

type Item = string | { readonly path: string; readonly reason: string }

async function* itemsOf(
  { origin, files }: Root,
  narrowed: Pick<ReadContext, 'only'>,
  signal: AbortSignal
): AsyncGenerator<Item> {
  if (files !== undefined) {
    yield* files
    return
  }
  for await (const item of walkFolder(origin, signal)) {
    if (item.kind === 'rejected') yield item
    else if (item.kind === 'file' && isReadable(item.path) && isWanted(item.path, narrowed)) yield item.path
  }
}

const readable: ReadonlySet<string> = new Set(readableExtensions)

function isReadable(path: string): boolean {
  return readable.has(posix.extname(path).toLowerCase())
}

async function meetAll({ origin }: Root, paths: readonly string[], memory: FileMemory): Promise<void> {
  const prints = await Promise.all(
    paths.map(async path => [path, await printOf(join(origin, path))] as const)
  )
  for (const [path, print] of prints) {
    if (typeof print === 'string') memory.meet(path, print)
    else if (print !== undefined) memory.meetRefused(path, print.reason)
  }
}

async function printOf(path: string): Promise<string | { readonly reason: string } | undefined> {
  try {
    return printOfStats(await lstat(path, { bigint: true }))
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : { reason: reasonOf(error) }
  }
}

/** Without the numbers of device and inode: some network file systems make them up anew at each look. */
function printOfStats({ mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${mode} ${size} ${mtimeNs} ${ctimeNs}`
}
