import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What is remembered of a namespace is kept by cluster. Without a cluster to ask, that which was written last is the
 * best guess.
 * @param directory - of the namespace.
 * @returns the directory of that memory, and how many others there are; undefined when nothing is remembered.
 */
export function findMemory(
  directory: string
): { readonly directory: string; readonly others: number } | undefined {
  const found = foldersOf(directory)
    .map(name => join(directory, name))
    .flatMap(folder => {
      const written = statSync(join(folder, 'emitted.db'), { throwIfNoEntry: false })
      return written === undefined ? [] : [{ folder, writtenMs: writtenMsOf(folder, written.mtimeMs) }]
    })
    .toSorted((a, b) => b.writtenMs - a.writtenMs)
  const [latest, ...others] = found
  return latest && { directory: latest.folder, others: others.length }
}

/** What is written goes to a file beside it at first. */
function writtenMsOf(folder: string, mtimeMs: number): number {
  const journal = statSync(join(folder, 'emitted.db-wal'), { throwIfNoEntry: false })
  return Math.max(mtimeMs, journal?.mtimeMs ?? 0)
}

function foldersOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // Nothing was sent yet.
  }
}
