import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'

/** A command that gives what follows it a disk of 24 megabytes of its own, where its spool is; gone with it. */
const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const mount = 'mount -t tmpfs -o size=24m tmpfs "$BATCH_SPOOL_DIR" && exec "$@"'
export const ownDisk: readonly string[] = ['unshare', '--mount', ...asRoot, 'sh', '-c', mount, 'sh']

/** Not every computer lets us mount. */
export async function mayMount(folder: string): Promise<boolean> {
  const [program, ...args] = [...ownDisk, 'true']
  const env = { PATH: process.env['PATH'] ?? '', BATCH_SPOOL_DIR: folder }
  const child = spawn(program, args, { stdio: 'ignore', env })
  return await once(child, 'exit').then(
    ([code]) => code === 0,
    () => false
  )
}

/** As its process sees it. */
export function pathOnDisk(pid: number, spool: string): string {
  return `/proc/${pid}/root${spool}/filler`
}

/** Writes until nothing fits any more. */
export async function fillDisk(path: string): Promise<void> {
  await writeFile(path, Buffer.alloc(32_000_000, 'x')).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  })
}
