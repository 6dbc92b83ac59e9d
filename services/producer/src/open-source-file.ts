import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface SourceFile {
  readonly handle: FileHandle
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly device: number
}

/** Undefined: there is no such file any more. */
export type FileOpening = { readonly file: SourceFile } | { readonly reason: string } | undefined

/**
 * Opens a file below `root` for reading, never through a symbolic link and never anything but a regular file. What
 * counts is the open handle: the tree may change under us.
 * @param root - a real path.
 * @param path - relative to it, with forward slashes.
 */
export async function openSourceFile(root: string, path: string): Promise<FileOpening> {
  const full = join(root, path)
  let handle: FileHandle | undefined
  try {
    const before = await lstat(full)
    const kind = problemOfKind(before)
    if (kind !== undefined) return { reason: kind }
    // Non-blocking: what was a file a moment ago may be a pipe now.
    handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await handle.stat()
    const problem = problemOfKind(stats) ?? (await problemOfPlace(full, stats))
    if (problem !== undefined) {
      await handle.close()
      return { reason: problem }
    }
    return {
      file: {
        handle,
        sizeBytes: stats.size,
        modifiedMs: Math.max(0, Math.floor(stats.mtimeMs)),
        device: stats.dev
      }
    }
  } catch (error) {
    await handle?.close()
    return codeOf(error) === 'ENOENT' ? undefined : { reason: reasonOf(error) }
  }
}

/** `O_NOFOLLOW` guards the last name only: a folder on the way may have been replaced by a link. */
async function problemOfPlace(full: string, opened: Stats): Promise<string | undefined> {
  const [real, there] = await Promise.all([realpath(full), stat(full)])
  const isSame = real === full && there.ino === opened.ino && there.dev === opened.dev
  return isSame ? undefined : 'it was moved while it was read'
}

/** @returns why something that need not be opened is worth naming; undefined for a file, and for nothing. */
export async function problemOfName(root: string, path: string): Promise<string | undefined> {
  try {
    return problemOfKind(await lstat(join(root, path)))
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : reasonOf(error)
  }
}

/** What an entry is when it is neither a file nor a folder. */
function problemOfKind(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isFIFO()) return 'a pipe (fifo), not a file'
  if (stats.isSocket()) return 'a socket, not a file'
  if (stats.isDirectory()) return 'a folder, not a file'
  return 'a device, not a file'
}

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'unreadable: permission denied',
  EPERM: 'unreadable: not permitted',
  ENOENT: 'not found',
  ELOOP: 'a symbolic link',
  ENXIO: 'a socket, not a file',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'unreadable: input/output error',
  ESTALE: 'unreadable: the network file is stale'
}

export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === undefined) return error instanceof Error ? `unreadable: ${error.message}` : 'unreadable'
  return reasons[code] ?? `unreadable: ${code}`
}
