import type { Dir, Dirent } from 'node:fs'
import { opendir, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { reasonOf } from './open-source-file.ts'

/**
 * - `file`     may be opened; what it is, its handle will tell.
 * - `rejected` named, and everything below it is in doubt.
 * - `link`     leads to a place inside the root, where the same thing is met under its own name.
 */
export type FolderItem =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'rejected'; readonly path: string; readonly reason: string }
  | { readonly kind: 'link'; readonly path: string }

/** Never documents, and often huge. */
const passedOver: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', '.pointsman'])

const maxDepth = 200

interface OpenFolder {
  readonly path: string
  readonly dir: Dir
}

/**
 * Everything below `root`, one entry at a time: folders of any size take no more memory than their depth. Symbolic
 * links are never followed, so there are no loops and no way out. A root that cannot be opened is rejected as the path ''.
 */
export async function* walkFolder(root: string, signal: AbortSignal): AsyncGenerator<FolderItem> {
  const open: OpenFolder[] = []
  try {
    const top = await openTop(root)
    if ('reason' in top) {
      yield { kind: 'rejected', path: '', reason: top.reason }
      return
    }
    open.push(top)
    for (;;) {
      signal.throwIfAborted()
      const folder = open.at(-1)
      if (folder === undefined) return
      const next = await readNext(folder)
      if (next === undefined) {
        open.pop()
        await folder.dir.close()
      } else if ('reason' in next) {
        yield { kind: 'rejected', path: folder.path, reason: next.reason }
        open.pop()
        await folder.dir.close()
      } else if (next.entry.isDirectory()) {
        if (passedOver.has(next.entry.name)) continue
        const opened = await openFolder(root, next.path, open.length)
        if ('dir' in opened) open.push(opened)
        else yield { kind: 'rejected', path: next.path, reason: opened.reason }
      } else yield await itemOf(root, next.path, next.entry)
    }
  } finally {
    for (const { dir } of open) await dir.close()
  }
}

type NextEntry = { readonly path: string; readonly entry: Dirent } | { readonly reason: string } | undefined

async function readNext({ path, dir }: OpenFolder): Promise<NextEntry> {
  try {
    const entry = await dir.read()
    return entry === null ? undefined : { path: path === '' ? entry.name : `${path}/${entry.name}`, entry }
  } catch (error) {
    return { reason: `the folder could not be read to its end (${reasonOf(error)})` }
  }
}

async function openTop(root: string): Promise<OpenFolder | { reason: string }> {
  try {
    return { path: '', dir: await opendir(root) }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

async function openFolder(
  root: string,
  path: string,
  depth: number
): Promise<OpenFolder | { reason: string }> {
  if (depth >= maxDepth) return { reason: `folders are nested deeper than ${maxDepth}` }
  const full = join(root, path)
  try {
    const dir = await opendir(full)
    // It may have become a link since it was listed.
    if ((await realpath(full)) === full) return { path, dir }
    await dir.close()
    return { reason: 'it was moved while it was read' }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

async function itemOf(root: string, path: string, entry: Dirent): Promise<FolderItem> {
  if (entry.name.includes('\ufffd')) return { kind: 'rejected', path, reason: 'the name is not valid UTF-8' }
  if (!entry.isSymbolicLink()) return { kind: 'file', path }
  try {
    const target = await realpath(join(root, path))
    if (isInside(root, target)) return { kind: 'link', path }
    return { kind: 'rejected', path, reason: 'a symbolic link that leads out of the root' }
  } catch {
    return { kind: 'rejected', path, reason: 'a symbolic link that leads nowhere' }
  }
}

/** Both are real paths. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}
