import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { Failure } from '@pointsman/core/domain/failure'
import type { Followed } from './followed.ts'
import { codeOf, reasonOf } from './open-source-file.ts'
import { isInside } from './walk-folder.ts'

export const standardInput = '-'

/** What one run reads below one root. */
export interface Root {
  /** Real path of a folder; `-` for standard input. Ids are relative to it. */
  readonly origin: string
  /** Device of the folder; 0 for standard input. */
  readonly device: number
  /** Paths relative to the root that were named one by one; undefined: all that lies below. */
  readonly files: ReadonlySet<string> | undefined
  readonly followed?: Followed
}

export interface FoundRoots {
  readonly roots: readonly Root[]
  /** What cannot be read as a source, each as a sentence. */
  readonly problems: readonly string[]
}

/**
 * @param paths - files, folders or `-`, as a person gave them.
 * @param isKnown - whether documents came from this file of this root before: then it was removed, not mistyped.
 * @throws {Failure} `USAGE` naming every path that cannot be read as a source.
 */
export async function resolveSources(
  paths: readonly string[],
  isKnown: (origin: string, path: string) => boolean
): Promise<readonly Root[]> {
  const { roots, problems } = await findRoots(paths, isKnown)
  const all = [
    ...(paths.length === 0 ? ['name at least one file or folder, or - for standard input'] : []),
    ...problems,
    ...overlapsOf(roots)
  ]
  if (all.length > 0) throw new Failure('USAGE', all.join('\n'))
  return roots
}

/** The roots of those paths that are there at this moment. */
export async function findRoots(
  paths: readonly string[],
  isKnown: (origin: string, path: string) => boolean
): Promise<FoundRoots> {
  const roots = new Map<string, Root>()
  const problems: string[] = []
  for (const path of new Set(paths)) {
    const found = path === standardInput ? standardInputRoot : await resolvePath(path, isKnown)
    if (typeof found === 'string') problems.push(found)
    else roots.set(found.origin, merge(roots.get(found.origin), found))
  }
  return { roots: [...roots.values()], problems }
}

const standardInputRoot: Root = { origin: standardInput, device: 0, files: undefined }

async function resolvePath(
  path: string,
  isKnown: (origin: string, path: string) => boolean
): Promise<Root | string> {
  const full = resolve(path)
  try {
    const real = await realpath(full)
    const stats = await stat(real)
    if (stats.isDirectory()) return { origin: real, device: stats.dev, files: undefined }
    return await fileRoot(dirname(real), basename(real))
  } catch (error) {
    const isGone = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
    const removed = isGone ? await removedFile(full, isKnown) : undefined
    return removed ?? `${path}: ${reasonOf(error)}`
  }
}

async function fileRoot(folder: string, name: string): Promise<Root> {
  const { dev } = await stat(folder)
  return { origin: folder, device: dev, files: new Set([name]) }
}

async function removedFile(
  full: string,
  isKnown: (origin: string, path: string) => boolean
): Promise<Root | undefined> {
  try {
    const folder = await realpath(dirname(full))
    return isKnown(folder, basename(full)) ? await fileRoot(folder, basename(full)) : undefined
  } catch {
    return undefined // Its folder is gone as well: perhaps a disk is.
  }
}

function merge(known: Root | undefined, found: Root): Root {
  if (known?.files === undefined || found.files === undefined)
    return { ...found, files: known ? undefined : found.files }
  return { ...known, files: new Set([...known.files, ...found.files]) }
}

/** The same file below two roots would be two documents. */
export function overlapsOf(roots: readonly Root[]): readonly string[] {
  const folders = roots.filter(({ origin }) => origin !== standardInput)
  return folders.flatMap(outer =>
    folders
      .filter(inner => inner !== outer && outer.files === undefined && isInside(outer.origin, inner.origin))
      .map(inner => `${inner.origin} lies inside ${outer.origin}: name one of them`)
  )
}
